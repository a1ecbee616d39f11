"""The whole job over a real socket: connect a bucket, import a file, ask who has what.

AWS is a local MiniStack that enforces trust policies, so the role has to be made from exactly the
policies that the API gave out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from tests import ministack as local_aws
from tests.integration.api.conftest import make_house
from tests.ministack import MiniStack

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]

BUCKET = "acme-exports"
KEY = "hr/people.csv"
FIRST = b"User ID,Full Name,Groups\nu1,Ada Sample,Admins\nu2,Ben Sample,Staff\n"
SECOND = FIRST + b"u3,Cleo Sample,Staff\n"


@pytest.fixture(scope="module")
def stack() -> Iterator[MiniStack]:
    with local_aws.running() as stack:
        yield stack


@pytest.fixture
def http(
    stack: MiniStack, live_server: Any, settings: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[httpx.Client]:
    """A client of the running server with a Super Administrator's token."""
    stack.reset()
    for name, value in stack.service_environment().items():
        monkeypatch.setenv(name, value)
    settings.GRANTLINE = replace(
        settings.GRANTLINE, data_dir=tmp_path, aws_endpoint_url=stack.endpoint_url, check_wait_seconds=0
    )
    token = make_house("Example").admin.headers["Authorization"]
    with httpx.Client(base_url=f"{live_server.url}/api/v1", headers={"Authorization": token}, timeout=60) as client:
        yield client


def connect(http: httpx.Client, stack: MiniStack) -> str:
    """A connected data source, its role made from the policies that the API answers; its id."""
    source = http.post("/data-sources", json={"name": "HR"}).json()
    path = f"/data-sources/{source['id']}"
    http.patch(path, json={"bucket": BUCKET, "prefix": "hr/"}).raise_for_status()
    policies = http.get(f"{path}/policies", params={"format": "json"}).json()
    arn = stack.make_role(
        policies["role_name"], trust=policies["trust_policy"], permissions=policies["permission_policy"]
    )
    http.patch(path, json={"role_arn": arn}).raise_for_status()
    check = http.post(f"{path}/verify", json={})
    assert check.status_code == 200, check.text
    assert check.json()["state"] == "connected", check.text
    assert {step["outcome"] for step in check.json()["checks"]} <= {"pass", "skipped"}
    return str(source["id"])


def sync(http: httpx.Client, import_id: str) -> dict[str, Any]:
    """The document of a run that was asked for and carried out."""
    from grantline.jobs.run import carry_out

    queued = http.post(f"/imports/{import_id}/sync")
    assert queued.status_code == 202
    carry_out(queued.json()["id"])
    return dict(http.get(f"/runs/{queued.json()['id']}").json())


def test_from_a_new_data_source_to_who_has_what(http: httpx.Client, stack: MiniStack) -> None:
    stack.make_bucket(BUCKET, {KEY: FIRST, "hr/old/people.csv": FIRST})
    source_id = connect(http, stack)
    level = http.get(f"/data-sources/{source_id}/objects", params={"prefix": "hr/"}).json()
    assert [item["key"] for item in level["items"]] == [KEY]
    assert level["items"][0]["size_bytes"] == len(FIRST)
    assert level["folders"] == ["hr/old/"]

    application = http.post("/applications", json={"name": "Payroll"}).json()
    made = http.post(f"/applications/{application['id']}/imports", json={"data_source_id": source_id, "key": KEY})
    import_id = made.json()["id"]
    preview = http.post(f"/imports/{import_id}/preview", json={})
    assert preview.status_code == 200, preview.text

    first = sync(http, import_id)
    assert (first["state"], first["version"]) == ("published", 1), first["error"]
    assert first["evidence"]["key"] == KEY
    assert sync(http, import_id)["state"] == "unchanged"
    stack.client("s3").put_object(Bucket=BUCKET, Key=KEY, Body=SECOND)
    second = sync(http, import_id)
    assert (second["state"], second["version"]) == ("published", 2)
    assert second["changes"]["accounts"] == {"added": 1, "removed": 0, "changed": 0}
    accounts = http.get(f"/applications/{application['id']}/accounts").json()["items"]
    assert [account["id"] for account in accounts] == ["u1", "u2", "u3"]
    document = http.get(f"/imports/{import_id}").json()
    assert document["state"] == "healthy"
    assert document["current_version"]["counts"]["accounts"] == 3


def test_objects_come_page_by_page(http: httpx.Client, stack: MiniStack) -> None:
    stack.make_bucket(BUCKET, {f"hr/{number}.csv": FIRST for number in range(5)})
    source_id = connect(http, stack)
    path = f"/data-sources/{source_id}/objects"
    first = http.get(path, params={"limit": 3}).json()
    second = http.get(path, params={"limit": 3, "cursor": first["next"]}).json()
    keys = [item["key"] for item in first["items"] + second["items"]]
    assert keys == [f"hr/{number}.csv" for number in range(5)]
    assert second["next"] is None
    other = http.get(path, params={"limit": 3, "cursor": first["next"], "prefix": "hr/x"})
    assert other.status_code == 422
    outside = http.get(path, params={"prefix": "finance/"})
    assert (outside.status_code, outside.json()["errors"][0]["field"]) == (422, "prefix")


def test_a_role_that_refuses_says_which_step(http: httpx.Client, stack: MiniStack) -> None:
    stack.make_bucket(BUCKET, {KEY: FIRST})
    source = http.post("/data-sources", json={"name": "HR"}).json()
    trust = source["trust_policy"]
    trust["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"] = "gl_another"
    arn = stack.make_role("GrantlineIntegration", trust=trust)
    path = f"/data-sources/{source['id']}"
    http.patch(path, json={"role_arn": arn, "bucket": BUCKET}).raise_for_status()
    check = http.post(f"{path}/verify").json()
    assert check["state"] == "needs_attention"
    failed = [step for step in check["checks"] if step["outcome"] == "fail"]
    assert failed
    assert failed[0]["remedy"]
    assert set(failed[0]) == {"name", "outcome", "code", "message", "remedy"}
    assert http.get(f"{path}/objects").status_code == 409
