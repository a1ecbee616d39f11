"""Data sources through the API."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.integration.api.conftest import House

pytestmark = pytest.mark.integration

ROLE = "arn:aws:iam::222222222222:role/GrantlineIntegration"


def make(house: House, name: str = "Exports") -> Any:
    return house.admin.post("/data-sources", {"name": name}).document


def test_create_answers_the_external_id_and_the_trust_policy(house: House) -> None:
    answer = house.admin.post("/data-sources", {"name": "Exports"})
    assert answer.status_code == 201
    made = answer.document
    assert made["id"].startswith("src_")
    assert made["state"] == "awaiting_role"
    statement = made["trust_policy"]["Statement"][0]
    assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": made["external_id"]}}
    assert statement["Principal"] == {"AWS": "arn:aws:iam::111111111111:role/grantline-service"}


def test_the_external_id_survives_reading_and_changing(house: House) -> None:
    made = make(house)
    changed = house.admin.patch(
        f"/data-sources/{made['id']}",
        {"role_arn": ROLE, "bucket": "acme-exports", "prefix": "hr/", "region": "eu-central-1"},
    )
    assert changed.status_code == 200
    assert changed.document["role_arn"] == ROLE
    assert changed.document["bucket"] == "acme-exports"
    assert changed.document["external_id"] == made["external_id"]
    assert house.admin.get(f"/data-sources/{made['id']}").document == changed.document


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_an_external_id_is_never_taken(house: House, method: str) -> None:
    path = "/data-sources" if method == "POST" else f"/data-sources/{make(house)['id']}"
    answer = house.admin.send(method, path, {"name": "Mine", "external_id": "gl_chosen"})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.document["errors"]] == ["external_id"]
    assert "never taken" in answer.document["remedy"]


def test_every_wrong_field_is_named(house: House) -> None:
    made = make(house)
    answer = house.admin.patch(f"/data-sources/{made['id']}", {"role_arn": "nonsense", "bucket": "A"})
    assert answer.status_code == 422
    assert {error["field"] for error in answer.document["errors"]} == {"role_arn", "bucket"}
    assert house.admin.get(f"/data-sources/{made['id']}").document["bucket"] is None


def test_null_takes_a_value_away(house: House) -> None:
    path = f"/data-sources/{make(house)['id']}"
    house.admin.patch(path, {"prefix": "hr/"})
    assert house.admin.patch(path, {"prefix": None}).document["prefix"] is None


@pytest.mark.parametrize("format", ["cloudformation", "terraform", "cli"])
def test_policies_as_text_hold_the_external_id(house: House, format: str) -> None:
    made = make(house)
    answer = house.admin.get(f"/data-sources/{made['id']}/policies?format={format}")
    assert answer.status_code == 200
    assert answer.document["format"] == format
    assert made["external_id"] in answer.document["text"]


def test_the_quick_create_link_is_offered_where_a_template_is_named(house: House, settings: Any) -> None:
    made = make(house)
    path = f"/data-sources/{made['id']}"
    house.admin.patch(path, {"bucket": "acme-exports", "prefix": "hr/"})
    assert house.admin.get(f"{path}/policies?format=cloudformation").document["quick_create_url"] is None
    url = "https://acme-public.s3.eu-west-1.amazonaws.com/grantline-role.yaml"
    settings.GRANTLINE = replace(settings.GRANTLINE, template_url=url)
    link = house.admin.get(f"{path}/policies?format=cloudformation").document["quick_create_url"]
    assert link.startswith("https://console.aws.amazon.com/cloudformation/home?region=us-east-1#/stacks/quickcreate?")
    assert f"param_ExternalId={made['external_id']}&" in link
    assert house.admin.get(f"{path}/policies?format=cli").document["quick_create_url"] is None


def test_policies_as_documents(house: House) -> None:
    made = make(house)
    house.admin.patch(f"/data-sources/{made['id']}", {"bucket": "acme-exports"})
    answer = house.auditor.get(f"/data-sources/{made['id']}/policies?format=json").document
    assert answer["role_name"] == "GrantlineIntegration"
    assert answer["policy_name"] == "GrantlinePermissions"
    assert answer["trust_policy"] == made["trust_policy"]
    assert "arn:aws:s3:::acme-exports/*" in str(answer["permission_policy"])


def test_policies_in_an_unknown_format_are_refused(house: House) -> None:
    answer = house.admin.get(f"/data-sources/{make(house)['id']}/policies?format=xml")
    assert answer.status_code == 422
    assert answer.document["errors"][0]["field"] == "format"


def test_verify_without_a_role_says_what_is_missing(house: House) -> None:
    answer = house.admin.post(f"/data-sources/{make(house)['id']}/verify")
    assert answer.status_code == 422
    assert answer.document["errors"][0]["field"] == "role_arn"


def test_objects_of_a_source_that_is_not_connected_are_not_listed(house: House) -> None:
    answer = house.admin.get(f"/data-sources/{make(house)['id']}/objects?prefix=hr/")
    assert answer.status_code == 409
    assert "connection check" in answer.document["remedy"]


def test_delete_leaves_no_way_back(house: House) -> None:
    path = f"/data-sources/{make(house)['id']}"
    assert house.admin.delete(path).status_code == 204
    assert house.admin.get(path).status_code == 404


def test_a_name_taken_is_refused(house: House) -> None:
    make(house)
    answer = house.admin.post("/data-sources", {"name": "Exports"})
    assert answer.status_code == 422
    assert answer.document["errors"][0]["field"] == "name"


def test_rotating_shows_both_ids_until_it_is_cancelled(house: House) -> None:
    made = make(house)
    path = f"/data-sources/{made['id']}"
    assert made["pending_external_id"] is None
    rotated = house.admin.post(f"{path}/external-id/rotate").document
    assert rotated["external_id"] == made["external_id"]
    assert rotated["pending_external_id"] not in (None, made["external_id"])
    accepted = rotated["trust_policy"]["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"]
    assert accepted == [rotated["external_id"], rotated["pending_external_id"]]
    assert house.admin.post(f"{path}/external-id/rotate").document == rotated
    cancelled = house.admin.post(f"{path}/external-id/cancel").document
    assert cancelled == house.admin.get(path).document == made


@pytest.mark.parametrize("verb", ["rotate", "cancel"])
def test_rotating_takes_no_id(house: House, verb: str) -> None:
    path = f"/data-sources/{make(house)['id']}/external-id/{verb}"
    answer = house.admin.post(path, {"external_id": "gl_" + "a" * 32})
    assert answer.status_code == 422


def test_the_bucket_owner_is_twelve_digits_or_nothing(house: House) -> None:
    path = f"/data-sources/{make(house)['id']}"
    assert house.admin.patch(path, {"bucket_owner": "333333333333"}).document["bucket_owner"] == "333333333333"
    wrong = house.admin.patch(path, {"bucket_owner": "3333-3333-3333"})
    assert wrong.status_code == 422
    assert wrong.document["errors"][0]["field"] == "bucket_owner"
    assert house.admin.patch(path, {"bucket_owner": None}).document["bucket_owner"] is None


def test_versions_and_a_kms_key_widen_the_policies(house: House) -> None:
    path = f"/data-sources/{make(house)['id']}"
    key = "arn:aws:kms:eu-west-1:222222222222:key/00000000-0000-0000-0000-000000000000"
    plain = str(house.admin.get(f"{path}/policies").document)
    house.admin.patch(path, {"versioned": True, "kms_key_arn": key})
    wide = house.admin.get(f"{path}/policies").document
    assert "s3:GetObjectVersion" not in plain
    assert "kms:" not in plain
    assert "s3:GetObjectVersion" in str(wide)
    (decrypt,) = [one for one in wide["permission_policy"]["Statement"] if one["Action"] == "kms:Decrypt"]
    assert decrypt["Resource"] == key


@pytest.mark.parametrize(
    "arn", ["arn:aws:iam::111111111111:role/mine", "arn:aws-cn:iam::222222222222:role/GrantlineIntegration"]
)
def test_a_role_of_our_own_account_or_of_another_partition_is_refused(house: House, arn: str) -> None:
    answer = house.admin.patch(f"/data-sources/{make(house)['id']}", {"role_arn": arn})
    assert answer.status_code == 422
    assert answer.document["errors"][0]["field"] == "role_arn"
