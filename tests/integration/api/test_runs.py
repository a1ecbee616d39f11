"""Runs, their issues, the decision about a held one, the audit log and tokens through the API."""

from __future__ import annotations

import pytest

from grantline.control.imports.models import Import
from grantline.control.runs.models import Run, RunState
from tests.integration.api.conftest import House
from tests.integration.api.things import make_issues, make_run, make_things

pytestmark = pytest.mark.integration


@pytest.fixture
def things(house: House) -> dict[str, str]:
    return make_things(house.admin_scope)


def test_a_published_run_names_its_version(house: House, things: dict[str, str]) -> None:
    runs = house.auditor.get(f"/imports/{things['import_id']}/runs").document["items"]
    assert [run["number"] for run in runs] == [2, 1]
    assert [run["state"] for run in runs] == ["held", "published"]
    assert [run["version"] for run in runs] == [None, 1]
    assert runs[0]["import_id"] == things["import_id"]
    assert runs[0]["application_id"] == things["application_id"]
    assert house.auditor.get(f"/runs/{runs[1]['id']}").document == runs[1]


def test_changes_are_told_per_kind(house: House, things: dict[str, str]) -> None:
    item = Import.objects.get(pk=things["import_id"])
    run = make_run(item, 3, RunState.UNCHANGED, changes={"accounts": {"added": 2, "removed": 1, "changed": 0}})
    document = house.auditor.get(f"/runs/{run.pk}").document
    assert document["changes"]["accounts"] == {"added": 2, "removed": 1, "changed": 0}
    assert document["changes"]["grants"] == {"added": 0, "removed": 0, "changed": 0}


def test_all_runs_come_newest_first(house: House, neighbour: House, things: dict[str, str]) -> None:
    make_things(neighbour.admin_scope)
    runs = house.auditor.get("/runs").document
    assert [run["number"] for run in runs["items"]] == [2, 1]
    assert runs["next"] is None


def test_issues_come_in_file_order_and_by_code(house: House, things: dict[str, str]) -> None:
    make_issues(Run.objects.get(pk=things["run_id"]), 5)
    path = f"/runs/{things['run_id']}/issues"
    assert [issue["row"] for issue in house.auditor.get(path).document["items"]] == [1, 2, 3, 4, 5]
    chosen = house.auditor.get(f"{path}?code=row_width").document["items"]
    assert [issue["row"] for issue in chosen] == [2, 4]
    assert chosen[0]["column"] == "Email Address"
    assert chosen[0]["cell"] is None
    assert house.auditor.get(f"{path}?code=nonsense").status_code == 422


def test_the_row_of_an_issue_comes_where_it_is_asked_for(house: House, things: dict[str, str]) -> None:
    run = Run.objects.get(pk=things["run_id"])
    make_issues(run, 2)
    run.issues.filter(ordinal=1).update(record=[["User ID", "x99"], ["Email Address", "not an address"]])
    path = f"/runs/{run.pk}/issues"
    assert [issue["record"] for issue in house.auditor.get(path).document["items"]] == [None, None]
    assert [issue["record"] for issue in house.auditor.get(f"{path}?record=true").document["items"]] == [
        [{"column": "User ID", "text": "x99"}, {"column": "Email Address", "text": "not an address"}],
        None,
    ]


def test_discard_says_who_and_why(house: House, things: dict[str, str]) -> None:
    answer = house.admin.post(f"/runs/{things['run_id']}/discard", {"reason": "The file was cut."})
    assert answer.status_code == 200
    assert answer.document["state"] == "discarded"
    assert answer.document["decided_reason"] == "The file was cut."
    again = house.admin.post(f"/runs/{things['run_id']}/discard")
    assert (again.status_code, again.document["code"]) == (409, "conflict")


def test_discard_needs_no_body(house: House, things: dict[str, str]) -> None:
    assert house.admin.post(f"/runs/{things['run_id']}/discard").document["state"] == "discarded"


def test_approve_needs_a_reason(house: House, things: dict[str, str]) -> None:
    for body in ({}, {"reason": ""}, {"reason": None}, None):
        answer = house.admin.post(f"/runs/{things['run_id']}/approve", body)
        assert answer.status_code == 422
        assert answer.document["errors"][0]["field"] in ("reason", "body")
    assert Run.objects.get(pk=things["run_id"]).state == "held"


def test_the_audit_log_is_for_those_who_may_read_it(house: House, things: dict[str, str]) -> None:
    house.admin.post("/applications", {"name": "Recorded"})
    events = house.auditor.get("/audit-events?limit=1").document["items"]
    assert [event["action"] for event in events] == ["application:create"]
    assert events[0]["subject_name"] == "Recorded"
    assert events[0]["via"] == "token"
    assert events[0]["id"].startswith("evt_")
    assert house.owner.get("/audit-events").status_code == 403


def test_a_token_is_shown_once(house: House) -> None:
    made = house.auditor.post("/tokens", {"name": "export job", "days": 30})
    assert made.status_code == 201
    assert made.document["token"].startswith("glt_")
    assert made.document["role"] == "auditor"
    assert made.headers["Cache-Control"] == "no-store"
    listed = house.auditor.get("/tokens").document["items"]
    assert listed[0]["name"] == "export job"
    assert "token" not in listed[0]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "x", "role": "super_administrator"}, "role"),
        ({"name": "x", "role": "king"}, "role"),
        ({"name": "x", "days": 0}, "days"),
        ({"name": ""}, "name"),
    ],
)
def test_a_token_never_allows_more_than_its_maker(house: House, body: dict[str, object], field: str) -> None:
    answer = house.auditor.post("/tokens", body)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.document["errors"]] == [field]


def test_a_token_of_somebody_else_is_not_revoked_by_an_auditor(house: House) -> None:
    token_id = house.admin.get("/tokens").document["items"][0]["id"]
    admins = [t for t in house.admin.get("/tokens").document["items"] if t["role"] == "super_administrator"]
    assert token_id
    assert house.auditor.delete(f"/tokens/{admins[0]['id']}").status_code == 403
