"""Every past moment: look-ups, changes between two moments, when a grant appeared, and exports."""

from __future__ import annotations

import contextlib
import csv
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from grantline.cli import export, main
from grantline.control.applications.catalog import catalog_of
from grantline.control.audit.models import AuditEvent
from grantline.control.moments import moment_of
from grantline.errors import InputInvalid, NotFound
from tests.integration.history.conftest import Desk, users_csv

pytestmark = pytest.mark.integration


@pytest.fixture
def past(desk: Desk) -> Desk:
    """Four versions: U1 has audit in the first, not in the second, again in the third and fourth."""
    for users in (
        {"U1": ["staff", "audit"], "U2": ["staff"]},
        {"U1": ["staff"], "U2": ["staff"]},
        {"U1": ["staff", "audit"], "U2": ["staff"]},
        {"U1": ["staff", "audit"], "U2": ["staff"], "=U3": ["staff"]},
    ):
        desk.age(10)
        assert desk.load(users_csv(users)).state == "published"
    return desk


def key_of(desk: Desk, group: str, version: int) -> str:
    rows = desk.catalog(version).entitlements(search=group).items
    return str(rows[0]["key"])


def test_every_look_up_answers_as_of_a_moment(past: Desk) -> None:
    assert [past.accounts(number) for number in (1, 4)] == [["U1", "U2"], ["=U3", "U1", "U2"]]
    assert [("U1", "audit") in past.grants(number) for number in (1, 2, 3, 4)] == [True, False, True, True]
    assert past.catalog(1).account("U1")["id"] == "U1"
    with pytest.raises(NotFound):
        past.catalog(1).account("=U3")
    audit = key_of(past, "audit", 1)
    assert past.catalog(1).entitlement(audit)["members"] == 1
    with pytest.raises(NotFound):
        past.catalog(2).entitlement(audit)
    before = catalog_of(past.scope, past.application, past.version(1).published_at - timedelta(days=1))
    assert before.accounts().items == []


def test_the_history_of_an_account_ends_where_the_day_is_set(past: Desk) -> None:
    found = past.catalog(2).account_history("U1")
    assert [row["since"]["version"] for row in found] == [2, 1, 1, 1]
    assert (found[0]["op"], found[0]["entitlement"]) == ("removed", "audit")
    assert {row["entitlement"] for row in found[1:]} == {None, "audit", "staff"}
    assert len(past.catalog().account_history("U1")) == 5


def test_when_a_grant_first_and_last_appeared_and_by_which_run(past: Desk) -> None:
    audit = key_of(past, "audit", 1)
    found = past.catalog().grant_history("U1", audit)
    runs = {run.version.number: run.pk for run in past.item.runs.select_related("version") if run.version}
    assert (found["first_appeared"]["version"], found["first_appeared"]["run_id"]) == (1, runs[1])
    assert (found["last_appeared"]["version"], found["last_appeared"]["run_id"]) == (4, runs[4])
    assert found["ended"] is None
    first, second = found["intervals"]
    assert (first["first_appeared"]["version"], first["last_appeared"]["version"], first["ended"]["version"]) == (
        1,
        1,
        2,
    )
    assert (second["first_appeared"]["version"], second["ended"]) == (3, None)
    then = past.catalog(2).grant_history("U1", audit)
    assert (then["last_appeared"]["version"], then["ended"]["version"]) == (1, 2)
    with pytest.raises(NotFound):
        past.catalog().grant_history("U2", audit)


def test_changes_between_two_moments(past: Desk) -> None:
    moments = {number: past.version(number).published_at for number in (1, 2, 3, 4)}
    catalog = past.catalog()
    between = catalog.changes(since=moments[1], until=moments[3], limit=50).items
    assert between == [], "what went and came back is what it was"
    rows = catalog.changes(since=moments[2], until=moments[4], kind="grant", limit=50).items
    assert {(row["op"], row["account"], row["entitlement"]) for row in rows} == {
        ("added", "U1", "audit"),
        ("added", "=U3", "staff"),
    }


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-07", "2026-11-07T00:00:00+00:00"),
        ("2026-11-07T12:00:00Z", "2026-11-07T12:00:00+00:00"),
        ("2026-11-07T12:00:00+02:00", "2026-11-07T10:00:00+00:00"),
    ],
)
def test_moments_are_days_or_times_with_an_offset(text: str, moment: str) -> None:
    assert moment_of(text).isoformat() == moment


@pytest.mark.parametrize("text", ["yesterday", "2026-11-07T12:00:00", "2026-13-01", ""])
def test_other_moments_are_refused(text: str) -> None:
    with pytest.raises(InputInvalid):
        moment_of(text)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line uses the test's database."""
    monkeypatch.setattr(export, "started", contextlib.nullcontext)


def test_export_writes_a_past_moment_as_json_lines(
    past: Desk, started: None, capsys: pytest.CaptureFixture[str]
) -> None:
    moment = past.version(1).published_at.isoformat()
    arguments = ["export", "--application", past.application.pk, "--kind", "grants", "--format", "jsonl"]
    capsys.readouterr()
    assert main.main([*arguments, "--as-of", moment]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {(row["account"], row["entitlement"]) for row in rows} == {("U1", "staff"), ("U1", "audit"), ("U2", "staff")}


def test_export_is_safe_against_formulas_and_complete(past: Desk, started: None, tmp_path: Path) -> None:
    file = tmp_path / "accounts.csv"
    arguments = ["export", "--application", past.application.pk, "--kind", "accounts", "--output", str(file)]
    assert main.main(arguments) == 0
    with file.open(newline="") as lines:
        rows: list[dict[str, Any]] = list(csv.DictReader(lines))
    assert [row["id"] for row in rows] == ["'=U3", "U1", "U2"]
    assert rows[1]["email"] == "u1@example.com"
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".part")] == []
    event = AuditEvent.objects.get(action="catalog:export")
    assert event.after == {"what": "accounts", "format": "csv", "rows": 3, "until": None}


def test_export_of_nothing_has_its_header(past: Desk, started: None, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    arguments = ["export", "--application", past.application.pk, "--kind", "entitlements", "--as-of", "2001-01-01"]
    assert main.main(arguments) == 0
    assert capsys.readouterr().out == "resource_type,resource,entitlement,display_name,slug,description\n"


def test_export_refuses_what_it_does_not_know(past: Desk, started: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["export", "--application", "app_none", "--kind", "grants"]) != 0
    assert "There is no application 'app_none'" in capsys.readouterr().err
    assert main.main(["export", "--application", past.application.pk, "--kind", "everything"]) == main.WRONG_USE
