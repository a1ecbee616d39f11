"""The CloudFormation quick-create link, and the one generic template that it opens.

In: what a data source's role needs, and the https URL at which the operator keeps the template. Out: a
link into the AWS console that opens a filled-in stack. Invariant: the template with its parameters makes
the role of `policy_texts.cloudformation`; its patterns refuse any value that would mean more than its
characters. CloudFormation cannot escape, so `Prefix` is handed over escaped already (`${*}` for `*`), and
a bare `*`, `?` or `$` is refused.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, urlsplit

from grantline.aws.policies import ROLE_NAME, escape
from grantline.aws.policy_texts import Wanted, documents, role_template, template_text

STACK_NAME = ROLE_NAME
CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}
"""Partition → host of its console; others are not open to the public."""
DEFAULT_REGIONS = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}

PARAMETERS: dict[str, dict[str, Any]] = {
    "ExternalId": {
        "Type": "String",
        "Description": "The External ID of the data source, as Grantline shows it",
        "AllowedPattern": "^gl_[a-z2-7]{32}$",
    },
    "TrustedPrincipal": {
        "Type": "String",
        "Description": "ARN of the service role of Grantline, as Grantline shows it",
        "AllowedPattern": r"^arn:aws[a-z0-9-]*:iam::[0-9]{12}:(role|user)/[A-Za-z0-9_+=,.@/-]+$",
    },
    "Bucket": {
        "Type": "String",
        "Description": "Name of the bucket that holds the access exports",
        "AllowedPattern": "^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
    },
    "Prefix": {
        "Type": "String",
        "Default": "",
        "Description": "Beginning of the keys that may be read, such as exports/; empty for the whole bucket. "
        "Write * as ${*}, ? as ${?} and $ as ${$}",
        "AllowedPattern": r"^([^*?$]|\$\{[*?$]\})*$",
    },
    "RoleName": {
        "Type": "String",
        "Default": ROLE_NAME,
        "Description": "Name of the role",
        "AllowedPattern": "^[A-Za-z0-9_+=,.@-]{1,64}$",
    },
}

_PREFIX_MARK = "PREFIX-OF-THE-PARAMETER"


def template() -> str:
    """The generic template as YAML: made from the same documents as the filled-in ones."""
    wanted = Wanted(
        service_role_arn="${TrustedPrincipal}",
        external_id="${ExternalId}",
        bucket="${Bucket}",
        prefix=_PREFIX_MARK,
        partition="${AWS::Partition}",
        role_name="${RoleName}",
    )
    made: dict[str, Any] = _substituted(role_template(documents(wanted)))
    policy = made["Resources"]["GrantlineRole"]["Properties"]["Policies"][0]["PolicyDocument"]
    listing = next(statement for statement in policy["Statement"] if statement["Sid"] == "ListObjects")
    listing["Condition"] = {"Fn::If": ["HasPrefix", listing["Condition"], {"Ref": "AWS::NoValue"}]}
    conditions = {"HasPrefix": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Prefix"}, ""]}]}}
    head = {name: made.pop(name) for name in ("AWSTemplateFormatVersion", "Description")}
    return template_text({**head, "Parameters": PARAMETERS, "Conditions": conditions, **made})


def link(template_url: str, region: str, *, external_id: str, principal: str, bucket: str, prefix: str) -> str:
    """The link that opens the template in the console of `region`, filled in."""
    values = {
        "templateURL": template_url,
        "stackName": STACK_NAME,
        "param_ExternalId": external_id,
        "param_TrustedPrincipal": principal,
        "param_Bucket": bucket,
        "param_Prefix": escape(prefix),
    }
    filled = "&".join(f"{name}={quote(value, safe='')}" for name, value in values.items())
    host = CONSOLES[region_partition(region)]
    return f"https://{host}/cloudformation/home?region={quote(region, safe='')}#/stacks/quickcreate?{filled}"


def link_for(wanted: Wanted, template_url: str, region: str) -> str | None:
    """The link for the role of a data source, or None where the generic template cannot make that role.

    It has no place for a second External ID, versions or a KMS key, and CloudFormation reads no template
    from another partition.
    """
    if not wanted.bucket or wanted.versioned or wanted.kms_key_arn or wanted.next_external_id:
        return None
    if wanted.partition not in CONSOLES or _template_partition(template_url) != wanted.partition:
        return None
    return link(
        template_url,
        region if region_partition(region) == wanted.partition else DEFAULT_REGIONS[wanted.partition],
        external_id=wanted.external_id,
        principal=wanted.service_role_arn,
        bucket=wanted.bucket,
        prefix=wanted.prefix,
    )


def region_partition(region: str) -> str:
    """The partition that a region is in, of those with a public console."""
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"


def _template_partition(template_url: str) -> str:
    """The partition that the template lies in, by the end of its host's name."""
    host = urlsplit(template_url).hostname or ""
    if host.endswith(".amazonaws.com.cn"):
        return "aws-cn"
    return "aws-us-gov" if re.search(r"[.-]us-gov-[a-z]+-\d\.amazonaws\.com$", host) else "aws"


def _substituted(value: Any) -> Any:
    """`value` with the parameters put in by CloudFormation: `Ref` for one alone, `Fn::Sub` within a text."""
    if isinstance(value, dict):
        return {name: _substituted(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_substituted(inner) for inner in value]
    if not isinstance(value, str):
        return value
    text = value.replace(_PREFIX_MARK, "${Prefix}")
    if "${" not in text:
        return text
    if text.startswith("${") and text.find("}") == len(text) - 1:
        return {"Ref": text[2:-1]}
    return {"Fn::Sub": text}
