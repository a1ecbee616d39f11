"""The policies of one data source, written out for the four ways people make a role.

In: a `Wanted`. Out: text to paste, already filled in: JSON documents, a CloudFormation template, a
Terraform snippet, AWS CLI commands. Invariant: every text, read back by its own language's rules, gives
the documents of `policies` again. All JSON is ASCII, because IAM takes no character above U+00FF in a
policy; it is written `\\u….` inside it.
"""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import Any, Literal, get_args

import yaml

from grantline.aws.policies import POLICY_NAME, ROLE_NAME, Policy, permission_policy, trust_policy
from grantline.errors import InputInvalid

Format = Literal["json", "cloudformation", "terraform", "cli"]
FORMATS: tuple[Format, ...] = get_args(Format)
BUCKET_PLACEHOLDER = "YOUR-BUCKET"
"""Stands where no bucket was named yet; no real bucket can have this name."""

DESCRIPTION = "Lets Grantline list and read access exports in one S3 bucket; it can change nothing."


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the policies of one data source are made from; `bucket` may still be empty."""

    service_role_arn: str
    external_id: str
    bucket: str = ""
    prefix: str = ""
    partition: str = "aws"
    versioned: bool = False
    kms_key_arn: str | None = None
    next_external_id: str | None = None
    role_name: str = ROLE_NAME
    policy_name: str = POLICY_NAME


@dataclass(frozen=True, slots=True)
class Documents:
    """The two documents and the names suggested for them."""

    role_name: str
    policy_name: str
    trust_policy: Policy
    permission_policy: Policy

    def document(self) -> dict[str, Any]:
        """The documents as the API prints them."""
        return {
            "role_name": self.role_name,
            "policy_name": self.policy_name,
            "trust_policy": self.trust_policy,
            "permission_policy": self.permission_policy,
        }


def documents(wanted: Wanted) -> Documents:
    """Both policies of a data source."""
    return Documents(
        role_name=wanted.role_name,
        policy_name=wanted.policy_name,
        trust_policy=trust_policy(wanted.service_role_arn, wanted.external_id, wanted.next_external_id),
        permission_policy=permission_policy(
            wanted.bucket or BUCKET_PLACEHOLDER,
            wanted.prefix,
            wanted.partition,
            versioned=wanted.versioned,
            kms_key_arn=wanted.kms_key_arn or None,
        ),
    )


def render(format: str, wanted: Wanted) -> str:
    """The policies as text in `format`, one of `FORMATS`. Raises: `InputInvalid`, field `format`."""
    made = documents(wanted)
    if format == "json":
        return policy_json(made.document()) + "\n"
    if format == "cloudformation":
        return cloudformation(made)
    if format == "terraform":
        return terraform(made)
    if format == "cli":
        return cli(made)
    raise InputInvalid(
        f"{format[:40]!r} is not a format of policies.",
        field="format",
        remedy=f"Use one of {', '.join(FORMATS)}.",
    )


def policy_json(document: dict[str, Any]) -> str:
    """A document as indented ASCII JSON, ready to paste into the IAM console."""
    return json.dumps(document, indent=2)


def cloudformation(made: Documents) -> str:
    """A template that makes the role with its policy; its output `RoleArn` is what Grantline asks for."""
    return template_text(role_template(made))


def role_template(made: Documents) -> dict[str, Any]:
    """The CloudFormation template as plain values."""
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": DESCRIPTION,
        "Resources": {
            "GrantlineRole": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "RoleName": made.role_name,
                    "Description": DESCRIPTION,
                    "AssumeRolePolicyDocument": made.trust_policy,
                    "Policies": [{"PolicyName": made.policy_name, "PolicyDocument": made.permission_policy}],
                },
            }
        },
        "Outputs": {
            "RoleArn": {
                "Description": "Paste this into Grantline",
                "Value": {"Fn::GetAtt": ["GrantlineRole", "Arn"]},
            }
        },
    }


def template_text(template: dict[str, Any]) -> str:
    """A CloudFormation template as YAML, ASCII only."""
    return yaml.dump(template, Dumper=_Plain, sort_keys=False, width=10_000, allow_unicode=False)


def terraform(made: Documents) -> str:
    """A snippet that makes the role with its policy; its output `grantline_role_arn` is to be pasted."""
    return f"""\
resource "aws_iam_role" "grantline" {{
  name        = "{made.role_name}"
  description = "{DESCRIPTION}"

  assume_role_policy = <<-POLICY
{_heredoc(made.trust_policy)}
  POLICY
}}

resource "aws_iam_role_policy" "grantline" {{
  name = "{made.policy_name}"
  role = aws_iam_role.grantline.id

  policy = <<-POLICY
{_heredoc(made.permission_policy)}
  POLICY
}}

output "grantline_role_arn" {{
  value = aws_iam_role.grantline.arn
}}
"""


def cli(made: Documents) -> str:
    """Commands for a POSIX shell that make the role and print its ARN."""
    role, policy = shlex.quote(made.role_name), shlex.quote(made.policy_name)
    return f"""\
cat > grantline-trust.json <<'POLICY'
{policy_json(made.trust_policy)}
POLICY

cat > grantline-permissions.json <<'POLICY'
{policy_json(made.permission_policy)}
POLICY

aws iam create-role --role-name {role} \\
  --description {shlex.quote(DESCRIPTION)} \\
  --assume-role-policy-document file://grantline-trust.json

aws iam put-role-policy --role-name {role} --policy-name {policy} \\
  --policy-document file://grantline-permissions.json

aws iam get-role --role-name {role} --query Role.Arn --output text
"""


class _Plain(yaml.SafeDumper):
    """Writes repeated values in full: CloudFormation knows no YAML aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _heredoc(policy: Policy) -> str:
    """Indented JSON for a Terraform heredoc, in which only `${` and `%{` mean something.

    `%{` is hidden in a JSON escape rather than doubled, since `%%%{` is read in more than one way.
    """
    text = policy_json(policy).replace("${", "$${").replace("%{", "\\u0025{")
    return "\n".join("    " + line for line in text.splitlines())
