"""Each text, read back by its language's rules, is the two policies again."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from grantline.aws.policy_texts import FORMATS, Wanted, documents, render
from grantline.errors import InputInvalid

SERVICE = "arn:aws:iam::111111111111:role/grantline"
HOSTILE = "a'b\"c`$(x)${y}%{z}%%{w}\\ Größe €😀*?/#: - "
PREFIXES = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=40) | st.text(
    "%${}*?\\'\" ", max_size=12
)


def wanted(prefix: str) -> Wanted:
    return Wanted(SERVICE, "gl_x", "acme-exports", prefix, versioned=True)


@given(PREFIXES)
def test_json_and_cloudformation_read_back(prefix: str) -> None:
    made = documents(wanted(prefix))
    assert json.loads(render("json", wanted(prefix))) == made.document()
    text = render("cloudformation", wanted(prefix))
    assert text.isascii()
    template = yaml.safe_load(text)
    role = template["Resources"]["GrantlineRole"]["Properties"]
    assert role["RoleName"] == "GrantlineIntegration"
    assert role["AssumeRolePolicyDocument"] == made.trust_policy
    assert role["Policies"] == [{"PolicyName": "GrantlinePermissions", "PolicyDocument": made.permission_policy}]


def test_cloudformation_has_no_aliases() -> None:
    assert "&id" not in render("cloudformation", wanted("hr/"))


@given(PREFIXES)
def test_terraform_reads_back(prefix: str) -> None:
    text = render("terraform", wanted(prefix))
    assert text.isascii()
    bodies = re.findall(r"<<-POLICY\n(.*?)\n  POLICY\n", text, re.DOTALL)
    for body in bodies:
        assert not re.search(r"(?<!\$)\$\{|%\{", body)
    trust, permission = (json.loads(body.replace("$${", "${")) for body in bodies)
    made = documents(wanted(prefix))
    assert (trust, permission) == (made.trust_policy, made.permission_policy)


@pytest.mark.parametrize("prefix", [HOSTILE, "", "POLICY", "\nPOLICY\n"])
def test_cli_reads_back_in_a_real_shell(prefix: str, tmp_path: Path) -> None:
    aws = tmp_path / "aws"
    aws.write_text('#!/bin/sh\nprintf "%s|" "$@" >> calls; echo >> calls\n')
    aws.chmod(0o700)
    subprocess.run(
        ["/bin/sh", "-eu", "-c", render("cli", wanted(prefix))],
        cwd=tmp_path,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        check=True,
    )
    made = documents(wanted(prefix))
    assert json.loads((tmp_path / "grantline-trust.json").read_text()) == made.trust_policy
    assert json.loads((tmp_path / "grantline-permissions.json").read_text()) == made.permission_policy
    calls = (tmp_path / "calls").read_text().splitlines()
    assert [call.split("|")[1] for call in calls] == ["create-role", "put-role-policy", "get-role"]


def test_bucket_that_is_not_named_yet_grants_nothing() -> None:
    policy = documents(Wanted(SERVICE, "gl_x")).permission_policy
    assert "arn:aws:s3:::YOUR-BUCKET" in json.dumps(policy)


def test_unknown_format_is_refused() -> None:
    with pytest.raises(InputInvalid, match="not a format") as refused:
        render("xml", wanted(""))
    assert all(name in (refused.value.remedy or "") for name in FORMATS)
