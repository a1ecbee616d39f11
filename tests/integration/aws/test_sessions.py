"""Sessions against a local AWS: who is asked, with what, and what never happens."""

from __future__ import annotations

import traceback
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest
from botocore.exceptions import ClientError

from grantline.aws.external_id import new_external_id
from grantline.aws.objects import list_objects
from grantline.aws.policies import trust_policy
from grantline.aws.service import Credentials, Service, s3_client, sts_client
from grantline.errors import (
    InputInvalid,
    SourceCredentials,
    SourceDenied,
    SourceRegion,
    SourceUnavailable,
)
from tests.ministack import CUSTOMER_ACCOUNT, SERVICE_ROLE_ARN
from tests.wire import Wire, once, s3_error, sts_error

from .conftest import Customer

pytestmark = pytest.mark.integration


def test_refused_assume_role_makes_no_s3_call(customer: Customer, wire: Wire) -> None:
    customer.stack.make_bucket(customer.bucket, {"users.csv": b"1"})
    role = customer.role(trust=trust_policy(SERVICE_ROLE_ARN, new_external_id()))
    with pytest.raises(SourceCredentials) as refused:
        customer.session(role)
    assert wire.sent == ["AssumeRole"]
    assert role in refused.value.message
    assert customer.external_id in refused.value.remedy


def test_refused_renewal_makes_no_further_s3_call(customer: Customer, wire: Wire) -> None:
    customer.stack.make_bucket(customer.bucket, {"users.csv": b"1"})
    now = [datetime.now(UTC)]
    session = customer.session(customer.role(), clock=lambda: now[0])
    session.call("list_objects_v2")
    wire.sent.clear()
    wire.faults["AssumeRole"] = sts_error(403, "AccessDenied")
    now[0] += timedelta(minutes=55)
    for _ in range(2):
        with pytest.raises(SourceCredentials):
            session.call("list_objects_v2")
    assert wire.sent == ["AssumeRole", "AssumeRole"]


def test_credentials_are_renewed_before_they_end(customer: Customer, wire: Wire) -> None:
    customer.stack.make_bucket(customer.bucket, {"users.csv": b"1"})
    now = [datetime.now(UTC)]
    session = customer.session(customer.role(), clock=lambda: now[0])
    for minutes in (0, 45, 10, 10):
        now[0] += timedelta(minutes=minutes)
        session.call("list_objects_v2")
    used, renewed = ["ListObjectsV2"], ["AssumeRole", "ListObjectsV2"]
    # The emulator's clock stands still, so the second credentials seem to end soon as well.
    assert wire.sent == [*renewed, *used, *renewed, *renewed]


def test_expired_token_is_renewed_once(customer: Customer, wire: Wire) -> None:
    customer.stack.make_bucket(customer.bucket, {"users.csv": b"1"})
    session = customer.session(customer.role())
    wire.faults["ListObjectsV2"] = once(s3_error(400, "ExpiredToken"))
    assert session.call("list_objects_v2")["KeyCount"] == 1
    assert wire.sent == ["AssumeRole", "ListObjectsV2", "AssumeRole", "ListObjectsV2"]


def test_token_that_stays_expired_is_a_credentials_error(customer: Customer, wire: Wire) -> None:
    customer.stack.make_bucket(customer.bucket)
    session = customer.session(customer.role())
    wire.faults["ListObjectsV2"] = s3_error(400, "ExpiredToken")
    with pytest.raises(SourceCredentials):
        session.call("list_objects_v2")
    assert wire.sent.count("ListObjectsV2") == 2


def test_assume_role_carries_id_name_and_narrow_policy(customer: Customer, wire: Wire) -> None:
    seen = []
    wire.faults["AssumeRole"] = lambda request: seen.append(parse_qs(request.body))
    customer.session(customer.role("hr/"), "hr/")
    (body,) = seen
    assert body["ExternalId"] == [customer.external_id]
    assert body["RoleSessionName"] == ["grantline-run_1"]
    assert body["DurationSeconds"] == ["3600"]
    assert "arn:aws:s3:::acme-exports/hr/*" in body["Policy"][0]


def test_session_policy_keeps_a_broad_role_inside_the_prefix(customer: Customer) -> None:
    customer.stack.make_bucket(customer.bucket, {"hr/users.csv": b"1", "it/users.csv": b"2"})
    session = customer.session(customer.role(), "hr/")
    assert session.call("get_object", Key="hr/users.csv")["ContentLength"] == 1
    with pytest.raises(SourceDenied):
        session.call("get_object", Key="it/users.csv")
    with pytest.raises(SourceDenied):
        session.call("list_objects_v2", Prefix="it/")


def test_session_of_one_key_reads_no_other(customer: Customer) -> None:
    customer.stack.make_bucket(customer.bucket, {"hr/a.csv": b"1", "hr/a.csv.bak": b"2"})
    session = customer.session(customer.role(), key="hr/a.csv")
    assert session.call("get_object", Key="hr/a.csv")["ContentLength"] == 1
    with pytest.raises(SourceDenied):
        session.call("get_object", Key="hr/a.csv.bak")


def test_key_outside_the_prefix_is_refused_without_asking(customer: Customer, wire: Wire) -> None:
    customer.stack.make_bucket(customer.bucket, {"hr/a.csv": b"1", "it/a.csv": b"2"})
    role = customer.role()
    with pytest.raises(SourceDenied, match="outside the data source's prefix hr/"):
        customer.session(role, "hr/", key="it/a.csv")
    assert wire.sent == []


