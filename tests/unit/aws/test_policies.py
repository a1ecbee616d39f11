"""The generated policies, judged by a small model of how IAM matches."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grantline.aws.policies import (
    SESSION_POLICY_LIMIT,
    escape,
    permission_policy,
    session_policy,
    trust_policy,
)

KMS_KEY = "arn:aws:kms:eu-west-1:222222222222:key/00000000-0000-0000-0000-000000000000"
SERVICE = "arn:aws:iam::111111111111:role/grantline"
TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=30) | st.text("*?${}a/", max_size=12)


def matches(pattern: str, value: str) -> bool:
    """How IAM reads a pattern: `${*}`, `${?}`, `${$}` are characters, other variables are absent."""
    expression = ""
    for token in re.findall(r"\$\{[^}]*\}|.", pattern, re.DOTALL):
        if token.startswith("${") and len(token) > 2:
            inside = token[2:-1]
            if inside not in "*?$":
                return False
            expression += re.escape(inside)
        else:
            expression += {"*": ".*", "?": "."}.get(token, re.escape(token))
    return re.fullmatch(expression, value, re.DOTALL) is not None


def allows(policy: dict[str, Any], action: str, resource: str, prefix: str | None = None) -> bool:
    for statement in policy["Statement"]:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        patterns = statement.get("Condition", {}).get("StringLike", {}).get("s3:prefix")
        listed = patterns is None or (prefix is not None and any(matches(pattern, prefix) for pattern in patterns))
        if action in actions and matches(statement["Resource"], resource) and listed:
            return True
    return False


def test_trust_policy_names_one_principal_and_one_id() -> None:
    (statement,) = trust_policy(SERVICE, "gl_x")["Statement"]
    assert statement["Principal"] == {"AWS": SERVICE}
    assert statement["Action"] == "sts:AssumeRole"
    assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": "gl_x"}}


def test_permission_policy_of_a_whole_bucket() -> None:
    policy = permission_policy("acme", "")
    bucket = "arn:aws:s3:::acme"
    assert allows(policy, "s3:ListBucket", bucket, "")
    assert allows(policy, "s3:GetBucketLocation", bucket)
    assert allows(policy, "s3:GetObject", bucket + "/any/key")
    assert allows(policy, "s3:GetObjectAttributes", bucket + "/any/key")
    assert not allows(policy, "s3:GetObject", "arn:aws:s3:::acme2/key")
    assert not allows(policy, "s3:GetObjectVersion", bucket + "/key")
    every = set()
    for statement in policy["Statement"]:
        actions = statement["Action"]
        every |= {actions} if isinstance(actions, str) else set(actions)
    assert every == {"s3:ListBucket", "s3:GetBucketLocation", "s3:GetObject", "s3:GetObjectAttributes"}


def test_permission_policy_with_prefix_versions_and_key() -> None:
    policy = permission_policy("acme", "hr/", "aws-cn", versioned=True, kms_key_arn=KMS_KEY)
    bucket = "arn:aws-cn:s3:::acme"
    assert allows(policy, "s3:ListBucket", bucket, "hr/2026/")
    assert not allows(policy, "s3:ListBucket", bucket, "it/")
    assert not allows(policy, "s3:ListBucket", bucket, None)
    assert allows(policy, "s3:GetBucketLocation", bucket)
    assert allows(policy, "s3:GetObjectVersion", bucket + "/hr/x")
    assert not allows(policy, "s3:GetObject", bucket + "/it/x")
    decrypt = policy["Statement"][-1]
    assert (decrypt["Action"], decrypt["Resource"]) == ("kms:Decrypt", KMS_KEY)
    assert decrypt["Condition"] == {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com.cn"}}


@given(TEXT, TEXT)
def test_escaped_text_matches_itself_and_nothing_else(text: str, other: str) -> None:
    assert matches(escape(text), text)
    assert matches(escape(text), other) == (text == other)


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=1024) | TEXT)
def test_session_policy_fits_and_covers_its_prefix(prefix: str) -> None:
    text = session_policy("a" * 63, prefix)
    assert len(text) <= SESSION_POLICY_LIMIT
    assert text.isascii()
    policy = json.loads(text)
    bucket = "arn:aws:s3:::" + "a" * 63
    assert allows(policy, "s3:GetObject", f"{bucket}/{prefix}users.csv")
    assert allows(policy, "s3:ListBucket", bucket, prefix)


def test_session_policy_is_narrow() -> None:
    policy = json.loads(session_policy("acme", "hr/"))
    assert not allows(policy, "s3:GetObject", "arn:aws:s3:::acme/it/x")
    assert not allows(policy, "s3:ListBucket", "arn:aws:s3:::acme", "it/")
    one = json.loads(session_policy("acme", "hr/", key="hr/a.csv"))
    assert allows(one, "s3:GetObject", "arn:aws:s3:::acme/hr/a.csv")
    assert allows(one, "s3:ListBucket", "arn:aws:s3:::acme", "hr/a.csv")
    assert not allows(one, "s3:GetObject", "arn:aws:s3:::acme/hr/a.csv2")


@pytest.mark.parametrize("length", [200, 600, 1024])
def test_session_policy_of_a_long_key_stays_inside_its_folder(length: int) -> None:
    policy = json.loads(session_policy("acme", "", key="hr/" + "x" * (length - 3)))
    assert not allows(policy, "s3:GetObject", "arn:aws:s3:::acme/it/x")
