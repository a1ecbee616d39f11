"""Each probe earns its place: for each there is a careless role that nothing else would catch.

In: trust policies as people write them by mistake. A probe that is taken out (the last test does so) lets
its role pass, so no probe can be removed without a test that fails.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from grantline.aws.check import TRUST_STEPS, CheckStep, _Run, run_check, trust_verdict
from grantline.aws.external_id import new_external_id
from grantline.aws.policies import trust_policy
from tests.ministack import SERVICE_ROLE_ARN
from tests.wire import Wire

from .conftest import Customer

pytestmark = pytest.mark.integration

OTHER = new_external_id()
"""An ID that was issued to another organization."""
WITHOUT, WRONG, ANOTHER = TRUST_STEPS[1:]
Conditions = Callable[[str], dict[str, Any] | None]


@dataclass(frozen=True)
class BadRole:
    """The conditions of a role's trust policy, from the right ID; the probe that must catch it first; and
    whether no other probe would."""

    name: str
    conditions: Conditions
    caught_by: str
    only: bool = False


BAD_ROLES = (
    BadRole("no condition", lambda _own: None, WITHOUT),
    BadRole("if exists", lambda own: {"StringEqualsIfExists": {"sts:ExternalId": own}}, WITHOUT, only=True),
    BadRole("not the other's", lambda _own: {"StringNotEquals": {"sts:ExternalId": OTHER}}, WITHOUT),
    BadRole("any ID", lambda _own: {"StringLike": {"sts:ExternalId": "*"}}, WRONG),
    BadRole("any ID of ours", lambda _own: {"StringLike": {"sts:ExternalId": "gl_*"}}, WRONG),
    BadRole(
        "any ID but the other's",
        lambda _own: {"Null": {"sts:ExternalId": "false"}, "StringNotEquals": {"sts:ExternalId": OTHER}},
        WRONG,
        only=True,
    ),
    BadRole("two IDs", lambda own: {"StringEquals": {"sts:ExternalId": [own, OTHER]}}, ANOTHER, only=True),
    BadRole("two IDs by likeness", lambda own: {"StringLike": {"sts:ExternalId": [OTHER, own]}}, ANOTHER, only=True),
)


def checked(customer: Customer, role: BadRole) -> list[CheckStep]:
    """The trust steps on a role with these conditions."""
    document = trust_policy(SERVICE_ROLE_ARN, customer.external_id)
    conditions = role.conditions(customer.external_id)
    if conditions is None:
        del document["Statement"][0]["Condition"]
    else:
        document["Statement"][0]["Condition"] = conditions
    customer.stack.make_bucket(customer.bucket, {"users.csv": b"1"})
    arn = customer.role(trust=document)
    steps = run_check(
        customer.service, arn, customer.external_id, customer.bucket, other_external_ids=[OTHER], wait_seconds=0
    )
    return list(steps)


@pytest.mark.parametrize("role", BAD_ROLES, ids=lambda role: role.name)
def test_a_bad_role_is_caught_by_the_probe_that_is_meant_to(customer: Customer, wire: Wire, role: BadRole) -> None:
    steps = checked(customer, role)
    failed = [step.name for step in steps if step.outcome == "fail"]
    assert failed[0] == role.caught_by
    assert trust_verdict(steps) == "open"
    assert set(wire.services) == {"sts"}


def test_the_right_role_is_caught_by_none(customer: Customer) -> None:
    right = BadRole("right", lambda own: {"StringEquals": {"sts:ExternalId": own}}, "")
    assert trust_verdict(checked(customer, right)) == "trusted"


def test_every_probe_has_a_role_that_it_alone_catches() -> None:
    assert {role.caught_by for role in BAD_ROLES if role.only} == set(TRUST_STEPS[1:])


@pytest.mark.parametrize("role", [role for role in BAD_ROLES if role.only], ids=lambda role: role.name)
def test_without_its_probe_a_bad_role_would_pass(
    customer: Customer, monkeypatch: pytest.MonkeyPatch, role: BadRole
) -> None:
    def not_asked(run: Any) -> CheckStep:
        return CheckStep(role.caught_by, "pass", None, "", None, run.clock())  # type: ignore[arg-type]

    monkeypatch.setattr(_Run, role.caught_by, not_asked)
    assert trust_verdict(checked(customer, role)) == "trusted"


@pytest.mark.parametrize("name", TRUST_STEPS)
def test_a_step_that_is_left_out_proves_nothing(customer: Customer, name: str) -> None:
    right = BadRole("right", lambda own: {"StringEquals": {"sts:ExternalId": own}}, "")
    steps = [step for step in checked(customer, right) if step.name != name]
    assert trust_verdict(steps) == "unknown"