@pytest.mark.parametrize("prefix", ["Größe 100%/", "+ä€ {x}/", "hr [1]/'\"\\"])
def test_generated_policies_allow_the_prefix_and_nothing_else(customer: Customer, prefix: str) -> None:
    inside, outside = f"{prefix}users.csv", "other/users.csv"
    customer.stack.make_bucket(customer.bucket, {inside: b"1", outside: b"2"})
    role = customer.role(prefix)
    session = customer.session(role, prefix)
    assert [info.key for info in list_objects(session)] == [inside]
    assert session.call("get_object", Key=inside)["ContentLength"] == 1
    wide = customer.session(role)
    with pytest.raises(SourceDenied):
        wide.call("get_object", Key=outside)
    with pytest.raises(SourceDenied):
        wide.call("list_objects_v2", Prefix="")


@pytest.mark.parametrize("operation", ["put_object", "delete_object"])
def test_generated_policies_allow_no_write(customer: Customer, operation: str) -> None:
    customer.stack.make_bucket(customer.bucket, {"users.csv": b"1"})
    role = customer.role()
    answer = sts_client(customer.service).assume_role(
        RoleArn=role, RoleSessionName="test", ExternalId=customer.external_id
    )["Credentials"]
    s3 = s3_client(
        customer.service,
        Credentials(answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"]),
        "us-east-1",
    )
    with pytest.raises(ClientError, match="AccessDenied"):
        getattr(s3, operation)(Bucket=customer.bucket, Key="users.csv")


def test_every_s3_call_names_the_owner(customer: Customer, wire: Wire) -> None:
    customer.stack.make_bucket(customer.bucket, {"users.csv": b"1"})
    session = customer.session(customer.role())
    owners = []
    for operation in ("ListObjectsV2", "GetObject", "HeadObject", "HeadBucket", "GetBucketLocation"):
        wire.faults[operation] = lambda request: owners.append(request.headers["x-amz-expected-bucket-owner"])
    session.call("list_objects_v2")
    session.call("get_object", Key="users.csv")
    session.call("head_object", Key="users.csv")
    session.call("head_bucket")
    session.call("get_bucket_location")
    assert [owner.decode() if isinstance(owner, bytes) else owner for owner in owners] == [CUSTOMER_ACCOUNT] * 5


def test_region_disabled_is_tried_in_the_buckets_region(customer: Customer, wire: Wire) -> None:
    customer.stack.make_bucket(customer.bucket, {"users.csv": b"1"}, region="eu-west-1")
    role = customer.role()
    wire.faults["AssumeRole"] = once(sts_error(403, "RegionDisabledException"))
    session = customer.session(role, region="eu-west-1")
    assert session.call("list_objects_v2")["KeyCount"] == 1
    wire.faults["AssumeRole"] = sts_error(403, "RegionDisabledException")
    with pytest.raises(SourceRegion, match="eu-west-1"):
        customer.session(role, region="eu-west-1")


def test_second_redirect_names_both_regions(customer: Customer, wire: Wire) -> None:
    customer.stack.make_bucket(customer.bucket)
    session = customer.session(customer.role())
    wire.faults["ListObjectsV2"] = s3_error(301, "PermanentRedirect", **{"x-amz-bucket-region": "eu-west-1"})
    with pytest.raises(SourceRegion) as refused:
        session.call("list_objects_v2")
    assert "eu-west-1" in refused.value.message
    assert "us-east-1" in refused.value.message


def test_environment_cannot_redirect_calls(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_STS"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    customer.stack.make_bucket(customer.bucket, {"users.csv": b"1"})
    assert customer.session(customer.role()).call("list_objects_v2")["KeyCount"] == 1
    plain = Service(SERVICE_ROLE_ARN, None, "eu-west-1")
    assert sts_client(plain).meta.endpoint_url == "https://sts.eu-west-1.amazonaws.com"
    s3 = s3_client(plain, Credentials("AKIA", "x", "y"), "us-east-1")
    assert s3.meta.endpoint_url == "https://s3.us-east-1.amazonaws.com"


def test_unreachable_aws_is_unavailable(customer: Customer) -> None:
    role = customer.role()
    customer.service = Service(SERVICE_ROLE_ARN, "http://127.0.0.1:9", "us-east-1")
    with pytest.raises(SourceUnavailable) as refused:
        customer.session(role)
    assert refused.value.mark == "retry"


def test_errors_carry_no_credentials(customer: Customer, wire: Wire) -> None:
    customer.stack.make_bucket(customer.bucket)
    session = customer.session(customer.role())
    secrets = [str(value) for value in vars_of(session)]
    wire.faults["ListObjectsV2"] = s3_error(403, "SignatureDoesNotMatch", " ".join(secrets))
    with pytest.raises(SourceCredentials) as refused:
        session.call("list_objects_v2")
    shown = "".join(traceback.format_exception(refused.value)) + repr(refused.value.facts) + repr(session)
    assert all(secret not in shown for secret in secrets)
    assert customer.external_id not in repr(session)


def vars_of(session: object) -> list[str]:
    given = session._credentials  # type: ignore[attr-defined]
    return [given.access_key_id, given.secret_access_key, given.session_token]


def test_role_in_grantlines_own_account_is_refused(customer: Customer, wire: Wire) -> None:
    with pytest.raises(InputInvalid, match="Grantline's own"):
        customer.session(SERVICE_ROLE_ARN)
    assert wire.sent == []


def test_region_that_no_client_can_be_made_for_is_no_raw_error(customer: Customer) -> None:
    with pytest.raises(SourceDenied, match=customer.bucket):
        customer.session(customer.role(), region="not a region")
