"""A file by hand, from the upload to the catalog, through the API."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.integration.api.conftest import House
from tests.integration.api.things import make_things

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]

FIRST = b"""User ID,Full Name,Email Address,Groups
u1,Ada Sample,ada@example.com,"Admins,Staff"
u2,Ben Sample,ben@example.com,Staff
u3,Cleo Sample,cleo@example.com,Staff
"""
SECOND = FIRST.replace(b'"Admins,Staff"', b"Staff").replace(b"u3,Cleo Sample", b"u3,Cleo Example")


@pytest.fixture(autouse=True)
def own_folders(settings: Any, tmp_path: Any) -> None:
    """A lake and uploads of this test's own."""
    from dataclasses import replace

    settings.GRANTLINE = replace(settings.GRANTLINE, data_dir=tmp_path)


def send(house: House, content: bytes, application_id: str, **fields: str) -> Any:
    file = SimpleUploadedFile("people.csv", content, content_type="text/csv")
    return house.admin.upload(f"/applications/{application_id}/uploads", {"file": file, **fields})


def carry_out(answer: Any) -> None:
    """Do what a worker does with the run."""
    from grantline.jobs.run import carry_out

    assert answer.status_code == 202, answer.content
    carry_out(answer.document["run"]["id"])


@pytest.fixture
def application_id(house: House) -> str:
    made: str = house.admin.post("/applications", {"name": "Payroll"}).document["id"]
    return made


def test_an_upload_makes_an_import_and_a_run(house: House, application_id: str) -> None:
    answer = send(house, FIRST, application_id)
    assert answer.status_code == 202
    assert answer.document["run"]["state"] == "queued"
    assert answer.document["run"]["trigger"] == "upload"
    assert answer.document["import"]["data_source_id"] is None
    assert answer.document["import"]["id"] == answer.document["run"]["import_id"]


def test_an_upload_ends_in_the_catalog(house: House, application_id: str) -> None:
    answer = send(house, FIRST, application_id)
    carry_out(answer)
    run = house.auditor.get(f"/runs/{answer.document['run']['id']}").document
    assert (run["state"], run["version"], run["error"]) == ("published", 1, None)
    assert run["changes"]["accounts"]["added"] == 3
    accounts = house.auditor.get(f"/applications/{application_id}/accounts").document["items"]
    assert [account["id"] for account in accounts] == ["u1", "u2", "u3"]
    assert accounts[0]["email"] == "ada@example.com"
    assert accounts[0]["since"]["version"] == 1
    assert accounts[0]["since"]["run_id"] == run["id"]
    assert accounts[0]["since"]["at"].endswith("Z")


def test_entitlements_and_grants_name_each_other(house: House, application_id: str) -> None:
    carry_out(send(house, FIRST, application_id))
    entitlements = house.auditor.get(f"/applications/{application_id}/entitlements").document["items"]
    members = {(item["resource"] or item["entitlement"]): (item["id"], item["members"]) for item in entitlements}
    assert {name: count for name, (_, count) in members.items()} == {"Admins": 1, "Staff": 3}
    path = f"/applications/{application_id}/grants"
    assert len(house.auditor.get(path).document["items"]) == 4
    admins = house.auditor.get(f"{path}?entitlement={members['Admins'][0]}").document["items"]
    assert [(grant["account"], grant["entitlement_id"]) for grant in admins] == [("u1", members["Admins"][0])]
    assert len(house.auditor.get(f"{path}?account=u1").document["items"]) == 2


def test_pages_of_the_catalog(house: House, application_id: str) -> None:
    carry_out(send(house, FIRST, application_id))
    path = f"/applications/{application_id}/accounts?limit=2"
    first = house.auditor.get(path).document
    second = house.auditor.get(f"{path}&cursor={first['next']}").document
    assert [account["id"] for account in first["items"] + second["items"]] == ["u1", "u2", "u3"]
    assert second["next"] is None


def test_a_search_finds_a_part_of_a_name(house: House, application_id: str) -> None:
    carry_out(send(house, FIRST, application_id))
    found = house.auditor.get(f"/applications/{application_id}/accounts?search=BEN").document["items"]
    assert [account["id"] for account in found] == ["u2"]


