"""Pages of runs: verdict, evidence, issues, and the decision about a held one."""

from __future__ import annotations

import csv
import io

import pytest
from django.test import Client

from grantline.control.runs.models import Run, RunIssue
from grantline.control.tenancy import Scope
from tests.integration.web.payroll import HEAD, HOSTILE, Payroll, file_of, make_payroll

pytestmark = pytest.mark.integration

MANY = [f"u{number}" for number in range(40)]


@pytest.fixture
def payroll(scope: Scope) -> Payroll:
    return make_payroll(scope, file_of(*MANY))


@pytest.fixture
def held(payroll: Payroll) -> Run:
    return payroll.upload(file_of(*MANY[:5]))


def page(client: Client, run: Run, query: str = "") -> str:
    return client.get(f"/runs/{run.pk}{query}").content.decode()


def test_runs_newest_first_with_a_filter(browser: Client, payroll: Payroll, held: Run) -> None:
    html = browser.get("/runs").content.decode()
    assert html.index("Run 2") < html.index("Run 1")
    html = browser.get("/runs?state=held").content.decode()
    assert "Run 2" in html
    assert "Run 1<" not in html
    assert "No run is in this state" in browser.get("/runs?state=failed").content.decode()


def test_runs_go_on_behind_the_last_one_seen(browser: Client, payroll: Payroll, held: Run) -> None:
    html = browser.get(f"/runs?after={held.pk}").content.decode()
    assert "Run 1<" in html
    assert "Run 2<" not in html
    assert "Newest" in html


def test_run_shows_verdict_evidence_and_no_trigger_once_over(browser: Client, payroll: Payroll) -> None:
    html = page(browser, payroll.runs[0])
    assert "Published version 1: 40 accounts added" in html
    assert payroll.runs[0].evidence["sha256"] in html  # type: ignore[index]
    assert 'hx-trigger="every 1s"' not in html


def test_failed_run_says_what_to_do(browser: Client, payroll: Payroll) -> None:
    run = payroll.upload(HEAD.encode())
    html = page(browser, run)
    assert "The last good data is kept" in html
    assert "file_empty" in html


def test_issues_by_code_and_row_with_a_harmless_download(browser: Client, payroll: Payroll) -> None:
    bad = "u90,=cmd(),X,Active,\n,none@example.com,X,Active,\n"
    run = payroll.upload(file_of(*MANY, extra=bad))
    html = page(browser, run)
    assert "Values that are not what their column should hold" in html
    assert "Line 42" in html
    only = page(browser, run, "?code=row_key_missing")
    assert "Line 43" in only
    assert "=cmd()" not in only
    body = b"".join(browser.get(f"/runs/{run.pk}/issues.csv")).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(body)))
    assert "'=cmd()" in {row["value"] for row in rows}


def test_row_of_an_issue_is_shown_on_request_with_other_cells_masked(browser: Client, payroll: Payroll) -> None:
    run = payroll.upload(file_of(*MANY, extra=f"u90,no-address,Mallory {HOSTILE},Active,Secret\n"))
    address = f"/runs/{run.pk}/issues/1/row"
    listed = page(browser, run)
    assert f'hx-get="{address}"' in listed
    part = browser.get(address, headers={"HX-Request": "true"}).content.decode()
    assert '<mark><bdi class="given">no-address</bdi></mark>' in part
    assert ">x99<" in part
    whole = browser.get(address).content.decode()
    assert "<h1" in whole
    stored = str(RunIssue.objects.filter(run=run).values_list())
    for text in (listed, part, whole, stored):
        assert not any(value in text for value in ("u90", "Mallory", "Secret", "gpj"))
    assert browser.get(f"/runs/{run.pk}/issues/2/row").status_code == 404


def test_held_run_shows_numbers_and_names(browser: Client, held: Run) -> None:
    html = page(browser, held)
    assert "35 accounts and 70 grants would go" in html
    assert "Person u7" in html
    assert "Approve and remove 70 grants" in html


def test_approve_needs_a_reason(browser: Client, held: Run) -> None:
    response = browser.post(f"/runs/{held.pk}/approve", {"reason": "  "})
    assert response.status_code == 422
    assert "Say why this is right" in response.content.decode()
    held.refresh_from_db()
    assert held.state == "held"


def test_approve_publishes_and_keeps_the_reason(browser: Client, held: Run) -> None:
    assert browser.post(f"/runs/{held.pk}/approve", {"reason": "The branch was closed"}).status_code == 302
    held.refresh_from_db()
    assert held.state == "published"
    assert "The branch was closed" in page(browser, held)


def test_discard_changes_nothing(browser: Client, payroll: Payroll, held: Run) -> None:
    assert browser.post(f"/runs/{held.pk}/discard", {"reason": ""}).status_code == 302
    held.refresh_from_db()
    assert held.state == "discarded"
    payroll.item.refresh_from_db()
    assert payroll.item.current_version is not None
    assert payroll.item.current_version.number == 1


def test_auditors_look_but_do_not_decide(auditor: Client, held: Run) -> None:
    assert "Approve and" not in page(auditor, held)
    assert auditor.post(f"/runs/{held.pk}/approve", {"reason": "Because"}).status_code == 403
    assert auditor.post(f"/runs/{held.pk}/discard").status_code == 403


@pytest.mark.parametrize("rest", ["", "/progress", "/issues.csv", "/issues/1/row"])
def test_runs_of_another_organization_are_not_found(neighbour: Client, payroll: Payroll, rest: str) -> None:
    assert neighbour.get(f"/runs/{payroll.runs[0].pk}{rest}").status_code == 404
