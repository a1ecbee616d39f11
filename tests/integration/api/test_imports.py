"""Applications and their imports through the API."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.api.conftest import House
from tests.integration.api.things import make_things

pytestmark = pytest.mark.integration

MAPPING = {"version": 1, "columns": [{"source": "User ID", "to": "account.id"}]}


@pytest.fixture
def things(house: House) -> dict[str, str]:
    return make_things(house.admin_scope)


def test_an_application_is_made_changed_and_deleted(house: House) -> None:
    made = house.admin.post("/applications", {"name": "Payroll", "owner_email": house.owner_email})
    assert made.status_code == 201
    assert made.document["owner_email"] == house.owner_email
    assert made.document["counts"] == {"accounts": 0, "resources": 0, "entitlements": 0, "grants": 0}
    path = f"/applications/{made.document['id']}"
    assert house.admin.patch(path, {"name": "Pay"}).document["name"] == "Pay"
    assert house.admin.delete(path).status_code == 204
    assert house.admin.get(path).status_code == 404


def test_an_application_counts_what_its_imports_hold(house: House, things: dict[str, str]) -> None:
    document = house.auditor.get(f"/applications/{things['application_id']}").document
    assert document["import_count"] == 1
    assert document["counts"] == {"accounts": 3, "resources": 1, "entitlements": 2, "grants": 5}


def test_an_application_with_imports_is_not_deleted(house: House, things: dict[str, str]) -> None:
    answer = house.admin.delete(f"/applications/{things['application_id']}")
    assert answer.status_code == 409
    assert answer.document["code"] == "conflict"


def test_an_owner_manages_only_what_they_own(house: House, things: dict[str, str]) -> None:
    theirs = house.admin.post("/applications", {"name": "Own", "owner_email": house.owner_email}).document
    body = {"data_source_id": things["source_id"], "key": "own.csv"}
    assert house.owner.post(f"/applications/{theirs['id']}/imports", body).status_code == 201
    assert house.owner.post(f"/applications/{things['application_id']}/imports", body).status_code == 403


def test_an_import_reads_a_key_with_a_mapping(house: House, things: dict[str, str]) -> None:
    answer = house.admin.post(
        f"/applications/{things['application_id']}/imports",
        {
            "data_source_id": things["source_id"],
            "key": "hr/a b+c.csv",
            "mapping": MAPPING,
            "interval_seconds": 7200,
            "guard_share": 0.5,
            "guard_count": 3,
            "stale_after_seconds": 86400,
            "references": "own",
        },
    )
    assert answer.status_code == 201, answer.content
    document = answer.document
    assert document["key"] == "hr/a b+c.csv"
    assert document["pattern"] is None
    assert document["mapping"] == MAPPING
    assert document["state"] == "new"
    assert document["state_sentence"].startswith("New.")
    assert document["next_run_at"].endswith("Z")
    assert (document["interval_seconds"], document["guard_share"], document["guard_count"]) == (7200, 0.5, 3)
    assert document["current_version"] is None
    assert document["references"] == "own"
    assert house.auditor.get(f"/imports/{document['id']}").document == document


def test_an_import_reads_a_pattern(house: House, things: dict[str, str]) -> None:
    body = {"data_source_id": things["source_id"], "pattern": "exports/hr-*.csv"}
    answer = house.admin.post(f"/applications/{things['application_id']}/imports", body)
    assert answer.document["pattern"] == "exports/hr-*.csv"
    assert answer.document["key"] is None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "key"),
        ({"key": "a.csv", "pattern": "b*.csv"}, "pattern"),
        ({"pattern": "no-star.csv"}, "pattern"),
        ({"key": ""}, "key"),
        ({"key": None}, "key"),
        ({"key": 3}, "key"),
        ({"key": "a.csv", "interval_seconds": 1}, "interval_seconds"),
        ({"key": "a.csv", "interval_seconds": "3600"}, "interval_seconds"),
        ({"key": "a.csv", "interval_seconds": 3600.5}, "interval_seconds"),
        ({"key": "a.csv", "guard_share": 2}, "guard_share"),
        ({"key": "a.csv", "guard_share": True}, "guard_share"),
        ({"key": "a.csv", "guard_count": -1}, "guard_count"),
        ({"key": "a.csv", "mapping": "text"}, "mapping"),
        ({"key": "a.csv", "references": "all"}, "references"),
    ],
)
def test_a_wrong_field_of_an_import_is_named(
    house: House, things: dict[str, str], body: dict[str, Any], field: str
) -> None:
    answer = house.admin.post(
        f"/applications/{things['application_id']}/imports", {"data_source_id": things["source_id"], **body}
    )
    assert answer.status_code == 422
    assert field in [error["field"] for error in answer.document["errors"]]


def test_a_wrong_mapping_is_refused_with_its_code(house: House, things: dict[str, str]) -> None:
    mapping = {"version": 1, "columns": [{"source": "x", "to": "acount.id"}]}
    answer = house.admin.patch(f"/imports/{things['import_id']}", {"mapping": mapping})
    assert answer.status_code == 422
    assert answer.document["code"] == "mapping_invalid"
    assert "account.id" in answer.document["detail"]
    for file in ({"file": {"delimiter": "long"}}, {"sources": [{"sheet": "A", "file": {"delimiter": "long"}}]}):
        answer = house.admin.patch(f"/imports/{things['import_id']}", {"mapping": {"version": 1, **file}})
        assert (answer.status_code, answer.document["code"]) == (422, "mapping_invalid")


def test_an_import_by_hand_needs_a_key_before_it_reads_a_bucket(house: House, things: dict[str, str]) -> None:
    made = house.admin.post(f"/applications/{things['application_id']}/imports", {}).document
    path = f"/imports/{made['id']}"
    assert house.admin.patch(path, {"data_source_id": things["source_id"]}).status_code == 422
    changed = house.admin.patch(path, {"data_source_id": things["source_id"], "key": "a.csv"})
    assert changed.status_code == 200
    assert house.admin.post(f"/imports/{made['id']}/preview", {"mapping": {}}).status_code == 409


def test_pause_and_resume(house: House, things: dict[str, str]) -> None:
    made = house.admin.post(
        f"/applications/{things['application_id']}/imports", {"data_source_id": things["source_id"], "key": "a.csv"}
    ).document
    paused = house.admin.post(f"/imports/{made['id']}/pause")
    assert (paused.status_code, paused.document["paused"], paused.document["state"]) == (200, True, "paused")
    assert paused.document["next_run_at"] is None
    resumed = house.admin.post(f"/imports/{made['id']}/resume", {}).document
    assert resumed["paused"] is False
    assert resumed["next_run_at"] is not None


def test_sync_queues_one_run(house: House, things: dict[str, str]) -> None:
    first = house.admin.post(f"/imports/{things['import_id']}/sync")
    assert first.status_code == 202
    assert (first.document["state"], first.document["trigger"]) == ("queued", "api")
    again = house.admin.post(f"/imports/{things['import_id']}/sync", {})
    assert (again.status_code, again.document["id"]) == (202, first.document["id"])
    assert house.auditor.get(f"/imports/{things['import_id']}").document["state"] == "held"


def test_sync_of_an_import_by_hand_says_what_to_do(house: House, things: dict[str, str]) -> None:
    made = house.admin.post(f"/applications/{things['application_id']}/imports", {}).document
    answer = house.admin.post(f"/imports/{made['id']}/sync")
    assert answer.status_code == 409
    assert "Upload" in answer.document["remedy"]


def test_an_import_shows_its_current_version(house: House, things: dict[str, str]) -> None:
    document = house.auditor.get(f"/applications/{things['application_id']}/imports").document["items"][0]
    assert document["current_version"]["number"] == 1
    assert document["current_version"]["counts"]["grants"] == 5
    assert house.auditor.get("/imports").document["items"] == [document]


def test_delete_takes_the_runs_along(house: House, things: dict[str, str]) -> None:
    assert house.admin.delete(f"/imports/{things['import_id']}").status_code == 204
    assert house.admin.get(f"/runs/{things['run_id']}").status_code == 404
