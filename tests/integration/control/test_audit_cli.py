"""`grantline audit`: exit codes, what it prints, and that one organization's log is one's own."""

from __future__ import annotations

import argparse
import contextlib
import json

import pytest
from django.db import connection

from grantline.cli import audit
from grantline.control.applications import rules as applications
from grantline.control.isolation.base import as_owner
from grantline.control.tenancy import Scope, request_boundary
from grantline.errors import InputInvalid, NotFound

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def already_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' Django is the one that the verb would start."""
    monkeypatch.setattr(audit, "started", contextlib.nullcontext)


@pytest.fixture
def logs(admin: Scope, stranger: Scope) -> None:
    """An event of each of two organizations."""
    for scope in (admin, stranger):
        applications.create(scope, "Payroll")


def call(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    audit.add_parser(parser.add_subparsers(dest="verb"))
    with request_boundary():  # a process begins with nobody's rows shown
        return audit.run(parser.parse_args(["audit", *arguments]))


def test_whole_logs(logs: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("verify") == 0
    told = capsys.readouterr().out
    assert "Example Corp: 1 events, whole." in told
    assert "Other Corp: 1 events, whole." in told


def test_a_log_that_was_changed(logs: None, capsys: pytest.CaptureFixture[str]) -> None:
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            "UPDATE control_auditevent SET actor_name = 'x' WHERE organization_id ="
            " (SELECT id FROM control_organization WHERE name = 'Other Corp')"
        )
    assert call("verify") == 1
    assert "changed: Event 1 is not as it was written." in capsys.readouterr().out
    assert call("verify", "--organization", "example corp") == 0


def test_a_kept_end(logs: None, capsys: pytest.CaptureFixture[str]) -> None:
    call("verify", "--organization", "Example Corp")
    kept = capsys.readouterr().out.split()[-1]
    assert call("verify", "--organization", "Example Corp", "--expect", kept) == 0
    assert call("verify", "--organization", "Example Corp", "--expect", f"1:{'0' * 64}") == 1
    with pytest.raises(InputInvalid):
        call("verify", "--expect", kept)
    with pytest.raises(InputInvalid):
        call("export")
    with pytest.raises(NotFound):
        call("verify", "--organization", "Nobody")


def test_an_export_is_one_organizations(logs: None, admin: Scope, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("export", "--organization", "Example Corp", "--format", "ocsf") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["metadata"]["event_code"] for line in lines] == ["application:create", "audit_log:export"]
    assert {line["metadata"]["tenant_uid"] for line in lines} == {admin.organization_id}
