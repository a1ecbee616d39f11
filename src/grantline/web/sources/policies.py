"""What the wizard and the page of a data source show of its policies.

In: a data source and a form of the policies (`json`, `cloudformation`, `terraform`, `cli`). Out: labelled
blocks to copy, made by `aws.policy_texts` from the values stored. Without a service role there is nothing
true to show, and that is said instead.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from grantline.aws.check import TRUST_STEPS
from grantline.aws.policy_texts import documents, policy_json, render
from grantline.control.sources.models import DataSource
from grantline.errors import SettingInvalid
from grantline.jobs.policies import quick_create_url, wanted_policies

STATEMENTS: Final = {"region_found": ("FindRegion",), "bucket_listed": ("ListObjects",)}
"""The statements of the permission policy that a step of the check needs; reading needs the others."""
FORMS: Final = (("json", "Console"), ("cloudformation", "CloudFormation"), ("terraform", "Terraform"), ("cli", "CLI"))


@dataclass(frozen=True)
class Block:
    """A text to copy."""

    label: str
    language: str
    text: str


@dataclass(frozen=True)
class PolicyView:
    """The policies of one data source in one form; `missing` says why there are none."""

    form: str
    blocks: tuple[Block, ...] = ()
    role_name: str = ""
    policy_name: str = ""
    quick_create_url: str | None = None
    missing: str = ""

    def tabs(self, address: str) -> list[dict[str, Any]]:
        """The forms as tabs of the page at `address`."""
        return [
            {"label": label, "href": f"{address}?form={form}#policies", "current": form == self.form}
            for form, label in FORMS
        ]


def policy_view(source: DataSource, form: str) -> PolicyView:
    """The policies of `source` in `form`; an unknown form is the first."""
    if form not in dict(FORMS):
        form = FORMS[0][0]
    try:
        wanted = wanted_policies(source)
    except SettingInvalid as error:
        return PolicyView(form, missing=f"{error.message} {error.remedy}")
    made = documents(wanted)
    if form == "json":
        blocks: tuple[Block, ...] = (
            Block("Trust policy", "JSON", policy_json(made.trust_policy)),
            Block("Permission policy", "JSON", policy_json(made.permission_policy)),
        )
    else:
        label, language = {
            "cloudformation": ("grantline-role.yaml", "YAML"),
            "terraform": ("grantline.tf", "HCL"),
            "cli": ("Commands for a shell", "Shell"),
        }[form]
        blocks = (Block(label, language, render(form, wanted)),)
    link = quick_create_url(source) if form == "cloudformation" else None
    return PolicyView(form, blocks, made.role_name, made.policy_name, link)


def step_statements(source: DataSource) -> dict[str, str]:
    """For each step of a connection check, the text that the role's policies must hold for it."""
    try:
        made = documents(wanted_policies(source))
    except SettingInvalid:
        return {}
    trust = policy_json(made.trust_policy)
    texts: dict[str, str] = dict.fromkeys(TRUST_STEPS, trust)
    statements = {str(statement["Sid"]): statement for statement in made.permission_policy["Statement"]}
    reading = [name for name in statements if name not in ("FindRegion", "ListObjects")]
    for step, names in {**STATEMENTS, "object_readable": tuple(reading)}.items():
        texts[step] = ",\n".join(json.dumps(statements[name], indent=2) for name in names)
    return texts
