"""The mapping editor by page: options that come back, YAML, and the mapping of an import that exists."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from grantline.control.audit.models import AuditEvent
from grantline.control.imports import rules
from grantline.control.imports.models import Import, Upload
from grantline.control.organizations.roles import Role
from grantline.control.runs.models import Run, RunState
from grantline.control.tenancy import Scope
from grantline.jobs.fetching import upload_path
from tests.forms import fields_of
from tests.integration.web.conftest import signed_in
from tests.integration.web.payroll import Payroll, file_of, make_payroll
from tests.integration.web.test_pages_imports import PART, begin

pytestmark = pytest.mark.integration

DATED = (
    b"User ID,Mail,Last Login,Active,Roles,Left\n"
    b"u1,u1@example.com,05/03/2026,A,LON:read;NYC:write,\n"
    b"u2,none,06/03/2026,T,LON:read,yes\n"
    b"u3,u3@example.com,never,A,LON:read,\n"
)


@pytest.fixture
def payroll(scope: Scope) -> Payroll:
    return make_payroll(scope)


def part(browser: Client, path: str, fields: dict[str, str] | None = None) -> str:
    """The editor's part, as htmx gets it."""
    response = browser.get(path, **PART) if fields is None else browser.post(path, fields, **PART)
    assert response.status_code == 200, response.content.decode()
    return response.content.decode()


def fields(html: str) -> dict[str, str]:
    return fields_of(html, "mapping")


def test_options_of_columns_and_rows_work_and_come_back(browser: Client, scope: Scope) -> None:
    draft = begin(browser, scope, DATED)
    path = f"/imports/drafts/{draft.pk}/preview"
    chosen: dict[str, Any] = {"to.1": "account.email", "to.2": "account.last_login_at", "to.3": "account.status"}
    html = part(browser, path, fields(part(browser, path)) | chosen | {"to.4": "entitlements"})
    options = {
        "nulls.1": "none",
        "date.2": "%d/%m/%Y",
        "zone.2": "Europe/Berlin",
        "nulls.2": "never",
        "map.3.0.from": "A",
        "map.3.0.to": "enabled",
        "map.3.1.from": "T",
        "map.3.1.to": "disabled",
        "split.4": ";",
        "parts.4": ":",
        "where.0.column": "5",
        "where.0.operator": "empty",
        "constants.0.to": "account.type",
        "constants.0.value": "service",
    }
    html = part(browser, path, fields(html) | {name: value for name, value in options.items() if ".3." not in name})
    first = {"map.3.0.from": "A", "map.3.0.to": "enabled"}
    html = part(browser, path, fields(html) | first)
    html = part(browser, path, fields(html) | {"map.3.1.from": "T", "map.3.1.to": "disabled"})
    shown = fields(html)
    assert {name: shown[name] for name in options} == options
    assert "2 accounts, 3 grants come out" in html
    assert "Import 3 grants" in html
    draft.refresh_from_db()
    assert draft.mapping is not None
    assert draft.mapping["columns"][2] == {
        "source": "Last Login",
        "to": "account.last_login_at",
        "date": "%d/%m/%Y",
        "zone": "Europe/Berlin",
        "nulls": ["never"],
    }
    html = part(browser, path, shown | {"remove": "where.0"})
    assert "3 accounts, 4 grants come out" in html


def test_problem_of_values_stands_at_its_column(browser: Client, scope: Scope) -> None:
    draft = begin(browser, scope, DATED)
    path = f"/imports/drafts/{draft.pk}/preview"
    chosen = {"to.1": "", "to.2": "account.last_login_at", "date.2": "%d/%m/%Y", "to.3": ""}
    html = part(browser, path, fields(part(browser, path)) | chosen)
    column = html.split("What Last Login becomes")[1].split('role="listitem"')[0]
    assert "1 row: " in column
    assert html.count("column__problem ") == 1


