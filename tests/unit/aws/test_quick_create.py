"""The quick-create link read back as the console reads it, and the generic template resolved."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import yaml

from grantline.aws.external_id import new_external_id
from grantline.aws.policies import escape
from grantline.aws.policy_texts import Wanted, render
from grantline.aws.quick_create import PARAMETERS, link, link_for, template

SERVICE_ROLE = "arn:aws:iam::111111111111:role/grantline-service"
ID = new_external_id()
URL = "https://acme-public.s3.eu-west-1.amazonaws.com/grantline-role.yaml"
WANTED = Wanted(SERVICE_ROLE, ID, "acme-exports", "hr/")
HOSTILE = [
    "a&param_TrustedPrincipal=arn:aws:iam::999999999999:root",
    "a#/stacks/quickcreate?templateURL=https://example.com/x",
    "a%26param_RoleName=x",
    "a b+c;d/\\'\"<x>",
    "Gr\u00f6\u00dfe \u4e2d*?${x}/",
    "${AWS::AccountId}",
]
ASSET = Path(__file__).resolve().parents[3] / "docs" / "assets" / "grantline-role.yaml"


def made(bucket: str = "acme-exports", prefix: str = "hr/", region: str = "eu-west-1") -> str:
    return link(URL, region, external_id=ID, principal=SERVICE_ROLE, bucket=bucket, prefix=prefix)


def fields(address: str) -> dict[str, str]:
    """The fields that the console reads from the fragment; each comes once."""
    route, _, query = urlsplit(address).fragment.partition("?")
    assert route == "/stacks/quickcreate"
    pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def resolved(value: Any, values: dict[str, str]) -> Any:
    """`value` as CloudFormation resolves it; what a parameter brings in is not read again."""
    if isinstance(value, list):
        return [item for item in (resolved(inner, values) for inner in value) if item is not None]
    if not isinstance(value, dict):
        return value
    match value:
        case {"Ref": "AWS::NoValue"}:
            return None
        case {"Ref": name}:
            return values[name]
        case {"Fn::Sub": text}:
            return re.sub(r"\$\{([^}]*)\}", lambda found: values[found[1]], text)
        case {"Fn::If": ["HasPrefix", yes, no]}:
            return resolved(yes if values["Prefix"] else no, values)
    found = {name: resolved(inner, values) for name, inner in value.items()}
    return {name: inner for name, inner in found.items() if inner is not None}


@pytest.mark.parametrize("prefix", ["", "hr/", *HOSTILE])
@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_the_generic_template_filled_in_makes_the_same_role(prefix: str, partition: str) -> None:
    wanted = replace(WANTED, prefix=prefix, partition=partition)
    values = {
        "ExternalId": ID,
        "TrustedPrincipal": SERVICE_ROLE,
        "Bucket": "acme-exports",
        "Prefix": fields(made(prefix=prefix))["param_Prefix"],
        "RoleName": "GrantlineIntegration",
        "AWS::Partition": partition,
    }
    generic, own = yaml.safe_load(template()), yaml.safe_load(render("cloudformation", wanted))
    assert resolved(generic["Resources"], values) == own["Resources"]
    assert generic["Outputs"] == own["Outputs"]
    assert list(generic["Outputs"]) == ["RoleArn"]


@pytest.mark.parametrize("prefix", ["", "hr/", *HOSTILE])
def test_the_parameters_take_every_value_that_a_link_holds(prefix: str) -> None:
    found = fields(made(prefix=prefix))
    for name in ("ExternalId", "TrustedPrincipal", "Bucket", "Prefix"):
        assert re.search(PARAMETERS[name]["AllowedPattern"], found[f"param_{name}"]), name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Prefix", "*"),
        ("Prefix", "hr?"),
        ("Prefix", "${aws:username}"),
        ("Prefix", "a$"),
        ("Bucket", "*"),
        ("Bucket", "acme-exports/*"),
        ("TrustedPrincipal", "*"),
        ("TrustedPrincipal", "arn:aws:iam::111111111111:root"),
        ("TrustedPrincipal", "arn:aws:iam::111111111111:role/*"),
        ("ExternalId", "*"),
        ("ExternalId", ""),
        ("RoleName", "a/b"),
    ],
)
def test_the_parameters_refuse_what_would_widen_the_role(name: str, value: str) -> None:
    assert re.search(PARAMETERS[name]["AllowedPattern"], value) is None


@pytest.mark.parametrize("text", ["", "hr/", *HOSTILE])
def test_the_link_reads_back_and_nothing_breaks_out_of_its_field(text: str) -> None:
    assert fields(made(bucket=text, prefix=text)) == {
        "templateURL": URL,
        "stackName": "GrantlineIntegration",
        "param_ExternalId": ID,
        "param_TrustedPrincipal": SERVICE_ROLE,
        "param_Bucket": text,
        "param_Prefix": escape(text),
    }


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("eu-west-1", "console.aws.amazon.com"),
        ("cn-northwest-1", "console.amazonaws.cn"),
        ("us-gov-east-1", "console.amazonaws-us-gov.com"),
    ],
)
def test_the_link_opens_the_console_of_the_region(region: str, host: str) -> None:
    parts = urlsplit(made(region=region))
    assert (parts.scheme, parts.netloc, parts.path) == ("https", host, "/cloudformation/home")
    assert parts.query == f"region={region}"


@pytest.mark.parametrize(
    "changes",
    [
        {"bucket": ""},
        {"versioned": True},
        {"kms_key_arn": "arn:aws:kms:eu-west-1:222222222222:key/x"},
        {"next_external_id": new_external_id()},
        {"partition": "aws-cn"},
        {"partition": "aws-us-gov"},
        {"partition": "aws-iso"},
    ],
)
def test_no_link_where_the_template_cannot_make_the_role(changes: dict[str, Any]) -> None:
    assert link_for(replace(WANTED, **changes), URL, "eu-west-1") is None
    assert link_for(WANTED, URL, "eu-west-1") == made()


@pytest.mark.parametrize(
    ("partition", "url", "region"),
    [
        ("aws-cn", "https://acme.s3.cn-north-1.amazonaws.com.cn/role.yaml", "cn-north-1"),
        ("aws-us-gov", "https://acme.s3.us-gov-west-1.amazonaws.com/role.yaml", "us-gov-west-1"),
        ("aws", "https://us-gov-west-1.s3.amazonaws.com/role.yaml", "us-east-1"),
    ],
)
def test_a_region_of_another_partition_is_not_used(partition: str, url: str, region: str) -> None:
    other = "eu-west-1" if partition != "aws" else "cn-north-1"
    found = link_for(replace(WANTED, partition=partition), url, other)
    assert found is not None
    assert urlsplit(found).query == f"region={region}"


def test_the_template_has_no_finding_of_cfn_lint() -> None:
    cfnlint = pytest.importorskip("cfnlint.api")
    found = cfnlint.lint_all(template())
    assert [str(match) for match in found if match.rule.severity != "informational"] == []


def test_the_template_of_the_documentation_is_this_one() -> None:
    assert ASSET.read_text(encoding="utf-8") == template()
