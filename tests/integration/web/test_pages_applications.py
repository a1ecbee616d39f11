"""Pages of applications: what is listed, what one account and one entitlement show, who sees which."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from grantline.control.applications.catalog import catalog_of
from grantline.control.applications.models import Application
from grantline.control.runs.models import Version
from grantline.control.tenancy import Scope
from grantline.jobs.uploads import take_upload
from tests.integration.web.payroll import Payroll, carried_out, file_of, make_payroll

pytestmark = pytest.mark.integration


@pytest.fixture
def payroll(scope: Scope) -> Payroll:
    return make_payroll(scope)


def text(client: Client, path: str, status: int = 200) -> str:
    response = client.get(path)
    assert response.status_code == status, response.content.decode()[:2000]
    return response.content.decode()


def test_applications_without_one_say_what_one_is(browser: Client) -> None:
    assert "An application is something people have accounts in" in text(browser, "/applications")


def test_applications_list_counts_and_the_state_of_imports(browser: Client, payroll: Payroll) -> None:
    html = text(browser, "/applications")
    assert re.search(r'data-label="Accounts">4<', html)
    assert re.search(r'data-label="Grants">7<', html)
    assert "Healthy" in html


def test_create_leads_to_the_first_step(browser: Client, scope: Scope) -> None:
    response = browser.post("/applications/new", {"name": "Ledger", "description": "", "owner_email": ""})
    application = Application.objects.get(name="Ledger")
    assert response["Location"] == reverse("application_imports", args=[application.pk])
    assert "No import yet" in text(browser, response["Location"])


def test_create_with_a_taken_name_says_so_at_the_field(browser: Client, payroll: Payroll) -> None:
    response = browser.post("/applications/new", {"name": "Payroll", "description": "kept", "owner_email": ""})
    assert response.status_code == 422
    html = response.content.decode()
    assert "There is already an application named" in html
    assert "kept" in html


def test_create_is_not_for_auditors(auditor: Client) -> None:
    assert auditor.post("/applications/new", {"name": "Ledger"}).status_code == 403
    assert "New application" not in auditor.get("/applications").content.decode()


def test_accounts_show_hostile_names_harmless(browser: Client, payroll: Payroll) -> None:
    html = text(browser, payroll.path("/accounts"))
    assert "<script>alert" not in html
    assert "\u202e" not in html
    assert "⟨U+202E⟩" in html


def test_accounts_are_found_by_search_and_filter(browser: Client, payroll: Payroll) -> None:
    html = text(browser, payroll.path("/accounts?search=u2%40example"))
    assert "Person u2" in html
    assert "Person u1" not in html
    assert "No account fits" in text(browser, payroll.path("/accounts?status=disabled"))
    assert "Person u1" in text(browser, payroll.path("/accounts?never_signed_in=1"))


def test_accounts_with_a_made_up_cursor_are_refused(browser: Client, payroll: Payroll) -> None:
    text(browser, payroll.path("/accounts?cursor=bm9uc2Vuc2U"), 422)


@pytest.mark.parametrize("key", ["u1", "u/3"])
def test_account_shows_grants_and_history(browser: Client, payroll: Payroll, key: str) -> None:
    html = text(browser, reverse("application_account", args=[payroll.application.pk, key]))
    assert "Got Approvers" in html
    assert "Account appeared" in html
    assert f"{key}@example.com" in html


def test_account_that_is_gone_shows_its_history(browser: Client, payroll: Payroll) -> None:
    payroll.upload(file_of("u1", "u2", "u/3"))
    html = text(browser, payroll.path("/accounts/u4"))
    assert "It was there once and is gone" in html
    assert "Account was gone" in html


def test_account_that_never_was_is_not_found(browser: Client, payroll: Payroll) -> None:
    text(browser, payroll.path("/accounts/nobody"), 404)


def test_entitlement_shows_members_and_who_lost_it(browser: Client, scope: Scope, payroll: Payroll) -> None:
    payroll.upload(file_of("u1", "u2", "u/3", extra="u4,u4@example.com,Fourth,Active,\n"))
    rows = catalog_of(scope, payroll.application).entitlements().items
    key = next(row["key"] for row in rows if row["resource"] == "Readers")
    html = text(browser, payroll.path(f"/entitlements/{key}"))
    members, lost = html.split("Lost it")
    assert "Person u1" in members
    assert "Fourth" not in members
    assert "Fourth" in lost


def test_entitlements_count_members(browser: Client, payroll: Payroll) -> None:
    html = text(browser, payroll.path("/entitlements"))
    assert re.search(r'data-label="Members">4<', html)
    assert re.search(r'data-label="Members">3<', html)


def test_entitlement_with_a_made_up_key_is_not_found(browser: Client, payroll: Payroll) -> None:
    text(browser, payroll.path("/entitlements/bm9uc2Vuc2U"), 404)


def test_changes_list_runs_and_each_change(browser: Client, payroll: Payroll) -> None:
    run = payroll.upload(file_of("u1", "u2", "u/3", "u5"))
    assert "1 account added, 1 account removed" in text(browser, payroll.path("/changes"))
    html = text(browser, payroll.path(f"/changes?run={run.pk}&kind=account&op=added"))
    assert "Person u5" in html
    assert "u4@example.com" not in html


def test_changes_of_a_run_elsewhere_are_not_found(browser: Client, payroll: Payroll) -> None:
    text(browser, payroll.path("/changes?run=run_nowhere"), 404)


def test_changes_download_holds_every_change_and_no_formula(browser: Client, scope: Scope) -> None:
    payroll = make_payroll(
        scope, file_of(*(f"u{number}" for number in range(150)), extra="=1+1,x@example.com,@x,Active,\n")
    )
    response = browser.get(payroll.path("/changes.csv"))
    body = b"".join(response).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(body)))
    assert len(rows) == 151 + 2 + 300
    assert {row["account"] for row in rows} >= {"u0", "u149", "'=1+1"}
    assert not any(cell and cell[0] in "=+-@" for row in rows for cell in row.values())


def test_settings_change_and_refuse(browser: Client, payroll: Payroll) -> None:
    path = payroll.path("/settings")
    assert browser.post(path, {"name": "Wages", "description": "", "owner_email": ""}).status_code == 302
    payroll.application.refresh_from_db()
    assert payroll.application.name == "Wages"
    response = browser.post(path, {"name": "", "description": "", "owner_email": "nobody@example.com"})
    assert response.status_code == 422


def test_delete_is_refused_while_there_is_an_import(browser: Client, payroll: Payroll) -> None:
    assert browser.post(payroll.path("/delete")).status_code == 409
    assert Application.objects.filter(pk=payroll.application.pk).exists()


@pytest.mark.parametrize(
    "rest",
    [
        "",
        "/accounts",
        "/accounts/u1",
        "/entitlements",
        "/changes",
        "/changes.csv",
        "/aliases",
        "/imports",
        "/settings",
        "/imports/new",
    ],
)
def test_pages_of_another_organization_are_not_found(neighbour: Client, payroll: Payroll, rest: str) -> None:
    text(neighbour, payroll.path(rest), 404)


@pytest.mark.parametrize(
    "rest", ["/accounts", "/accounts/u1", "/entitlements", "/changes", "/aliases", "/imports", "/settings"]
)
def test_auditors_read_and_are_offered_nothing_to_change(auditor: Client, payroll: Payroll, rest: str) -> None:
    html = text(auditor, payroll.path(rest))
    assert "Import app data" not in html
    assert "Danger zone" not in html


def test_counts_of_two_imports_that_say_the_same_are_counted_once(
    browser: Client, scope: Scope, payroll: Payroll
) -> None:
    _, run = take_upload(scope, payroll.application.pk, [file_of("u1", "u9")], "more.csv")
    carried_out(run)
    html = text(browser, payroll.path("/imports"))
    assert re.search(r'Accounts <span class="tabs__count">5<', html)


def test_pages_as_of_a_past_day_show_that_day(browser: Client, payroll: Payroll) -> None:
    then = timezone.now() - timedelta(days=10)
    Version.objects.update(published_at=then)
    payroll.upload(file_of("u1", "u2", "u/3", "u5"))
    browser.post("/as-of", {"as_of": f"{then + timedelta(days=2):%Y-%m-%d}", "next": "/"})
    html = text(browser, payroll.path("/accounts"))
    assert "u4@example.com" in html
    assert "Person u5" not in html
    text(browser, payroll.path("/accounts/u5"), 404)