def test_column_that_is_not_recognized_is_told_what_can_be_done(browser: Client, scope: Scope) -> None:
    draft = begin(browser, scope, DATED)
    html = part(browser, f"/imports/drafts/{draft.pk}/preview")
    assert "Not recognized. Choose what it becomes, such as an attribute of the account, or leave it out." in html


def test_yaml_is_the_same_mapping_and_says_the_line_of_a_fault(browser: Client, scope: Scope) -> None:
    draft = begin(browser, scope, file_of("u1", "u2"))
    path = f"/imports/drafts/{draft.pk}/preview"
    html = part(browser, path, fields(part(browser, path)) | {"view": "yaml"})
    text = fields(html)["yaml"].replace("\r\n", "\n")
    assert "- {source: User ID, to: account.id}" in text
    wrong = text.replace("to: account.id", "to: account.ID")
    html = part(browser, path, {"yaml": wrong, "view": "yaml"})
    assert "Line 3" in html
    assert "did you mean account.id?" in html
    assert fields(html)["yaml"].replace("\r\n", "\n") == wrong
    right = text.replace("to: account.display_name", "to: profile.name")
    html = part(browser, path, {"yaml": right, "view": "columns"})
    assert fields(html)["to.2"] == "profile.name"
    draft.refresh_from_db()
    assert draft.mapping is not None
    assert draft.mapping["columns"][2]["to"] == "profile.name"


def test_refused_mapping_is_shown_without_script_too(browser: Client, scope: Scope) -> None:
    draft = begin(browser, scope, file_of("u1"))
    path = f"/imports/drafts/{draft.pk}/preview"
    response = browser.post(path, fields(part(browser, path)) | {"pattern.0": "("})
    assert response.status_code == 422
    html = response.content.decode()
    assert "is not a regular expression (RE2)" in html
    assert "<h1" in html
    assert "Import 2 grants" not in html


def test_mapping_of_an_import_is_looked_at_changed_and_saved(browser: Client, payroll: Payroll) -> None:
    path = f"/imports/{payroll.item.pk}/mapping"
    assert "Edit mapping" in browser.get(f"/imports/{payroll.item.pk}").content.decode()
    assert f'hx-get="{path}"' in browser.get(path).content.decode()
    html = part(browser, path)
    assert "Person u1" in html
    changed = fields(html) | {"to.2": "profile.name", "where.0.column": "0", "where.0.operator": "differs"}
    html = part(browser, path, changed | {"where.0.values": "u4"})
    assert "compared with version 1" in html
    row = html.split('<th scope="row">Accounts</th>')[1].split("</tr>")[0]
    assert [cell.rpartition(">")[2] for cell in row.split("</td>")[:3]] == ["0", "1", "3"]
    payroll.item.refresh_from_db()
    assert payroll.item.mapping == {}
    response = browser.post(path, fields(html) | {"save": "1"}, **PART)
    assert response["HX-Redirect"] == f"/imports/{payroll.item.pk}"
    payroll.item.refresh_from_db()
    assert payroll.item.mapping["columns"][2] == {"source": "Full Name", "to": "profile.name"}
    event = AuditEvent.objects.get(action="import:change")
    assert (event.before["mapping"], event.after["mapping"]) == ({}, payroll.item.mapping)
    run = payroll.upload(file_of("u1", "u2", "u/3", "u4"))
    assert (run.state, run.mapping) == (RunState.PUBLISHED, payroll.item.mapping)
    assert run.changes["accounts"] == {"added": 0, "removed": 1, "changed": 3}


def test_guard_judges_a_mapping_that_would_remove_too_much(browser: Client, payroll: Payroll) -> None:
    path = f"/imports/{payroll.item.pk}/mapping"
    fewer = {"where.0.column": "0", "where.0.operator": "equals", "where.0.values": "u1"}
    html = part(browser, path, fields(part(browser, path)) | fewer)
    assert "It will be held" in html
    assert browser.post(path, fields(html) | {"save": "1"})["Location"] == f"/imports/{payroll.item.pk}"
    run = payroll.upload(file_of("u1", "u2", "u/3", "u4"))
    assert run.state == RunState.HELD


