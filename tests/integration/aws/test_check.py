"""The connection check against a local AWS that enforces trust policies."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from grantline.aws.check import STEPS, CheckStep, found_region, is_ok, is_trusted, run_check, trust_verdict
from grantline.aws.external_id import new_external_id
from grantline.aws.policies import trust_policy
from tests.ministack import CUSTOMER_ACCOUNT, SERVICE_ROLE_ARN
from tests.wire import Wire, sts_error

from .conftest import Customer

pytestmark = pytest.mark.integration


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 5, 12, tzinfo=UTC)

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def clock(self) -> datetime:
        return self.now


def check(customer: Customer, role_arn: str, bucket: str | None = None, **more: Any) -> list[CheckStep]:
    more = {"wait_seconds": 0, **more}
    bucket = customer.bucket if bucket is None else bucket
    return list(run_check(customer.service, role_arn, customer.external_id, bucket, **more))


def outcomes(steps: list[CheckStep]) -> list[str]:
    assert [step.name for step in steps] == list(STEPS)
    return [step.outcome for step in steps]


def conditioned(external_id: Any, operator: str = "StringEquals") -> dict[str, Any]:
    policy = trust_policy(SERVICE_ROLE_ARN, "replaced")
    policy["Statement"][0]["Condition"] = {operator: {"sts:ExternalId": external_id}}
    return policy


def test_check_passes_for_a_role_made_as_shown(customer: Customer) -> None:
    customer.stack.make_bucket(customer.bucket, {"hr/": b"", "hr/users.csv": b"id\n1\n"}, region="eu-west-1")
    steps = check(customer, customer.role("hr/"), prefix="hr/")
    assert outcomes(steps) == ["pass"] * 7
    assert is_trusted(steps)
    assert is_ok(steps)
    assert found_region(steps) == "eu-west-1"
    assert "hr/users.csv" in steps[-1].message


def test_check_says_what_to_change_where_the_role_names_another_id(customer: Customer, wire: Wire) -> None:
    customer.stack.make_bucket(customer.bucket, {"users.csv": b"1"})
    role = customer.role(trust=trust_policy(SERVICE_ROLE_ARN, new_external_id()))
    steps = check(customer, role)
    assert outcomes(steps) == ["fail", *["skipped"] * 6]
    assert steps[0].code == "source_credentials"
    assert role in steps[0].message
    assert customer.external_id in (steps[0].remedy or "")
    assert set(wire.services) == {"sts"}


def test_check_detects_a_role_without_condition(customer: Customer, wire: Wire) -> None:
    customer.stack.make_bucket(customer.bucket, {"users.csv": b"1"})
    trust = trust_policy(SERVICE_ROLE_ARN, "unused")
    del trust["Statement"][0]["Condition"]
    steps = check(customer, customer.role(trust=trust))
    assert outcomes(steps) == ["pass", "fail", "fail", "fail", *["skipped"] * 3]
    assert steps[1].code == "external_id_not_required"
    assert not is_trusted(steps)
    assert set(wire.services) == {"sts"}


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [
        ("StringLike", "*", ["pass", "pass", "fail", "fail"]),
        ("StringLike", "gl_*", ["pass", "pass", "fail", "fail"]),
        ("StringEqualsIfExists", None, ["pass", "fail", "pass", "pass"]),
    ],
)
def test_check_detects_loose_conditions(
    customer: Customer, operator: str, value: str | None, expected: list[str]
) -> None:
    trust = conditioned(value or customer.external_id, operator)
    steps = check(customer, customer.role(trust=trust))
    assert outcomes(steps) == [*expected, *["skipped"] * 3]
    assert not is_trusted(steps)


def test_check_detects_a_role_that_takes_another_issued_id(customer: Customer) -> None:
    other = new_external_id()
    role = customer.role(trust=conditioned([customer.external_id, other]))
    steps = check(customer, role, bucket="", other_external_ids=[other])
    assert outcomes(steps)[:4] == ["pass", "pass", "pass", "fail"]
    assert steps[3].code == "external_id_shared"
    assert other not in str(steps)


def test_check_without_bucket_proves_the_role_and_makes_no_s3_call(customer: Customer, wire: Wire) -> None:
    steps = check(customer, customer.role(), bucket="")
    assert outcomes(steps) == ["pass"] * 4 + ["skipped"] * 3
    assert is_trusted(steps)
    assert set(wire.services) == {"sts"}


def test_check_says_that_the_bucket_does_not_exist(customer: Customer) -> None:
    steps = check(customer, customer.role())
    assert outcomes(steps) == ["pass"] * 4 + ["fail", "skipped", "skipped"]
    assert steps[4].code == "source_not_found"
    assert customer.bucket in steps[4].message


def test_check_says_that_listing_is_refused(customer: Customer) -> None:
    customer.stack.make_bucket(customer.bucket, {"hr/users.csv": b"1", "it/users.csv": b"1"})
    steps = check(customer, customer.role("hr/"), prefix="it/")
    assert outcomes(steps) == ["pass"] * 5 + ["fail", "skipped"]
    assert steps[5].code == "source_denied"
    assert "s3:ListBucket" in (steps[5].remedy or "")


def test_check_says_that_reading_is_refused(customer: Customer) -> None:
    customer.stack.make_bucket(customer.bucket, {"users.csv": b"1"})
    listing_only = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}],
    }
    role = customer.stack.make_role(
        "ListOnly", trust=trust_policy(SERVICE_ROLE_ARN, customer.external_id), permissions=listing_only
    )
    steps = check(customer, role)
    assert outcomes(steps) == ["pass"] * 6 + ["fail"]
    assert "s3:GetObject" in steps[6].message


def test_check_of_an_empty_prefix_proves_no_reading(customer: Customer) -> None:
    customer.stack.make_bucket(customer.bucket, {"hr/": b""})
    steps = check(customer, customer.role("hr/"), prefix="hr/")
    assert outcomes(steps) == ["pass"] * 6 + ["skipped"]
    assert "no file" in steps[6].message
    assert is_ok(steps)


def test_check_counts_an_object_without_a_byte_as_readable(customer: Customer) -> None:
    customer.stack.make_bucket(customer.bucket, {"users.csv": b""})
    assert outcomes(check(customer, customer.role())) == ["pass"] * 7


def test_check_says_that_the_only_file_is_archived(customer: Customer) -> None:
    customer.stack.make_bucket(customer.bucket)
    customer.stack.client("s3").put_object(Bucket=customer.bucket, Key="users.csv", Body=b"1", StorageClass="GLACIER")
    steps = check(customer, customer.role())
    assert outcomes(steps) == ["pass"] * 6 + ["fail"]
    assert steps[6].code == "source_archived"
    assert "GLACIER" in steps[6].message


def test_check_names_the_region_where_another_was_given(customer: Customer) -> None:
    customer.stack.make_bucket(customer.bucket, {"users.csv": b"1"}, region="eu-west-1")
    steps = check(customer, customer.role(), region="eu-central-1")
    assert outcomes(steps) == ["pass"] * 7
    assert "eu-west-1" in steps[4].message
    assert "eu-central-1" in steps[4].message


def test_check_waits_for_a_new_role(customer: Customer) -> None:
    time, waits = Time(), []
    role = f"arn:aws:iam::{CUSTOMER_ACCOUNT}:role/GrantlineIntegration"

    def on_wait(waited: float, limit: float) -> None:
        waits.append((waited, limit))
        if len(waits) == 4:
            customer.role()

    steps = check(customer, role, bucket="", wait_seconds=60, sleep=time.sleep, clock=time.clock, on_wait=on_wait)
    assert outcomes(steps)[0] == "pass"
    assert waits == [(0, 60), (1, 60), (3, 60), (7, 60)]


def test_check_stops_waiting_at_the_limit(customer: Customer, wire: Wire) -> None:
    time = Time()
    role = f"arn:aws:iam::{CUSTOMER_ACCOUNT}:role/Missing"
    steps = check(customer, role, wait_seconds=20, sleep=time.sleep, clock=time.clock)
    assert outcomes(steps)[0] == "fail"
    assert time.now == datetime(2026, 1, 5, 12, 0, 20, tzinfo=UTC)
    assert len(wire.sent) == 7


@pytest.mark.parametrize(("status", "code"), [(403, "RegionDisabledException"), (400, "ValidationError")])
def test_check_never_takes_another_error_for_a_refusal(customer: Customer, wire: Wire, status: int, code: str) -> None:
    role = customer.role()

    def fault(request: Any) -> Any:
        return None if customer.external_id in request.body else sts_error(status, code)(request)

    wire.faults["AssumeRole"] = fault
    steps = check(customer, role, bucket="")
    assert outcomes(steps)[:4] == ["pass", "unknown", "unknown", "unknown"]
    assert not is_trusted(steps)
    assert trust_verdict(steps) == "unknown"


def test_check_refuses_a_role_in_grantlines_own_account(customer: Customer, wire: Wire) -> None:
    steps = check(customer, SERVICE_ROLE_ARN)
    assert outcomes(steps) == ["fail", *["skipped"] * 6]
    assert steps[0].code == "input_invalid"
    assert wire.sent == []


def test_check_says_that_grantline_has_no_credentials(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    role = customer.role()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    steps = check(customer, role)
    assert steps[0].outcome == "fail"
    assert "Grantline itself has no AWS credentials" in steps[0].message
