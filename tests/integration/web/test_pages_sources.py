"""The pages of data sources: the External ID that survives, each step of the wizard, checks, deletion."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob

from grantline.control.applications import rules as applications
from grantline.control.imports import rules as imports
from grantline.control.sources import checks, rules
from grantline.control.sources.models import ConnectionCheck, DataSource, IssuedExternalId
from grantline.control.tenancy import Scope

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

LIST = "/integrations/data-sources"
ROLE = "arn:aws:iam::222222222222:role/GrantlineIntegration"


@pytest.fixture
def source(scope: Scope) -> DataSource:
    return rules.create(scope, "Payroll exports")


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def setup(source: DataSource, step: str) -> str:
    return f"{LIST}/{source.pk}/setup/{step}"


def finish(scope: Scope, source: DataSource, *, ok: bool, outcome: str = "pass") -> ConnectionCheck:
    """A check of the stored values that has ended."""
    check = checks.begin_check(scope, source.pk)
    step = {"name": "bucket_listed", "outcome": outcome, "code": None, "message": "So it is.", "remedy": "Do this."}
    checks.note_progress(check, steps=[step], waiting_seconds=None)
    checks.finish_check(check, trusted=True, ok=ok, found_region="eu-west-1")
    return check


def test_adding_a_data_source_shows_its_external_id_at_once(browser: Client) -> None:
    answer = browser.post(LIST, {"name": "Payroll exports"}, follow=True)

    source = DataSource.objects.get()
    assert answer.redirect_chain == [(setup(source, "external-id"), 302)]
    assert source.external_id in text_of(answer)


def test_the_external_id_is_the_same_in_another_browser(browser: Client, auditor: Client, source: DataSource) -> None:
    pages = [text_of(client.get(setup(source, "external-id"))) for client in (browser, auditor, Client())]

    assert [set(re.findall(r"gl_[a-z2-7]{32}", page)) for page in pages] == [{source.external_id}] * 2 + [set()]


def test_a_draft_is_listed_with_the_way_to_finish_it(browser: Client, source: DataSource) -> None:
    page = text_of(browser.get(LIST))

    assert "Finish setting up" in page
    assert f"{LIST}/{source.pk}/setup" in page


@pytest.mark.parametrize(
    ("values", "step"),
    [
        ({}, "external-id"),
        ({"bucket": "acme-exports"}, "role"),
        ({"bucket": "acme-exports", "role_arn": ROLE}, "connect"),
    ],
)
def test_setting_up_goes_on_where_it_was_left(
    browser: Client, scope: Scope, source: DataSource, values: dict[str, str], step: str
) -> None:
    rules.change(scope, source.pk, values)

    assert browser.get(f"{LIST}/{source.pk}/setup")["Location"] == setup(source, step)


@pytest.mark.parametrize("form", ["json", "cloudformation", "terraform", "cli"])
def test_policies_are_filled_in_in_every_form(browser: Client, scope: Scope, source: DataSource, form: str) -> None:
    rules.change(scope, source.pk, {"bucket": "acme-exports", "prefix": "exports/"})

    page = text_of(browser.get(setup(source, "role"), {"form": form}))

    assert source.external_id in page
    assert "arn:aws:iam::111111111111:role/grantline-service" in page
    assert "arn:aws:s3:::acme-exports/exports/*" in page


def test_the_stack_opens_in_the_console_where_a_template_is_named(
    browser: Client, scope: Scope, source: DataSource, settings: Any
) -> None:
    from dataclasses import replace

    rules.change(scope, source.pk, {"bucket": "acme-exports", "prefix": "exports/"})
    pages = (setup(source, "role"), f"{LIST}/{source.pk}")
    assert all(
        "Open in the AWS console" not in text_of(browser.get(page, {"form": "cloudformation"})) for page in pages
    )
    url = "https://acme-public.s3.eu-west-1.amazonaws.com/grantline-role.yaml"
    settings.GRANTLINE = replace(settings.GRANTLINE, template_url=url)

    for page in pages:
        text = text_of(browser.get(page, {"form": "cloudformation"}))
        assert "Open in the AWS console" in text
        assert f"param_ExternalId={source.external_id}" in text
        assert "Open in the AWS console" not in text_of(browser.get(page, {"form": "cli"}))


def test_without_a_service_role_the_page_says_what_is_missing(
    browser: Client, source: DataSource, settings: Any
) -> None:
    from dataclasses import replace

    settings.GRANTLINE = replace(settings.GRANTLINE, service_role_arn=None)

    for step in ("external-id", "role", "connect"):
        page = text_of(browser.get(setup(source, step)))
        assert "GRANTLINE_SERVICE_ROLE_ARN" in page
        assert "Trust policy" not in page


def test_the_role_step_narrows_the_policies(browser: Client, source: DataSource) -> None:
    values = {"bucket": "acme-exports", "prefix": "hr/", "versioned": "on", "kms_key_arn": "", "form": "json"}

    page = text_of(browser.post(setup(source, "role"), values, follow=True))

    assert "s3:GetObjectVersion" in page
    assert "arn:aws:s3:::acme-exports/hr/*" in page


def test_a_wrong_value_stores_nothing_and_keeps_what_was_typed(browser: Client, source: DataSource) -> None:
    values = {"role_arn": "222222222222", "bucket": "Acme_Exports", "prefix": "/hr", "region": "Ireland", "check": "1"}

    answer = browser.post(setup(source, "connect"), values)

    page = text_of(answer)
    assert answer.status_code == 422
    assert page.count('aria-invalid="true"') == 4
    assert all(f'value="{values[name]}"' in page for name in ("role_arn", "bucket", "prefix", "region"))
    source.refresh_from_db()
    assert (source.role_arn, source.bucket) == ("", "")
    assert not ConnectionCheck.objects.exists()


def test_checking_needs_role_and_bucket(browser: Client, source: DataSource) -> None:
    answer = browser.post(setup(source, "connect"), {"role_arn": " ", "bucket": "", "prefix": "", "check": "1"})

    assert answer.status_code == 422
    assert text_of(answer).count('aria-invalid="true"') == 2


def test_check_connection_stores_queues_and_watches(browser: Client, source: DataSource) -> None:
    values = {"role_arn": ROLE, "bucket": "acme-exports", "prefix": "", "region": "", "check": "1"}

    answer = browser.post(setup(source, "connect"), values, follow=True)

    check = ConnectionCheck.objects.get()
    assert ProcrastinateJob.objects.filter(task_name="grantline.check_source", args={"check_id": check.pk}).exists()
    assert 'hx-trigger="every 1s"' in text_of(answer)


def test_saving_without_checking_checks_nothing(browser: Client, source: DataSource) -> None:
    browser.post(setup(source, "connect"), {"role_arn": ROLE, "bucket": "", "prefix": "", "region": ""})

    source.refresh_from_db()
    assert source.role_arn == ROLE
    assert not ConnectionCheck.objects.exists()


def test_the_panel_says_what_it_waits_for_and_stops_when_over(
    browser: Client, scope: Scope, source: DataSource
) -> None:
    rules.change(scope, source.pk, {"role_arn": ROLE, "bucket": "acme-exports"})
    check = checks.begin_check(scope, source.pk)
    checks.note_progress(check, steps=[], waiting_seconds=12)
    panel, htmx = f"{LIST}/{source.pk}/check/panel", {"HX-Request": "true"}

    running = browser.get(panel, headers=htmx)
    checks.finish_check(check, trusted=True, ok=True, found_region="")
    over = browser.get(panel, headers=htmx)

    assert "Waiting for AWS to notice the new role: 12 of 60 seconds" in text_of(running)
    assert 'hx-trigger="every 1s"' in text_of(running)
    assert "hx-trigger" not in text_of(over)
    assert (running.headers.get("HX-Refresh"), over.headers.get("HX-Refresh")) == (None, "true")


def test_the_panel_is_silent_about_what_is_shown_already(browser: Client, scope: Scope, source: DataSource) -> None:
    rules.change(scope, source.pk, {"role_arn": ROLE, "bucket": "acme-exports"})
    checks.begin_check(scope, source.pk)
    panel, htmx = f"{LIST}/{source.pk}/check/panel", {"HX-Request": "true"}
    first = re.search(r"seen=([\d-]+)", text_of(browser.get(panel, headers=htmx)))
    assert first is not None

    assert browser.get(panel, {"seen": first[1]}, headers=htmx).status_code == 204


def test_the_end_of_a_check_in_the_wizard_loses_nothing_that_is_typed(
    browser: Client, scope: Scope, source: DataSource
) -> None:
    rules.change(scope, source.pk, {"role_arn": ROLE, "bucket": "acme-exports"})
    finish(scope, source, ok=True)

    over = browser.get(f"{LIST}/{source.pk}/check/panel", {"setup": "1"}, headers={"HX-Request": "true"})

    assert "HX-Refresh" not in over
    assert all(f'id="{part}" hx-swap-oob' in text_of(over) for part in ("setup-head", "setup-steps", "check-spoken"))


def test_a_failed_step_shows_its_remedy_and_the_statement(browser: Client, scope: Scope, source: DataSource) -> None:
    rules.change(scope, source.pk, {"role_arn": ROLE, "bucket": "acme-exports"})
    finish(scope, source, ok=False, outcome="fail")

    page = text_of(browser.get(f"{LIST}/{source.pk}"))

    assert "Do this." in page
    assert "&quot;Sid&quot;: &quot;ListObjects&quot;" in page
    assert "Needs attention" in page


def test_a_connected_source_leads_to_its_first_import(browser: Client, scope: Scope, source: DataSource) -> None:
    rules.change(scope, source.pk, {"role_arn": ROLE, "bucket": "acme-exports"})
    finish(scope, source, ok=True)

    assert browser.get(f"{LIST}/{source.pk}/setup")["Location"] == setup(source, "first-import")
    assert f"/imports/new?data_source={source.pk}" in text_of(browser.get(setup(source, "first-import")))


def test_changing_the_bucket_checks_again(browser: Client, scope: Scope, source: DataSource) -> None:
    rules.change(scope, source.pk, {"role_arn": ROLE, "bucket": "acme-exports"})
    finish(scope, source, ok=True)
    values = {
        "name": "Payroll",
        "role_arn": ROLE,
        "bucket": "acme-other",
        "prefix": "",
        "region": "",
        "kms_key_arn": "",
    }

    browser.post(f"{LIST}/{source.pk}/edit", values)

    source.refresh_from_db()
    assert (source.name, source.bucket, source.state, source.verified_at) == ("Payroll", "acme-other", "checking", None)


def test_deleting_takes_the_name_and_is_refused_while_used(browser: Client, scope: Scope, source: DataSource) -> None:
    application = applications.create(scope, "Payroll")
    item = imports.create(scope, application.pk, {"data_source_id": source.pk, "key": "hr.csv"})
    address = f"{LIST}/{source.pk}/delete"

    assert "type its name" in text_of(browser.post(address, {"confirm": "payroll"}, follow=True))
    assert "is used by imports" in text_of(browser.post(address, {"confirm": source.name}, follow=True))
    imports.delete(scope, item.pk)
    assert "was deleted" in text_of(browser.post(address, {"confirm": source.name}, follow=True))
    assert not DataSource.objects.exists()


CHOSEN = "gl_" + "a" * 32
OWNER = "333333333333"


def test_no_form_takes_an_external_id(browser: Client, scope: Scope, source: DataSource) -> None:
    """Every address of a data source, with everything its form asks for and an External ID on top."""
    values = {"name": "Mine", "role_arn": ROLE, "bucket": "acme-exports", "prefix": "", "region": "", "form": "json"}
    page = f"{LIST}/{source.pk}"
    steps = [setup(source, step) for step in ("external-id", "role", "connect", "first-import")]
    buttons = [f"{page}/{verb}" for verb in ("check", "edit", "external-id/rotate", "external-id/cancel")]
    for address in [page, f"{page}/setup", f"{page}/bucket", *steps, *buttons, LIST]:
        chosen = {"external_id": CHOSEN, "pending_external_id": CHOSEN}
        browser.post(f"{address}?external_id={CHOSEN}", {**values, **chosen})
        browser.get(address, chosen)
    source.refresh_from_db()
    assert source.name == "Mine"
    issued = set(IssuedExternalId.objects.values_list("external_id", flat=True))
    assert CHOSEN not in issued
    assert set(DataSource.objects.values_list("external_id", flat=True)) <= issued


def test_rotating_shows_both_ids_and_policies_that_take_either(browser: Client, source: DataSource) -> None:
    page = text_of(browser.post(f"{LIST}/{source.pk}/external-id/rotate", follow=True))

    source.refresh_from_db()
    assert set(re.findall(r"gl_[a-z2-7]{32}", page)) == {source.external_id, source.pending_external_id}
    policy = text_of(browser.get(setup(source, "role")))
    assert source.external_id in policy
    assert str(source.pending_external_id) in policy
    page = text_of(browser.post(f"{LIST}/{source.pk}/external-id/cancel", follow=True))
    assert set(re.findall(r"gl_[a-z2-7]{32}", page)) == {source.external_id}


def test_a_suspended_source_says_why_and_what_to_do(browser: Client, scope: Scope, source: DataSource) -> None:
    rules.change(scope, source.pk, {"role_arn": ROLE, "bucket": "acme-exports"})
    finish(scope, source, ok=True)
    check = checks.begin_check(scope, source.pk)
    checks.finish_check(check, trusted=False, ok=False, found_region="", doubt="open", reason="It is open to all.")

    page = text_of(browser.get(f"{LIST}/{source.pk}"))
    assert "Suspended" in page
    assert "It is open to all." in page
    overview = text_of(browser.get("/"))
    assert source.name in overview
    assert "Suspended" in overview


def test_the_bucket_owner_is_stored_and_checked(browser: Client, source: DataSource) -> None:
    values = {"role_arn": ROLE, "bucket": "acme-exports", "prefix": "", "region": ""}

    wrong = browser.post(setup(source, "connect"), {**values, "bucket_owner": "Example Corp"})
    browser.post(setup(source, "connect"), {**values, "bucket_owner": OWNER})

    assert wrong.status_code == 422
    source.refresh_from_db()
    assert source.bucket_owner == OWNER
    assert OWNER in text_of(browser.get(f"{LIST}/{source.pk}"))


PAGES = ("", "/setup", "/setup/external-id", "/setup/role", "/setup/connect", "/bucket", "/edit", "/check/panel")


@pytest.mark.parametrize("page", PAGES)
def test_another_organization_finds_nothing(neighbour: Client, source: DataSource, page: str) -> None:
    assert neighbour.get(f"{LIST}/{source.pk}{page}").status_code == 404


def test_an_auditor_reads_and_changes_nothing(auditor: Client, source: DataSource) -> None:
    assert auditor.get(f"{LIST}/{source.pk}").status_code == 200
    assert "Add data source" not in text_of(auditor.get(LIST))
    posts = {
        LIST: {"name": "Mine"},
        setup(source, "role"): {"bucket": "acme-exports"},
        f"{LIST}/{source.pk}/check": {},
        f"{LIST}/{source.pk}/delete": {"confirm": source.name},
        f"{LIST}/{source.pk}/edit": {"name": "Mine"},
        f"{LIST}/{source.pk}/external-id/rotate": {},
        f"{LIST}/{source.pk}/external-id/cancel": {},
    }
    assert {auditor.post(address, values).status_code for address, values in posts.items()} == {403}


def test_what_a_person_named_it_is_escaped(browser: Client, scope: Scope) -> None:
    source = rules.create(scope, "<script>alert(1)</script>")

    for address in (LIST, f"{LIST}/{source.pk}", setup(source, "external-id")):
        assert "<script>alert" not in text_of(browser.get(address))


def test_the_bucket_browser_shows_what_the_bucket_answered(browser: Client, source: DataSource) -> None:
    page = text_of(browser.get(f"{LIST}/{source.pk}/bucket"))

    assert "is not connected" in page
