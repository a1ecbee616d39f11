"""ARNs that people paste: read strictly, refused in words that say what was pasted instead.

In: text from a form or the API. Out: a frozen `RoleArn`, or the checked text of a KMS key's ARN.
Invariant: a `RoleArn` names a role, never a session, a user or an account, and `text` is exactly what
AssumeRole wants. Names of roles are case-sensitive in AssumeRole, so nothing is changed but spaces at
the ends. The forms are those of the IAM reference (role names to 64 characters, paths to 512).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

from grantline.errors import InputInvalid

EXAMPLE = "arn:aws:iam::222222222222:role/GrantlineIntegration"
PATH_LIMIT = 512
TEXT_LIMIT = 2048
INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff"
"""Characters without width that copying from a page or a chat brings along."""

_PARTITION = re.compile(r"aws(-[a-z0-9-]+)?")
_NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
_PATH = re.compile(r"/(?:[\x21-\x7e]+/)?")
_KMS_KEY = re.compile(r"arn:(aws(?:-[a-z0-9-]+)?):kms:([a-z0-9-]+):\d{12}:key/[A-Za-z0-9-]{1,256}")
_COPY = "Open the role in the IAM console and copy the value beside 'ARN'."

_OTHER_KINDS = {
    "user": "an IAM user",
    "group": "an IAM group",
    "policy": "an IAM policy",
    "instance-profile": "an instance profile",
    "saml-provider": "a SAML provider",
    "oidc-provider": "an OpenID Connect provider",
    "server-certificate": "a server certificate",
    "mfa": "an MFA device",
}
_OTHER_SERVICES = {
    "s3": "a bucket or an object in S3",
    "kms": "a KMS key",
    "lambda": "a Lambda function",
    "cloudformation": "a CloudFormation stack",
    "organizations": "something in AWS Organizations",
}


@dataclass(frozen=True, slots=True)
class RoleArn:
    """An IAM role's ARN in its parts; `path` begins and ends with `/`."""

    partition: str
    account: str
    path: str
    name: str
    text: str

    def __str__(self) -> str:
        return self.text


def parse_role_arn(text: str, *, own_account: str | None = None, own_partition: str | None = None) -> RoleArn:
    """The role that `text` names.

    `own_account` and `own_partition` are Grantline's: a role in its own account is refused, since
    trusting it would hand Grantline's rights to a tenant, and so is one in another partition, since
    no call crosses partitions. Raises: `InputInvalid` with field `role_arn`.
    """
    text = text.strip().strip(INVISIBLE).strip()
    _refuse_what_is_no_arn(text)
    partition, service, region, account, resource = _parts(text)
    _refuse_other_services(text, partition, service, account, resource)
    if region:
        _refuse(f"{text} names a region ({region}); roles have none.", f"{_COPY} It looks like {EXAMPLE}.")
    if not re.fullmatch(r"[0-9]{12}", account):
        _refuse(
            f"The account in {text} is {account or 'missing'}; an AWS account id has 12 digits.",
            f"{_COPY} It looks like {EXAMPLE}.",
        )
    path, name = _path_and_name(text, resource)
    role = RoleArn(partition, account, path, name, text)
    _refuse_own(role, own_account, own_partition)
    return role


def validate_kms_key_arn(text: str) -> str:
    """The ARN of a KMS key, without spaces around it; an alias is refused, policies need the key.

    Raises: `InputInvalid` with field `kms_key_arn`.
    """
    text = text.strip().strip(INVISIBLE).strip()
    if _KMS_KEY.fullmatch(text):
        return text
    reason = "names an alias; a policy needs the key itself" if ":alias/" in text else "is not a KMS key's ARN"
    raise InputInvalid(
        f"{_shown(text)} {reason}.",
        field="kms_key_arn",
        remedy="Open the key in the KMS console and copy its ARN; it looks like "
        "arn:aws:kms:eu-west-1:222222222222:key/00000000-0000-0000-0000-000000000000.",
    )


def kms_key_region(key_arn: str) -> str:
    """The region of the key that `key_arn`, a checked ARN, names."""
    return key_arn.split(":")[3]


def _refuse(message: str, remedy: str) -> NoReturn:
    raise InputInvalid(message, field="role_arn", remedy=remedy)


def _shown(text: str) -> str:
    return ascii(text if len(text) <= 200 else text[:199] + "…") if not text.isprintable() else text[:200]


