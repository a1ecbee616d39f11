"""The permission policies under parliament, which knows AWS's actions, resources and condition keys."""

from __future__ import annotations

from typing import Any

import pytest

from grantline.aws.policies import permission_policy, policy_text

KEY = "arn:aws:kms:eu-west-1:222222222222:key/00000000-0000-0000-0000-000000000000"
CN_KEY = KEY.replace("arn:aws:", "arn:aws-cn:").replace("eu-west-1", "cn-north-1")
POLICIES = {
    "plain": permission_policy("acme-exports"),
    "prefix": permission_policy("acme-exports", "hr/"),
    "versioned": permission_policy("acme-exports", "hr/", versioned=True),
    "kms": permission_policy("acme-exports", "hr/", kms_key_arn=KEY),
    "china": permission_policy("acme-exports", "hr/", "aws-cn", versioned=True, kms_key_arn=CN_KEY),
    "government": permission_policy("acme-exports", "hr/", "aws-us-gov", versioned=True),
}
ACCESS_POINTS = "arn:*:s3:*:*:accesspoint/*"


def findings(policy: dict[str, Any]) -> list[tuple[str, Any]]:
    parliament = pytest.importorskip("parliament")
    found = parliament.analyze_policy_string(policy_text(policy)).findings
    return [(finding.issue, finding.detail) for finding in found]


def is_known_to_be_false(issue: str, detail: Any) -> bool:
    """parliament's table has GetObjectAttributes for access points alone; it is an action on objects too.

    The service authorization reference lists `object` among the resource types of the action.
    """
    wanted = [{"action": "s3:GetObjectAttributes", "required_format": ACCESS_POINTS}]
    return issue == "RESOURCE_MISMATCH" and detail == wanted


@pytest.mark.parametrize("name", POLICIES)
def test_parliament_finds_nothing_in_the_permission_policy(name: str) -> None:
    assert [found for found in findings(POLICIES[name]) if not is_known_to_be_false(*found)] == []


def test_parliament_does_see_what_is_wrong() -> None:
    policy = permission_policy("acme-exports")
    policy["Statement"][1]["Resource"] += "/*"
    policy["Statement"][0]["Action"] = "s3:FindBucket"
    assert {issue for issue, detail in findings(policy) if not is_known_to_be_false(issue, detail)} == {
        "RESOURCE_MISMATCH",
        "UNKNOWN_ACTION",
    }