def test_mapping_that_is_refused_is_not_saved(browser: Client, payroll: Payroll) -> None:
    path = f"/imports/{payroll.item.pk}/mapping"
    response = browser.post(path, fields(part(browser, path)) | {"to.1": "account.id", "save": "1"})
    assert response.status_code == 422
    assert "are both mapped to account.id" in response.content.decode()
    payroll.item.refresh_from_db()
    assert payroll.item.mapping == {}


def test_mapping_can_be_saved_where_the_file_cannot_be_read(browser: Client, payroll: Payroll) -> None:
    upload_path(Upload.objects.get()).unlink()
    path = f"/imports/{payroll.item.pk}/mapping"
    html = part(browser, path)
    assert "The file cannot be read now" in html
    yaml = "version: 1\ncolumns:\n- {source: Id, to: account.id}\n"
    html = part(browser, path, {"yaml": yaml, "view": "yaml", "stored": fields(html)["stored"]})
    assert "Save it all the same" in html
    assert browser.post(path, fields(html) | {"save": "1"}).status_code == 302
    payroll.item.refresh_from_db()
    assert payroll.item.mapping == {"version": 1, "columns": [{"source": "Id", "to": "account.id"}]}
    html = part(browser, path)
    assert fields(html)["to.0"] == "account.id"


def test_mapping_that_somebody_else_changed_meanwhile_is_not_overwritten(browser: Client, payroll: Payroll) -> None:
    path = f"/imports/{payroll.item.pk}/mapping"
    mine = fields(part(browser, path)) | {"to.2": ""}
    rules.change(payroll.scope, payroll.item.pk, {"mapping": {"version": 1, "mode": "delta"}})
    response = browser.post(path, mine | {"save": "1"})
    assert response.status_code == 422
    assert "Somebody else has changed this mapping meanwhile" in response.content.decode()
    assert Import.objects.get().mapping["mode"] == "delta"


def test_headers_are_recognized_again_where_the_mapping_is_forgotten(browser: Client, payroll: Payroll) -> None:
    rules.change(payroll.scope, payroll.item.pk, {"mapping": {"version": 1, "file": {"delimiter": ","}}})
    path = f"/imports/{payroll.item.pk}/mapping"
    assert browser.post(path, fields(part(browser, path)) | {"forget": "1"}).status_code == 302
    assert Import.objects.get().mapping == {}


def test_mapping_of_a_very_wide_file_is_one_form(browser: Client, scope: Scope) -> None:
    names = ["User ID", *(f"c{number}" for number in range(1, 400))]
    draft = begin(browser, scope, (",".join(names) + "\n" + ",".join("x" * 400) + "\n").encode())
    path = f"/imports/drafts/{draft.pk}/preview"
    options = [f"{option}.{number}" for option in ("nulls", "pattern", "date", "zone") for number in range(1, 400)]
    html = part(browser, path, fields(part(browser, path)) | dict.fromkeys(options, ""))
    assert "Import 1 account" in html


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.APPLICATION_OWNER])
def test_who_may_not_change_the_import_may_not_edit_its_mapping(payroll: Payroll, role: Role) -> None:
    client = signed_in("Example", role)
    path = f"/imports/{payroll.item.pk}/mapping"
    assert client.get(path).status_code == 403
    assert client.post(path, {"yaml": "", "save": "1"}).status_code == 403
    assert "Edit mapping" not in client.get(f"/imports/{payroll.item.pk}").content.decode()


def test_versions_have_no_empty_column_where_there_is_but_one(browser: Client, payroll: Payroll) -> None:
    path = f"/imports/{payroll.item.pk}/versions"
    assert "Go back to" not in browser.get(path).content.decode()
    payroll.upload(file_of("u1", "u2", "u/3", "u4", "u5"))
    assert 'aria-label="Go back to version 1"' in browser.get(path).content.decode()
    assert Run.objects.count() == 2
