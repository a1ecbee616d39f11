"""What the API says of the catalog's rows.

In: the plain rows of `control.applications.catalog`. Out: documents with an `id` each: an account's is
its key in the file, an entitlement's its public key; those of grants and changes are made of them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field, model_validator

from grantline.api.documents import Document


class Since(Document):
    """The version that made something as it is."""

    version: int
    at: datetime
    run_id: str | None
    import_id: str


class AccountDocument(Document):
    """An account."""

    id: str
    email: str | None = None
    username: str | None = None
    display_name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    status: str | None = None
    type: str | None = None
    owner_email: str | None = None
    manager_id: str | None = None
    employee_id: str | None = None
    last_login_at: str | None = None
    created_at: str | None = None
    profile: dict[str, Any] = Field(description="Columns that have no attribute of their own.")
    since: Since | None
    unconfirmed_since: Since | None = Field(
        description="Since when its row in the file has been refused, so that it was kept as it was."
    )


class EntitlementDocument(Document):
    """Something that accounts can have."""

    id: str
    resource_type: str | None
    resource: str | None
    entitlement: str | None
    display_name: str | None
    slug: str | None
    description: str | None
    members: int | None
    since: Since | None

    @model_validator(mode="before")
    @classmethod
    def _identified(cls, row: dict[str, Any]) -> dict[str, Any]:
        return {"id": row["key"], **row}


class GrantDocument(Document):
    """One account has one entitlement."""

    id: str
    account: str
    account_display_name: str | None
    account_email: str | None
    account_status: str | None
    entitlement_id: str
    resource_type: str | None
    resource: str | None
    entitlement: str | None
    entitlement_display_name: str | None
    granted_at: str | None
    expires_at: str | None
    since: Since | None

    @model_validator(mode="before")
    @classmethod
    def _identified(cls, row: dict[str, Any]) -> dict[str, Any]:
        key = row["entitlement_key"]
        return {"id": f"{row['account']}/{key}", "entitlement_id": key, **row}


class ChangeDocument(Document):
    """What came, went or changed."""

    id: str
    kind: Literal["account", "entitlement", "grant"]
    op: Literal["added", "removed", "changed"]
    account: str | None
    account_display_name: str | None
    entitlement_id: str | None
    resource_type: str | None
    resource: str | None
    entitlement: str | None
    entitlement_display_name: str | None
    before: dict[str, Any]
    after: dict[str, Any]
    since: Since | None

    @model_validator(mode="before")
    @classmethod
    def _identified(cls, row: dict[str, Any]) -> dict[str, Any]:
        key, since = row["entitlement_key"], row["since"] or {}
        place = (since.get("import_id"), since.get("version"), row["kind"], row["account"], key)
        return {"id": "/".join(str(part) for part in place if part is not None), "entitlement_id": key, **row}


class EventDocument(Document):
    """One thing that happened to an account, or to one of its grants."""

    kind: Literal["account", "grant"]
    op: Literal["added", "removed", "changed"]
    entitlement_id: str | None
    resource_type: str | None
    resource: str | None
    entitlement: str | None
    entitlement_display_name: str | None
    before: dict[str, Any]
    after: dict[str, Any]
    since: Since | None

    @model_validator(mode="before")
    @classmethod
    def _identified(cls, row: dict[str, Any]) -> dict[str, Any]:
        return {"entitlement_id": row["entitlement_key"], **row}


class GrantInterval(Document):
    """One time without a gap in which an account had an entitlement."""

    import_id: str
    granted_at: str | None
    expires_at: str | None
    first_appeared: Since | None
    last_appeared: Since | None = Field(description="The last version that had it.")
    ended: Since | None = Field(description="The version that took it away; null while it is there.")


class GrantHistory(Document):
    """When and by which run a grant first and last appeared."""

    account: str
    entitlement_id: str
    first_appeared: Since | None
    last_appeared: Since | None
    ended: Since | None = Field(description="Null while the account has it.")
    intervals: list[GrantInterval]

    @model_validator(mode="before")
    @classmethod
    def _identified(cls, row: dict[str, Any]) -> dict[str, Any]:
        return {"entitlement_id": row["entitlement_key"], **row}


class RenameDocument(Document):
    """Two keys that are likely the same, and what they share."""

    kind: Literal["account", "entitlement"]
    old: str
    new: str
    old_name: str
    new_name: str
    shared: list[Literal["display_name", "email", "username", "members"]]


class AffectedDocument(Document):
    """An account that loses something."""

    account: str
    display_name: str | None
    email: str | None
    lost: int = Field(description="How many grants it loses.")
    leaves: bool = Field(description="Whether the account itself goes.")


class AffectedPage(Document):
    """Accounts that lose something, those that lose most first."""

    total: int
    items: list[AffectedDocument]
    next: str | None = Field(description="The cursor of the next page; null on the last.")