def _refuse_what_is_no_arn(text: str) -> None:
    if not text:
        _refuse("No role ARN was given.", f"{_COPY} It looks like {EXAMPLE}.")
    if len(text) > TEXT_LIMIT:
        _refuse(f"The text has {len(text):,} characters; a role's ARN has at most 2,048.", _COPY)
    if re.match(r"https?://", text, re.IGNORECASE):
        _refuse("This is the address of a page, not a role's ARN.", _COPY)
    if re.search(r"\s", text) or not text.isprintable():
        _refuse(
            f"The ARN {_shown(text)} has a space, a line break or an invisible character inside.",
            f"{_COPY} Paste it in one piece.",
        )
    if re.fullmatch(r"[0-9]{12}|[0-9]{4}-[0-9]{4}-[0-9]{4}", text):
        _refuse(f"{text} is an account id, not a role's ARN.", f"{_COPY} It looks like {EXAMPLE}.")
    if text.startswith("gl_"):
        _refuse("This is the External ID, not the role's ARN.", f"{_COPY} It looks like {EXAMPLE}.")
    if re.match(r"(AKIA|ASIA|AROA|AIDA)[A-Z0-9]{12,}$", text):
        _refuse(
            "This is a key or an id from IAM, not a role's ARN.",
            f"{_COPY} Grantline never needs access keys.",
        )
    if not text.lower().startswith("arn:"):
        _refuse(
            f"{_shown(text)} is not an ARN; it may be the role's name alone.",
            f"{_COPY} It looks like {EXAMPLE}.",
        )


def _parts(text: str) -> tuple[str, str, str, str, str]:
    pieces = text.split(":", 5)
    if len(pieces) < 6:
        _refuse(f"{_shown(text)} is cut short.", f"{_COPY} It looks like {EXAMPLE}.")
    arn, partition, service, region, account, resource = pieces
    if arn != "arn" or not _PARTITION.fullmatch(partition):
        _refuse(
            f"{_shown(text)} does not begin with arn:aws: (or the name of another AWS partition).",
            f"{_COPY} It looks like {EXAMPLE}.",
        )
    return partition, service, region, account, resource


def _refuse_other_services(text: str, partition: str, service: str, account: str, resource: str) -> None:
    if service == "sts" and resource.startswith("assumed-role/"):
        name = resource.split("/")[1] or "…"
        _refuse(
            f"{_shown(text)} is a session of a role, not the role.",
            f"Use the role's own ARN, arn:{partition}:iam::{account}:role/{name} "
            "(with the role's path before its name, if it has one).",
        )
    if service != "iam":
        what = _OTHER_SERVICES.get(service, f"something in the service {service or '(none)'}")
        _refuse(f"{_shown(text)} names {what}, not an IAM role.", f"{_COPY} It looks like {EXAMPLE}.")
    kind = resource.split("/")[0]
    if kind == "root":
        _refuse(
            f"{text} is the whole account, not a role.",
            "Make the role that this page describes, then paste its ARN.",
        )
    if kind != "role":
        what = _OTHER_KINDS.get(kind, "something else in IAM")
        _refuse(
            f"{_shown(text)} names {what}, not a role.",
            "Make the role that this page describes, then paste its ARN.",
        )


def _path_and_name(text: str, resource: str) -> tuple[str, str]:
    path, _, name = resource.removeprefix("role").rpartition("/")
    path += "/"
    if not name:
        _refuse(f"{_shown(text)} ends before the role's name.", f"{_COPY} It looks like {EXAMPLE}.")
    if path.startswith("/aws-service-role/"):
        _refuse(
            f"{_shown(text)} is a service-linked role; only the AWS service it belongs to can use it.",
            "Make the role that this page describes, then paste its ARN.",
        )
    if len(path) > PATH_LIMIT or not _PATH.fullmatch(path):
        _refuse(f"The path of the role in {_shown(text)} is not one that IAM allows.", _COPY)
    if not _NAME.fullmatch(name):
        _refuse(f"{_shown(name)} cannot be a role's name: letters, digits and _+=,.@- to 64 characters.", _COPY)
    return path, name


def _refuse_own(role: RoleArn, own_account: str | None, own_partition: str | None) -> None:
    if own_account and role.account == own_account:
        _refuse(
            f"{role} is in account {own_account}, which is Grantline's own.",
            "Make the role in the account that owns the bucket, then paste its ARN.",
        )
    if own_partition and role.partition != own_partition:
        _refuse(
            f"{role} is in the partition {role.partition}; this Grantline runs in {own_partition}, and AWS "
            "lets no role be used across partitions.",
            f"Use a bucket and a role in {own_partition}, or a Grantline that runs in {role.partition}.",
        )
