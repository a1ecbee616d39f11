"""What the look-ups answer with: frozen rows of text, and pages of them.

`Since` is the version of an import since which a row is as it is; the control plane knows the moment.
`record()` of each row is the flat dictionary of exports and of `grantline check --records`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Generic, Literal, NamedTuple, TypeVar

from grantline.catalog.model import Kind

Row = TypeVar("Row")
Op = Literal["added", "removed", "changed"]


class Since(NamedTuple):
    """A version of an import."""

    import_id: str
    number: int


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Some rows of a list, and the cursor of the next ones; None at the end."""

    items: tuple[Row, ...]
    next: str | None = None


@dataclass(frozen=True)
class AccountFilters:
    """Which accounts to list; None and False ask for nothing. `status` and `type` ignore case.

    `unmatched`: somebody's own, with neither an e-mail address nor an employee ID.
    """

    status: str | None = None
    type: str | None = None
    no_owner: bool = False
    never_signed_in: bool = False
    unconfirmed: bool = False
    unmatched: bool = False


@dataclass(frozen=True)
class Account:
    """An account. `fields` has every attribute but the profile, in the order of the files."""

    id: str
    fields: dict[str, str | None]
    profile: dict[str, Any]
    since: Since
    unconfirmed_since: Since | None = None

    def record(self) -> dict[str, Any]:
        """`{id, email, …, profile}`."""
        return {"id": self.id, **self.fields, "profile": self.profile}


@dataclass(frozen=True)
class Entitlement:
    """An entitlement; `key` is its public key, `members` how many accounts have it."""

    key: str
    resource_type: str | None
    resource: str | None
    entitlement: str | None
    display_name: str | None
    slug: str | None
    description: str | None
    since: Since
    members: int | None = None

    def record(self) -> dict[str, Any]:
        """`{resource_type, resource, entitlement, display_name, slug, description}`."""
        names = ("resource_type", "resource", "entitlement", "display_name", "slug", "description")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class Grant:
    """A grant with the names of both ends; `entitlement_key` is the entitlement's public key."""

    account: str
    account_display_name: str | None
    account_email: str | None
    account_status: str | None
    entitlement_key: str
    resource_type: str | None
    resource: str | None
    entitlement: str | None
    entitlement_display_name: str | None
    granted_at: str | None
    expires_at: str | None
    since: Since

    def record(self) -> dict[str, Any]:
        """`{account, resource_type, resource, entitlement, granted_at, expires_at}`."""
        names = ("account", "resource_type", "resource", "entitlement", "granted_at", "expires_at")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class Change:
    """What one version (or several together) did to one row.

    `before` and `after` hold the fields that differ (all that are not empty, where a row came or went).
    For a grant, `account` and the entitlement's parts say whose and which.
    """

    kind: Kind
    op: Op
    since: Since
    account: str | None
    account_display_name: str | None
    entitlement_key: str | None
    resource_type: str | None
    resource: str | None
    entitlement: str | None
    entitlement_display_name: str | None
    before: dict[str, str] = field(default_factory=dict)
    after: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Event:
    """One thing that happened to an account or to one of its grants, at one version."""

    since: Since
    kind: Literal["account", "grant"]
    op: Op
    entitlement_key: str | None = None
    resource_type: str | None = None
    resource: str | None = None
    entitlement: str | None = None
    entitlement_display_name: str | None = None
    before: dict[str, str] = field(default_factory=dict)
    after: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Interval:
    """That an account had an entitlement since one version of an import and until another (None: still)."""

    import_id: str
    since: int
    until: int | None
    granted_at: str | None
    expires_at: str | None


@dataclass(frozen=True)
class Rename:
    """Two keys (public ones, and in words) that may be the same, and what they share."""

    kind: Literal["account", "entitlement"]
    old: str
    new: str
    old_name: str
    new_name: str
    shared: tuple[str, ...]


@dataclass(frozen=True)
class Affected:
    """An account that loses grants by a version; `leaves` where the account itself goes."""

    account: str
    display_name: str | None
    email: str | None
    lost: int
    leaves: bool
