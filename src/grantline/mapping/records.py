"""What `mapping` hands on: records keyed by small integers, in temporary tables of one connection.

Owns the frozen shape `Records` and the column lists. The integers are local to one file: the first
distinct account is 0, and so on; `catalog` turns them into the import's own ids. Invariant: every
`account` and `entitlement` of the grants table is an `n` of the other two tables, and no pair occurs
twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from grantline.issues import Issue

ACCOUNT_FIELDS = (
    "email",
    "username",
    "display_name",
    "first_name",
    "last_name",
    "status",
    "type",
    "owner_email",
    "manager_id",
    "employee_id",
    "last_login_at",
    "created_at",
)
"""Attributes of an account beside its `id`, in the order of the tables. All are text; the two `_at`
are ISO 8601: `2026-05-31T22:30:00Z` an instant, `2026-06-01` a date, without Z a local time whose zone
is unknown."""

ENTITLEMENT_KEY = ("resource_type", "resource", "entitlement")
"""The identity of an entitlement."""

ENTITLEMENT_FIELDS = ("display_name", "slug", "description")
"""Attributes of an entitlement beside its identity."""

GRANT_FIELDS = ("granted_at", "expires_at")
"""Attributes of a grant beside its account and entitlement; text, as above."""


@dataclass(frozen=True)
class References:
    """What a file offers to other imports of its application, and what it refers to itself.

    `lists_accounts`: its rows describe accounts, or each of them is one; `describes_accounts`: they say
    more of them than the id. `defines`: the resource types whose entitlements it defines without giving
    them. `names_accounts`: it has rows that only name accounts, which must then be listed somewhere, and
    `names_entitlements`: rows that name entitlements. In mode *delta* it refers to nothing, since earlier
    files may have said what it names.
    """

    lists_accounts: bool = False
    describes_accounts: bool = False
    defines: tuple[str, ...] = ()
    names_accounts: bool = False
    names_entitlements: bool = False


@dataclass(frozen=True)
class Records:
    """A mapped file. The first four fields are names of temporary tables:

    - `accounts`: `n` UINTEGER, `id` VARCHAR, `ACCOUNT_FIELDS` VARCHAR, `profile` VARCHAR (a JSON object
      with sorted keys, NULL where empty); one row per account, `id` distinct.
    - `entitlements`: `n` UINTEGER, `ENTITLEMENT_KEY` and `ENTITLEMENT_FIELDS` VARCHAR; one row per
      entitlement.
    - `grants`: `account` UINTEGER, `entitlement` UINTEGER, `GRANT_FIELDS` VARCHAR; distinct pairs.
    - `unconfirmed`: `id` VARCHAR; accounts that refused rows name: they are present, not absent.
    - `removals`: `account` UINTEGER, `entitlement` UINTEGER (NULL: the account itself); only in mode
      *delta*, rows whose `row.op` removes.

    `stated` names the account, entitlement and grant fields that the file speaks about (with prefix,
    `account.email`): a field that is not stated keeps its old value. `issues` holds at most the first
    10,000; `issue_counts` counts all by code. Of `rows_rejected`, `rows_dangling` name something that no
    part of the same set defines, and `rows_unlisted` something that no import of the application does.
    `renamed` is a table of `old_id`, `new_id`: accounts that the import knows by another name than the
    import has that lists them; None where there is none.
    """

    accounts: str
    entitlements: str
    grants: str
    unconfirmed: str
    removals: str | None
    mode: Literal["full", "delta"]
    stated: frozenset[str]
    rows_read: int
    rows_rejected: int
    resource_count: int
    issues: tuple[Issue, ...] = ()
    issue_counts: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    rows_dangling: int = 0
    rows_unlisted: int = 0
    renamed: str | None = None
    references: References = References()
