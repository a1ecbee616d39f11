"""The targets of a mapping: what a column of a file can become.

Owns the list of targets with the words that pages and documentation show for them. Invariant: a target
is named in exactly one row of `TARGETS`; `profile.<name>` stands for any number of targets with names
of the customer's own. Leaves to `document` which options a column may have, and to `plan` how a target
is filled.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["key", "text", "email", "status", "type", "date", "list", "rows"]
"""What the cells of a target are checked as. *rows* steers what the row means."""

PROFILE = "profile."
"""Prefix of the targets that a customer names."""

_PROFILE_NAME = re.compile(r"[^\s\x00-\x1f.][^\x00-\x1f]{0,99}")


@dataclass(frozen=True, slots=True)
class Target:
    """One target: its name in a mapping, its words for people, and how its cells are read."""

    name: str
    label: str
    kind: Kind
    description: str
    required: bool = False

    @property
    def field(self) -> str:
        """The name without its prefix: `account.email` is `email`."""
        return self.name.partition(".")[2] or self.name


TARGETS: dict[str, Target] = {
    target.name: target
    for target in (
        Target(
            "account.id",
            "Account id",
            "key",
            "What tells accounts apart and never changes, such as a user id or a personnel number.",
            required=True,
        ),
        Target("account.email", "E-mail address", "email", "The person's e-mail address."),
        Target("account.username", "Username", "text", "What the person types to sign in."),
        Target("account.display_name", "Full name", "text", "The name shown for the account."),
        Target("account.first_name", "First name", "text", "Given name."),
        Target("account.last_name", "Last name", "text", "Family name."),
        Target(
            "account.status",
            "Status",
            "status",
            "Whether the account can be used: enabled, disabled or deleted, in any of the usual words.",
        ),
        Target(
            "account.type",
            "Type",
            "type",
            "`Service` and `System` accounts are told apart; anything else is a person.",
        ),
        Target("account.owner_email", "Account owner", "email", "E-mail address of who answers for it."),
        Target("account.manager_id", "Manager", "key", "The account id, or personnel number, of the manager."),
        Target("account.employee_id", "Employee id", "key", "Personnel number, to match accounts of a person."),
        Target("account.last_login_at", "Last login", "date", "When the account was last used."),
        Target("account.created_at", "Created", "date", "When the account was made."),
        Target("resource.type", "Resource type", "key", "What kind of thing it is: group, role, folder."),
        Target("resource.name", "Resource", "key", "The thing that access is given to."),
        Target("entitlement.name", "Entitlement", "key", "What may be done with the resource."),
        Target("entitlement.display_name", "Entitlement display name", "text", "Its name for people."),
        Target("entitlement.slug", "Entitlement slug", "text", "Its short name."),
        Target("entitlement.description", "Entitlement description", "text", "What it allows, in words."),
        Target(
            "entitlements",
            "Entitlements",
            "list",
            "A list in one cell; each value is an entitlement of the column's `resource_type`, and the "
            "value is both its resource and its name.",
        ),
        Target(
            "members",
            "Members",
            "list",
            "A list in one cell of the accounts that have the row's entitlement; an empty one defines it.",
        ),
        Target("grant.granted_at", "Granted", "date", "Since when the account has the entitlement."),
        Target("grant.expires_at", "Expires", "date", "Until when the account has the entitlement."),
        Target(
            "row.kind",
            "Row kind",
            "rows",
            "`Entitlement`: the row defines one and gives it to nobody; `Grant`: the row gives one.",
        ),
        Target(
            "row.op",
            "Row operation",
            "rows",
            "In mode delta: `delete` removes the grant, or the account where the row names no entitlement.",
        ),
    )
}
"""Every target with a fixed name, by name."""


def target(name: str) -> Target | None:
    """The target called `name`; None where there is none. `account.profile.city` is `profile.city`."""
    if name.startswith(f"account.{PROFILE}"):
        name = name.removeprefix("account.")
    if name.startswith(PROFILE) and _PROFILE_NAME.fullmatch(name.removeprefix(PROFILE)):
        label = name.removeprefix(PROFILE)
        return Target(name, label, "text", "An attribute of the account under a name of your own.")
    return TARGETS.get(name)