def test_changes_and_the_past(house: House, application_id: str) -> None:
    first = send(house, FIRST, application_id)
    carry_out(first)
    then = house.auditor.get(f"/runs/{first.document['run']['id']}").document["finished_at"]
    second = send(house, SECOND, application_id, import_id=first.document["import"]["id"])
    carry_out(second)
    path = f"/applications/{application_id}"
    changes = house.auditor.get(f"{path}/changes").document["items"]
    assert {(change["kind"], change["op"], change["account"]) for change in changes} >= {
        ("account", "changed", "u3"),
        ("grant", "removed", "u1"),
    }
    assert len({change["id"] for change in changes}) == len(changes)
    only = house.auditor.get(f"{path}/changes?kind=account&since={then}").document["items"]
    assert [(change["account"], change["op"]) for change in only] == [("u3", "changed")]
    assert len(house.auditor.get(f"{path}/grants").document["items"]) == 3
    assert len(house.auditor.get(f"{path}/grants?as_of={then}").document["items"]) == 4


def test_a_mapping_comes_with_the_upload(house: House, application_id: str) -> None:
    mapping = {"version": 1, "columns": [{"source": "Login", "to": "account.id"}]}
    answer = send(house, b"Login\nu9\n", application_id, mapping=json.dumps(mapping))
    assert answer.document["import"]["mapping"] == mapping
    carry_out(answer)
    accounts = house.auditor.get(f"/applications/{application_id}/accounts").document["items"]
    assert [account["id"] for account in accounts] == ["u9"]


def test_a_wrong_mapping_is_refused(house: House, application_id: str) -> None:
    answer = send(house, FIRST, application_id, mapping="columns: [{source: a, to: nowhere}]")
    assert (answer.status_code, answer.document["code"]) == (422, "mapping_invalid")


def test_an_empty_file_is_refused(house: House, application_id: str) -> None:
    answer = send(house, b"", application_id)
    assert answer.status_code == 422
    assert answer.document["code"] == "file_empty"


def test_an_upload_without_a_file_names_the_field(house: House, application_id: str) -> None:
    answer = house.admin.upload(f"/applications/{application_id}/uploads", {"name": "x"})
    assert answer.status_code == 422
    assert "file" in [error["field"] for error in answer.document["errors"]]


def test_an_upload_that_is_no_form_is_refused(house: House, application_id: str) -> None:
    answer = house.admin.post(f"/applications/{application_id}/uploads", FIRST, content_type="text/csv")
    assert (answer.status_code, answer.document["code"]) == (415, "media_type_unsupported")
    broken = house.admin.post(
        f"/applications/{application_id}/uploads", b"--x", content_type="multipart/form-data; boundary=y y"
    )
    assert broken.status_code in (400, 422)


def test_an_upload_into_an_import_of_a_bucket_is_refused(house: House) -> None:
    things = make_things(house.admin_scope)
    answer = send(house, FIRST, things["application_id"], import_id=things["import_id"])
    assert answer.status_code == 409


@pytest.mark.parametrize("kind", ["accounts", "entitlements", "grants", "changes"])
def test_an_application_without_versions_has_empty_lists(house: House, application_id: str, kind: str) -> None:
    answer = house.auditor.get(f"/applications/{application_id}/{kind}")
    assert (answer.status_code, answer.document) == (200, {"items": [], "next": None})


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("accounts?as_of=yesterday", "as_of"),
        ("accounts?as_of=2026-03-01T00:00:00", "as_of"),
        ("changes?since=2026-03-01T00:00:00", "since"),
        ("changes?kind=person", "kind"),
        ("changes?until=2026-03-01T00:00:00Z&as_of=2026-03-01T00:00:00Z", "as_of"),
        ("accounts?search=%00", "search"),
    ],
)
def test_a_wrong_question_is_refused(house: House, application_id: str, query: str, field: str) -> None:
    answer = house.auditor.get(f"/applications/{application_id}/{query}")
    assert answer.status_code == 422
    assert [error["field"] for error in answer.document["errors"]] == [field]


@pytest.mark.parametrize("text", ['["\\ud800"]', '["\\u0000"]', "[null]", "[[]]", '["%"]', "{}", "1e999"])
def test_hostile_cursors_and_keys_break_nothing(house: House, application_id: str, text: str) -> None:
    import base64

    carry_out(send(house, FIRST, application_id))
    packed = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
    three = base64.urlsafe_b64encode(f"[{', '.join([text[1:-1] or '1'] * 3)}]".encode()).decode().rstrip("=")
    for kind in ("accounts", "entitlements", "grants", "changes"):
        for cursor in (packed, three):
            assert house.auditor.get(f"/applications/{application_id}/{kind}?cursor={cursor}").status_code in (200, 422)
    for query in (f"grants?entitlement={three}", f"changes?entitlement={three}", "grants?account=%F0%9F%92%A9"):
        assert house.auditor.get(f"/applications/{application_id}/{query}").status_code in (200, 404, 422)
