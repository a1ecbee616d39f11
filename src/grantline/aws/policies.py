"""The two policies that a customer puts on the role, and the session policy that Grantline adds itself.

In: the service role's ARN, the External ID, bucket, prefix. Out: policy documents as plain dicts. The
permission policy allows reading and listing, nothing else; the session policy can only take away from
it. Invariant: what a person typed reaches no policy unescaped, so a prefix with `*`, `?` or `${` means
those characters and widens nothing (IAM user guide, "Policy variables": `${*}`, `${?}`, `${$}`).
How the documents are written as CloudFormation, Terraform or shell is `policy_texts`' part.
"""

from __future__ import annotations

import json
from typing import Any

from grantline.aws.arns import kms_key_region

Policy = dict[str, Any]

ROLE_NAME = "GrantlineIntegration"
POLICY_NAME = "GrantlinePermissions"
VERSION = "2012-10-17"
SESSION_POLICY_LIMIT = 2048
"""Characters that AssumeRole takes for an inline session policy (STS API reference)."""

DENY_ALL: Policy = {
    "Version": VERSION,
    "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}],
}
"""Session policy of probes: what they might be given can do nothing."""

READ_ACTIONS = ("s3:GetObject", "s3:GetObjectAttributes")
READ_VERSION_ACTION = "s3:GetObjectVersion"


def escape(text: str) -> str:
    """`text` for a policy's resource or `StringLike` value, meaning exactly its characters."""
    return "".join({"*": "${*}", "?": "${?}", "$": "${$}"}.get(character, character) for character in text)


def trust_policy(service_role_arn: str, external_id: str, next_external_id: str | None = None) -> Policy:
    """Who may assume the role: Grantline's service role alone, and only with this External ID.

    While an ID is being rotated the data source has two, and the policy takes either, so that reading
    goes on.
    """
    accepted = [external_id, next_external_id] if next_external_id else external_id
    return {
        "Version": VERSION,
        "Statement": [
            {
                "Sid": "GrantlineWithThisExternalId",
                "Effect": "Allow",
                "Principal": {"AWS": service_role_arn},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": accepted}},
            }
        ],
    }


def permission_policy(
    bucket: str,
    prefix: str = "",
    partition: str = "aws",
    *,
    versioned: bool = False,
    kms_key_arn: str | None = None,
) -> Policy:
    """What the role may do: list and read under `prefix`, and find the bucket's region.

    `versioned` adds `s3:GetObjectVersion`, `kms_key_arn` adds `kms:Decrypt` on that key through S3.
    """
    bucket_arn = f"arn:{partition}:s3:::{bucket}"
    actions = [*READ_ACTIONS, READ_VERSION_ACTION] if versioned else list(READ_ACTIONS)
    statements: list[Policy] = [
        {"Sid": "FindRegion", "Effect": "Allow", "Action": "s3:GetBucketLocation", "Resource": bucket_arn},
        _list_statement(bucket_arn, [escape(prefix) + "*"] if prefix else []),
        {
            "Sid": "ReadObjects",
            "Effect": "Allow",
            "Action": actions,
            "Resource": f"{bucket_arn}/{escape(prefix)}*",
        },
    ]
    if kms_key_arn:
        statements.append(_decrypt_statement(kms_key_arn, partition))
    return {"Version": VERSION, "Statement": statements}


def session_policy(bucket: str, prefix: str = "", partition: str = "aws", *, key: str | None = None) -> str:
    """The inline policy of one session, as JSON of at most 2,048 characters.

    Narrowed to one `key` where one is given, else to `prefix`. A text too long for AWS is shortened from
    the end, which widens only this second fence: the customer's own policy stays the first.
    """
    scope = prefix if key is None else key
    exact = key is not None
    while True:
        text = policy_text(_session_document(bucket, scope, partition, exact))
        if len(text) <= SESSION_POLICY_LIMIT:
            return text
        scope, exact = scope[: max(0, len(scope) - 16)], False


def policy_text(policy: Policy) -> str:
    """A policy as the shortest JSON, ASCII only."""
    return json.dumps(policy, separators=(",", ":"))


def dns_suffix(partition: str) -> str:
    """The domain of a partition's endpoints."""
    return "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com"


def _list_statement(bucket_arn: str, patterns: list[str]) -> Policy:
    statement: Policy = {
        "Sid": "ListObjects",
        "Effect": "Allow",
        "Action": "s3:ListBucket",
        "Resource": bucket_arn,
    }
    if patterns:
        statement["Condition"] = {"StringLike": {"s3:prefix": patterns}}
    return statement


def _decrypt_statement(kms_key_arn: str, partition: str) -> Policy:
    return {
        "Sid": "DecryptObjects",
        "Effect": "Allow",
        "Action": "kms:Decrypt",
        "Resource": kms_key_arn,
        "Condition": {"StringEquals": {"kms:ViaService": f"s3.{kms_key_region(kms_key_arn)}.{dns_suffix(partition)}"}},
    }


def _session_document(bucket: str, scope: str, partition: str, exact: bool) -> Policy:
    bucket_arn = f"arn:{partition}:s3:::{bucket}"
    # `?` is any one character: unlike `${*}` it is understood by every compatible store, and what it lets by
    # more is a character of the same key; the role's own policy says exactly what may be read.
    pattern = "".join("?" if character in "*?$" else character for character in scope) + ("" if exact else "*")
    # kms:Decrypt has to be here: a session policy that leaves it out would take it away.
    return {
        "Version": VERSION,
        "Statement": [
            {"Effect": "Allow", "Action": "s3:GetBucketLocation", "Resource": bucket_arn},
            {
                "Effect": "Allow",
                "Action": "s3:ListBucket",
                "Resource": bucket_arn,
                **({"Condition": {"StringLike": {"s3:prefix": [pattern]}}} if scope else {}),
            },
            {
                "Effect": "Allow",
                "Action": [*READ_ACTIONS, READ_VERSION_ACTION],
                "Resource": f"{bucket_arn}/{pattern}",
            },
            {
                "Effect": "Allow",
                "Action": "kms:Decrypt",
                "Resource": "*",
                "Condition": {"StringLike": {"kms:ViaService": "s3.*"}},
            },
        ],
    }
