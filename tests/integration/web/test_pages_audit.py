"""The page of the audit log: what it shows, whom, and what can be done there."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from grantline.control.applications import rules as applications
from grantline.control.audit.models import AuditEvent
from grantline.control.organizations.roles import Role
from grantline.control.sources import rules as sources
from grantline.control.tenancy import Scope
from tests.integration.web.conftest import signed_in

pytestmark = pytest.mark.integration


def text_of(response: Any) -> str:
    assert response.status_code == 200, response.content
    return str(response.content.decode())


def test_the_page_says_who_did_what_to_which_thing(browser: Client, scope: Scope) -> None:
    source = sources.create(scope, "Exports")
    sources.change(scope, source.pk, {"bucket": "acme-exports"})
    sources.change(scope, source.pk, {"bucket": "acme-other", "name": "<b>Exports"})
    text = text_of(browser.get("/audit-log"))
    assert "Changed a data source" in text
    assert f'href="/integrations/data-sources/{source.pk}"' in text
    assert '<del class="audit-was">' in text
    assert "acme-exports" in text
    assert "acme-other" in text
    assert "&lt;b&gt;Exports" in text
    assert "<b>Exports" not in text


def test_only_those_who_may_read_it_find_it(auditor: Client, scope: Scope) -> None:
    assert 'href="/audit-log"' in text_of(auditor.get("/"))
    for role in (Role.APPLICATION_ADMINISTRATOR, Role.APPLICATION_OWNER):
        other = signed_in("Example", role)
        assert 'href="/audit-log"' not in text_of(other.get("/"))
        assert other.get("/audit-log").status_code == 403
        assert other.get("/audit-log/export").status_code == 403
        assert other.post("/audit-log/verify").status_code == 403


def test_the_list_is_filtered(auditor: Client, scope: Scope) -> None:
    sources.create(scope, "Exports")
    applications.create(scope, "Payroll")
    text = text_of(auditor.get("/audit-log?action=application"))
    assert "Added an application" in text
    assert "Added a data source" not in text
    assert "Payroll" in text_of(auditor.get("/audit-log?subject=PAYROLL&actor=super_administrator"))
    assert "No event fits" in text_of(auditor.get("/audit-log?actor=nobody"))
    assert "No event fits" in text_of(auditor.get("/audit-log?to=2020-01-01"))
    assert "Payroll" in text_of(auditor.get("/audit-log?from=2020-01-01"))
    assert "Choose the day from the calendar" in text_of(auditor.get("/audit-log?from=yesterday&to=9999-12-31"))
    assert text_of(auditor.get("/audit-log?before=%00&actor=%00"))


def test_older_events_are_a_page_away(auditor: Client, scope: Scope) -> None:
    for number in range(60):
        applications.create(scope, f"Application {number:02}")
    first = text_of(auditor.get("/audit-log?action=application"))
    assert "Application 59" in first
    assert "Application 09" not in first
    assert "?action=application&amp;before=11" in first
    second = text_of(auditor.get("/audit-log?action=application&before=11"))
    assert "Application 09" in second
    assert "Application 10" not in second


def test_a_verification_is_shown_with_its_time(auditor: Client, scope: Scope) -> None:
    applications.create(scope, "Payroll")
    assert "Not verified yet" in text_of(auditor.get("/audit-log"))
    text = text_of(auditor.post("/audit-log/verify", follow=True))
    assert "1 event: whole, unchanged and in order." in text
    assert "Verified" in text
    assert "just now" in text


def test_the_download_is_ocsf_and_recorded(auditor: Client, scope: Scope) -> None:
    applications.create(scope, "Payroll")
    response: Any = auditor.get("/audit-log/export?action=application")
    lines = [json.loads(line) for line in b"".join(response.streaming_content).decode().splitlines()]
    assert [line["metadata"]["event_code"] for line in lines] == ["application:create"]
    assert AuditEvent.objects.filter(action="audit_log:export").count() == 1


def test_signing_in_and_out_and_failing_to_is_recorded(db: Any) -> None:
    from tests.integration.web.people import PASSWORD, make_member

    user, _ = make_member("Example", Role.SUPER_ADMINISTRATOR)
    user.set_password(PASSWORD)
    user.save()
    client = Client()
    client.post("/sign-in", {"email": user.email, "password": "wrong"})
    client.post("/sign-in", {"email": user.email, "password": PASSWORD})
    client.post("/sign-out")
    actions = list(AuditEvent.objects.order_by("sequence").values_list("action", flat=True))
    assert actions == ["session:fail", "session:sign_in", "session:sign_out"]


def test_every_action_has_words() -> None:
    from grantline.control.audit.rules import Action
    from grantline.web.audit.words import ACTIONS

    assert {action.value for action in Action} - {str(action) for action in ACTIONS} == set()
