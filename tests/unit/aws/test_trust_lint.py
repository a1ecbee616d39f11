"""The generated trust policies under the checker, the CloudFormation template under cfn-lint."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from grantline.aws.external_id import new_external_id
from grantline.aws.policies import trust_policy
from grantline.aws.policy_texts import Wanted, documents, render
from tests.trust_lint import faults

SERVICE_ROLE = "arn:aws:iam::111111111111:role/grantline-service"
OWN, NEXT = new_external_id(), new_external_id()
KEY = "arn:aws:kms:eu-west-1:222222222222:key/00000000-0000-0000-0000-000000000000"
WANTED = {
    "plain": Wanted(SERVICE_ROLE, OWN, "acme-exports"),
    "rotating": Wanted(SERVICE_ROLE, OWN, "acme-exports", "hr/", next_external_id=NEXT),
    "all": Wanted(SERVICE_ROLE, OWN, "acme-exports", "Gr\u00f6\u00dfe *?${x}/", versioned=True, kms_key_arn=KEY),
}


def trust_in(form: str, text: str) -> Any:
    """The trust policy that somebody who pastes `text` puts on the role."""
    if form == "cloudformation":
        return yaml.safe_load(text)["Resources"]["GrantlineRole"]["Properties"]["AssumeRolePolicyDocument"]
    pattern = r"<<-POLICY\n(.*?)\n  POLICY" if form == "terraform" else r"<<'POLICY'\n(.*?)\nPOLICY"
    found = re.search(pattern, text, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


@pytest.mark.parametrize("name", WANTED)
@pytest.mark.parametrize("form", ["json", "cloudformation", "terraform", "cli"])
def test_every_generated_trust_policy_trusts_grantline_with_these_ids_alone(form: str, name: str) -> None:
    wanted = WANTED[name]
    ids = [text for text in (wanted.external_id, wanted.next_external_id) if text]
    found = documents(wanted).trust_policy if form == "json" else trust_in(form, render(form, wanted))
    assert faults(found, SERVICE_ROLE, ids) == []


def changed(**values: Any) -> dict[str, Any]:
    policy = trust_policy(SERVICE_ROLE, OWN)
    policy["Statement"][0] |= values
    return policy


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (changed(Principal="*"), "principal"),
        (changed(Principal={"AWS": "arn:aws:iam::111111111111:root"}), "principal"),
        (changed(Condition={}), "condition"),
        (changed(Condition={"StringLike": {"sts:ExternalId": OWN}}), "StringEquals"),
        (changed(Condition={"StringEqualsIfExists": {"sts:ExternalId": OWN}}), "StringEquals"),
        (changed(Condition={"StringEquals": {"sts:ExternalId": [OWN, NEXT]}}), "not the data source's own"),
        (changed(Condition={"StringEquals": {"sts:ExternalId": "*"}}), "wildcard"),
        (changed(Action="sts:*"), "action"),
        (changed(NotPrincipal={"AWS": "x"}), "unknown"),
        (changed(Effect="Deny"), "allow"),
        ({"Version": "2008-10-17", "Statement": changed()["Statement"]}, "version"),
        ({"Version": "2012-10-17", "Statement": changed()["Statement"] * 2}, "one statement"),
    ],
)
def test_the_checker_sees_what_is_wrong(policy: dict[str, Any], words: str) -> None:
    assert any(words in fault for fault in faults(policy, SERVICE_ROLE, [OWN]))


@pytest.mark.parametrize("name", WANTED)
def test_the_cloudformation_template_has_no_finding_of_cfn_lint(name: str) -> None:
    cfnlint = pytest.importorskip("cfnlint.api")
    found = cfnlint.lint_all(render("cloudformation", WANTED[name]))
    assert [str(match) for match in found if match.rule.severity != "informational"] == []
