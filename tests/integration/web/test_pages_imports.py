"""Importing by page: a draft that survives, a mapping that is edited, an import and its settings."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from grantline.control.applications import rules as applications
from grantline.control.imports.models import Draft, Import
from grantline.control.runs.models import Run
from grantline.control.tenancy import Scope
from grantline.jobs.run import carry_out
from tests.forms import fields_of
from tests.integration.web.conftest import signed_in
from tests.integration.web.payroll import Payroll, file_of, make_payroll

pytestmark = pytest.mark.integration

PART: dict[str, Any] = {"HTTP_HX_REQUEST": "true"}
UNKNOWN = b"Kennung;Mail;Rollen\nx1;x1@example.com;A|B\nx2;x2@example.com;A\n"


@pytest.fixture
def payroll(scope: Scope) -> Payroll:
    return make_payroll(scope)


def begin(browser: Client, scope: Scope, content: bytes, name: str = "hr.csv") -> Draft:
    """A draft of a file by hand, made by the page."""
    application = applications.create(scope, "Ledger")
    file = SimpleUploadedFile(name, content)
    response = browser.post(f"/applications/{application.pk}/imports/new/upload", {"file": file})
    assert response.status_code == 302, response.content.decode()
    return Draft.objects.get()


def editor(html: str) -> dict[str, str]:
    """The fields of the mapping editor as a browser would send them."""
    return fields_of(html, "mapping")


def test_new_offers_both_ways_and_what_was_left(browser: Client, scope: Scope) -> None:
    draft = begin(browser, scope, file_of("u1"))
    html = browser.get(f"/applications/{draft.application_id}/imports/new").content.decode()
    assert "From data source" in html
    assert "From file" in html
    assert "hr.csv" in html


def test_upload_of_an_empty_file_says_so(browser: Client, scope: Scope) -> None:
    application = applications.create(scope, "Ledger")
    response = browser.post(
        f"/applications/{application.pk}/imports/new/upload", {"file": SimpleUploadedFile("hr.csv", b"")}
    )
    assert response.status_code == 422
    assert not Draft.objects.exists()


def test_upload_without_a_file_says_so(browser: Client, scope: Scope) -> None:
    application = applications.create(scope, "Ledger")
    response = browser.post(f"/applications/{application.pk}/imports/new/upload")
    assert response.status_code == 422
    assert "There is no file in what was sent" in response.content.decode()


def test_draft_opens_where_it_was_left(browser: Client, scope: Scope) -> None:
    draft = begin(browser, scope, file_of("u1"))
    html = browser.get(f"/imports/drafts/{draft.pk}").content.decode()
    assert "hr.csv" in html
    assert f'hx-get="/imports/drafts/{draft.pk}/preview"' in html


def test_preview_says_what_is_new_and_names_the_button(browser: Client, scope: Scope) -> None:
    draft = begin(browser, scope, file_of("u1", "u2"))
    html = browser.get(f"/imports/drafts/{draft.pk}/preview", **PART).content.decode()
    assert "Import 4 grants" in html
    assert "2 rows read" in html
    assert "Person u1" in html


def test_preview_of_unknown_columns_asks_for_the_account_id(browser: Client, scope: Scope) -> None:
    draft = begin(browser, scope, UNKNOWN)
    html = browser.get(f"/imports/drafts/{draft.pk}/preview", **PART).content.decode()
    assert "Nothing yet: correct what is marked above." in html
    assert "Kennung" in html
    assert 'class="button button--primary button--large"' not in html


def test_mapping_is_edited_and_kept(browser: Client, scope: Scope) -> None:
    draft = begin(browser, scope, UNKNOWN)
    path = f"/imports/drafts/{draft.pk}/preview"
    fields = editor(browser.get(path, **PART).content.decode()) | {"to.0": "account.id", "to.2": "entitlements"}
    html = browser.post(path, fields, **PART).content.decode()
    assert "Import 2 grants" in html
    html = browser.post(path, editor(html) | {"resource_type.2": "role", "split.2": "|"}, **PART).content.decode()
    assert "Import 3 grants" in html
    draft.refresh_from_db()
    assert draft.mapping is not None
    assert draft.mapping["columns"][-1] == {
        "source": "Rollen",
        "to": "entitlements",
        "resource_type": "role",
        "split": "|",
    }


def test_mapping_that_is_refused_is_shown_at_its_column_and_not_kept(browser: Client, scope: Scope) -> None:
    draft = begin(browser, scope, file_of("u1"))
    path = f"/imports/drafts/{draft.pk}/preview"
    fields = editor(browser.get(path, **PART).content.decode()) | {"to.1": "account.id"}
    html = browser.post(path, fields, **PART).content.decode()
    assert html.count("are both mapped to account.id") == 1
    assert "column--error" in html
    draft.refresh_from_db()
    assert draft.mapping is None


def test_mapping_without_script_leads_back_to_the_page(browser: Client, scope: Scope) -> None:
    draft = begin(browser, scope, file_of("u1"))
    path = f"/imports/drafts/{draft.pk}"
    html = browser.get(f"{path}?preview=1").content.decode()
    assert "Import 2 grants" in html
    response = browser.post(f"{path}/preview", editor(html))
    assert response["Location"] == f"{path}?preview=1"


def test_mapping_of_nonsense_is_refused(browser: Client, scope: Scope) -> None:
    draft = begin(browser, scope, file_of("u1"))
    response = browser.post(f"/imports/drafts/{draft.pk}/preview", {"base": "[", "names": "{}"}, **PART)
    assert response.status_code == 422


def test_wrong_encoding_stands_at_its_fact(browser: Client, scope: Scope) -> None:
    draft = begin(browser, scope, "User ID,Full Name\n1,Müller\n".encode("latin-1"))
    path = f"/imports/drafts/{draft.pk}/preview"
    fields = editor(browser.get(path, **PART).content.decode()) | {"file.encoding": "utf-8"}
    html = browser.post(path, fields, **PART).content.decode()
    fact = html.split('id="fact-encoding"')[1].split('id="fact-delimiter"')[0]
    assert "field__error" in fact


def test_finish_makes_the_import_and_leads_to_its_run(browser: Client, scope: Scope) -> None:
    draft = begin(browser, scope, file_of("u1", "u2"))
    response = browser.post(f"/imports/drafts/{draft.pk}/import")
    run = Run.objects.get()
    assert response["Location"] == f"/runs/{run.pk}"
    assert not Draft.objects.exists()
    assert 'hx-trigger="every 1s"' in browser.get(response["Location"]).content.decode()
    carry_out(run.pk)
    part = browser.get(f"/runs/{run.pk}/progress", **PART).content.decode()
    assert "Published version 1" in part
    assert "hx-trigger" not in part


def test_discard_leaves_nothing_but_the_application(browser: Client, scope: Scope) -> None:
    draft = begin(browser, scope, file_of("u1"))
    assert browser.post(f"/imports/drafts/{draft.pk}/discard").status_code == 302
    assert not Draft.objects.exists()


def test_source_of_a_draft_needs_a_data_source(browser: Client, scope: Scope) -> None:
    draft = begin(browser, scope, file_of("u1"))
    response = browser.post(f"/imports/drafts/{draft.pk}/source", {"key": "hr.csv"})
    assert response.status_code == 422
    assert Draft.objects.get().upload_id == draft.upload_id


def test_choose_keeps_source_and_key_in_its_forms(browser: Client, payroll: Payroll) -> None:
    html = browser.get('/imports/new?data_source=src_x&key=a/"><b>.csv').content.decode()
    assert 'name="data_source_id" value="src_x"' in html
    assert 'name="key" value="a/&quot;&gt;&lt;b&gt;.csv"' in html


def test_import_page_says_state_mapping_and_runs(browser: Client, payroll: Payroll) -> None:
    html = browser.get(f"/imports/{payroll.item.pk}").content.decode()
    assert "Healthy. Looked" in html
    assert "Entitlements of type “group”" in html
    assert "Published version 1" in html
    assert "Sync now" not in html


def test_import_takes_a_new_file(browser: Client, payroll: Payroll) -> None:
    file = SimpleUploadedFile("payroll.csv", file_of("u1", "u2", "u/3", "u6"))
    response = browser.post(f"/imports/{payroll.item.pk}/upload", {"file": file})
    run = Run.objects.order_by("-number").first()
    assert run is not None
    assert response["Location"] == f"/runs/{run.pk}"


def test_import_without_a_bucket_cannot_sync(browser: Client, payroll: Payroll) -> None:
    assert browser.post(f"/imports/{payroll.item.pk}/sync").status_code == 409


def test_settings_are_stored_and_wrong_ones_shown_again(browser: Client, payroll: Payroll) -> None:
    path = f"/imports/{payroll.item.pk}/settings"
    form = {"guard_percent": "50", "guard_count": "5", "stale_after_seconds": "86400"}
    assert browser.post(path, form).status_code == 302
    item = Import.objects.get()
    assert (item.guard_share, item.guard_count, item.stale_after_seconds) == (0.5, 5, 86400)
    response = browser.post(path, form | {"guard_percent": "a lot"})
    assert response.status_code == 422
    assert 'value="a lot"' in response.content.decode()


def test_limits_that_are_left_as_they_are_stay_the_organizations(browser: Client, payroll: Payroll) -> None:
    path = f"/imports/{payroll.item.pk}"
    html = browser.get(path).content.decode()
    assert "Inherited from the organization: 20 %." in html
    assert "Inherited from the organization: no limit." in html
    form = fields_of(html, "settings") | {"guard_count": "11", "guard_growth_percent": "150", "retention_days": "0"}
    assert browser.post(f"{path}/settings", form).status_code == 302
    item = Import.objects.get()
    assert (item.guard_share, item.guard_count, item.guard_growth_share, item.retention_days) == (None, 11, 1.5, 0)


def test_looking_into_other_imports_can_be_switched_off(browser: Client, payroll: Payroll) -> None:
    path = f"/imports/{payroll.item.pk}"
    form = fields_of(browser.get(path).content.decode(), "settings")
    browser.post(f"{path}/settings", form | {"looks_in_others": "on"})
    assert Import.objects.get().references == "auto"
    browser.post(f"{path}/settings", {name: text for name, text in form.items() if name != "looks_in_others"})
    assert Import.objects.get().references == "own"


def test_limits_are_the_organizations_again_when_they_are_cleared(browser: Client, payroll: Payroll) -> None:
    path = f"/imports/{payroll.item.pk}"
    limits = {"guard_percent": "50", "guard_count": "5", "guard_growth_percent": "150", "retention_days": "0"}
    browser.post(f"{path}/settings", limits)
    html = browser.get(path).content.decode()
    assert "Its own. Blank: inherited from the organization (20 %)." in html
    form = fields_of(html, "settings")
    assert {name: form[name] for name in limits} == limits
    assert browser.post(f"{path}/settings", form | dict.fromkeys(limits, "")).status_code == 302
    item = Import.objects.get()
    assert (item.guard_share, item.guard_count, item.guard_growth_share, item.retention_days) == (None,) * 4


def test_delete_removes_import_and_history(browser: Client, payroll: Payroll) -> None:
    assert browser.post(f"/imports/{payroll.item.pk}/delete").status_code == 302
    assert not Import.objects.exists()


@pytest.mark.parametrize("rest", ["sync", "pause", "resume", "upload", "settings", "delete"])
def test_auditors_change_nothing(auditor: Client, payroll: Payroll, rest: str) -> None:
    file = SimpleUploadedFile("x.csv", file_of("u1"))
    form = {"guard_percent": "50", "guard_count": "5", "file": file}
    assert auditor.post(f"/imports/{payroll.item.pk}/{rest}", form).status_code == 403


@pytest.mark.parametrize("rest", ["sync", "pause", "resume", "upload", "settings", "delete", "progress", ""])
def test_imports_of_another_organization_are_not_found(neighbour: Client, payroll: Payroll, rest: str) -> None:
    path = f"/imports/{payroll.item.pk}/{rest}".rstrip("/")
    form = {"guard_percent": "50", "guard_count": "5", "file": SimpleUploadedFile("x.csv", file_of("u1"))}
    response = neighbour.get(path) if rest in ("", "progress") else neighbour.post(path, form)
    assert response.status_code == 404


def test_what_changes_something_takes_no_get(browser: Client, payroll: Payroll) -> None:
    for rest in ("sync", "pause", "resume", "upload", "settings", "delete"):
        assert browser.get(f"/imports/{payroll.item.pk}/{rest}").status_code == 405


def test_what_changes_something_needs_the_csrf_token(payroll: Payroll) -> None:
    from grantline.control.organizations.models import User

    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.get(pk=payroll.scope.actor_id))
    assert client.post(f"/imports/{payroll.item.pk}/delete").status_code == 403
    assert Import.objects.exists()


def test_names_of_columns_come_back_whatever_they_hold(browser: Client, scope: Scope) -> None:
    draft = begin(browser, scope, 'User ID,"a ""<b>"" \\u0000 é"\n1,x\n'.encode())
    path = f"/imports/drafts/{draft.pk}/preview"
    fields = editor(browser.get(path, **PART).content.decode())
    assert json.loads(fields["names"]) == ["User ID", 'a "<b>" \\u0000 é']
    name = json.loads(fields["names"])[1]
    browser.post(path, fields | {"to.1": f"profile.{name}"}, **PART)
    draft.refresh_from_db()
    assert draft.mapping is not None
    assert draft.mapping["columns"][1]["source"] == name


def test_owner_of_another_application_prepares_nothing(scope: Scope, payroll: Payroll) -> None:
    from grantline.control.organizations.roles import Role

    owner = signed_in("Example", Role.APPLICATION_OWNER)
    assert owner.get(payroll.path("/imports/new")).status_code == 403
    assert "Import app data" not in owner.get(payroll.path("/imports")).content.decode()
