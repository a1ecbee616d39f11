"""Pages of people: the list, one person now and on a past day, and the report that can be proven."""

from __future__ import annotations

import csv
import hashlib
import io
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from grantline.control.audit.models import AuditEvent
from grantline.control.people.models import Person
from grantline.control.runs.models import Version
from grantline.control.tenancy import Scope
from tests.integration.web.payroll import Payroll, file_of, make_payroll

pytestmark = pytest.mark.integration


@pytest.fixture
def payroll(scope: Scope) -> Payroll:
    """Four people, of whom u4 has a hostile name; =u5 has a group that spreadsheets would calculate."""
    extra = "u4,u4@example.com,<script>alert(1)</script>,Active,Readers\n=u5,u5@example.com,=1+1,Active,=HYPERLINK\n"
    return make_payroll(scope, file_of("u1", "u2", extra=extra))


def person(value: str) -> Person:
    return Person.objects.get(value=value)


def text(client: Client, path: str, status: int = 200) -> str:
    response = client.get(path)
    assert response.status_code == status, response.content.decode()[:2000]
    return response.content.decode()


def address(value: str) -> str:
    return reverse("person", args=[person(value).pk])


def days_ago(payroll: Payroll, days: int) -> str:
    """Let `days` days pass; the last day on which everything was as it is."""
    for version in Version.objects.filter(of_import=payroll.item):
        version.published_at -= timedelta(days=days)
        version.save(update_fields=["published_at"])
    newest = Version.objects.filter(of_import=payroll.item).latest("published_at")
    return f"{newest.published_at + timedelta(days=1):%Y-%m-%d}"


def test_without_people_the_list_says_where_they_come_from(browser: Client) -> None:
    assert "People come from accounts" in text(browser, "/people")


def test_the_list_and_the_search_lead_to_a_person(browser: Client, payroll: Payroll) -> None:
    for path in ("/people", "/people?search=U1@", "/search?q=person+u1"):
        assert address("u1@example.com") in text(browser, path)
    assert "Nobody fits" in text(browser, "/people?search=nobody-here")
    assert "<script>alert" not in text(browser, "/people")


def test_a_person_s_accounts_and_grants_with_links_both_ways(browser: Client, payroll: Payroll) -> None:
    html = text(browser, address("u1@example.com"))
    for shown in ("Person u1", "Payroll", "Approvers", "Readers", "matched by e-mail address", "Seen since"):
        assert shown in html
    account = reverse("application_account", args=[payroll.application.pk, "u1"])
    assert account in html
    assert address("u1@example.com") in text(browser, account)


def test_a_person_who_left_is_there_on_a_past_day(browser: Client, payroll: Payroll) -> None:
    path = address("u1@example.com")
    day = days_ago(payroll, 10)
    assert payroll.upload(file_of("u2", "u4", "=u5")).state == "published"
    assert "No accounts now" in text(browser, path)
    assert path not in text(browser, "/people")
    assert path in text(browser, "/people?gone=1")
    browser.post("/as-of", {"as_of": day, "next": path})
    html = text(browser, path)
    assert "What you see is as it was then" in html
    assert "Approvers" in html
    assert path in text(browser, "/people")


def test_the_report_says_what_it_is_and_its_hash_is_in_the_audit_log(
    browser: Client, scope: Scope, payroll: Payroll
) -> None:
    response = browser.get(reverse("person_report", args=[person("u1@example.com").pk]))
    digest = hashlib.sha256(response.content).hexdigest()
    assert response["X-Content-SHA256"] == digest
    assert "access-u1@example.com-" in response["Content-Disposition"]
    lines = list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))
    facts = {line[0]: line[1] for line in lines[: lines.index([])]}
    assert (facts["person"], facts["made_by"]) == ("Person u1", scope.actor_name)
    assert facts["as_of"].endswith("Z")
    heads, *rows = lines[lines.index([]) + 1 :]
    assert sorted(row[heads.index("entitlement")] for row in rows) == ["Approvers", "Readers"]
    event = AuditEvent.objects.filter(action="catalog:export").latest("sequence")
    assert event.after == {
        "what": "access of a person",
        "format": "csv",
        "rows": 2,
        "until": facts["as_of"],
        "sha256": digest,
    }


def test_the_report_calculates_nothing_in_a_spreadsheet(browser: Client, payroll: Payroll) -> None:
    response = browser.get(reverse("person_report", args=[person("u5@example.com").pk]))
    cells = [cell for line in csv.reader(io.StringIO(response.content.decode("utf-8-sig"))) for cell in line]
    assert {"'=u5", "'=1+1", "'=HYPERLINK"} <= set(cells)
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))] == []


def test_a_neighbour_does_not_find_a_person(neighbour: Client, payroll: Payroll) -> None:
    path = address("u1@example.com")
    assert text(neighbour, path, 404)
    assert text(neighbour, f"{path}/report.csv", 404)
    assert "u1@example.com" not in text(neighbour, "/people")
