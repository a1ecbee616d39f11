"""The columns of a version's files, and the two kinds that have a dictionary.

Owns the column lists of accounts, entitlements and grants and the pieces of SQL that are made from
them. The names equal those of the tables that `Incoming` points to. All pieces are built from the
constants of this module alone, never from anything a customer wrote.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

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
    "profile",
)
ENTITLEMENT_KEY = ("resource_type", "resource", "entitlement")
ENTITLEMENT_FIELDS = ("display_name", "slug", "description")
GRANT_KEY = ("account", "entitlement")
GRANT_FIELDS = ("granted_at", "expires_at")


@dataclass(frozen=True)
class Shape:
    """One kind of row: where it lives, what identifies it, what it says, what it is marked with.

    `number_columns` are UINTEGER and come first; `key` and `fields` are VARCHAR; `since` and `marks` are
    UINTEGER version numbers. History files have the same columns and `until`.
    """

    kind: Literal["account", "entitlement", "grant"]
    plural: str
    number_columns: tuple[str, ...]
    key: tuple[str, ...]
    fields: tuple[str, ...]
    marks: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        """Name of the file of current rows."""
        return f"{self.plural}.parquet"

    @property
    def ended_file(self) -> str:
        """Name of the file of ended rows."""
        return f"ended_{self.plural}.parquet"

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column of a current row, in the order of the file."""
        return (*self.number_columns, *self.key, *self.fields, "since", *self.marks)

    @property
    def order(self) -> str:
        """The order of a file's rows: what look-ups ask for lies together."""
        return listed(self.key or self.number_columns)


ACCOUNT = Shape("account", "accounts", ("n",), ("id",), ACCOUNT_FIELDS, ("unconfirmed_since",))
ENTITLEMENT = Shape("entitlement", "entitlements", ("n",), ENTITLEMENT_KEY, ENTITLEMENT_FIELDS)
GRANT = Shape("grant", "grants", GRANT_KEY, (), GRANT_FIELDS)
SHAPES = (ACCOUNT, ENTITLEMENT, GRANT)
BY_ENTITLEMENT_FILE = "grants_by_entitlement.parquet"


def listed(columns: Iterable[str], alias: str = "") -> str:
    """`a.x, a.y`."""
    prefix = f"{alias}." if alias else ""
    return ", ".join(prefix + column for column in columns)


def equal(columns: Iterable[str], left: str, right: str) -> str:
    """The condition under which two rows have the same key; NULL equals NULL."""
    return " AND ".join(f"{left}.{column} IS NOT DISTINCT FROM {right}.{column}" for column in columns)


def differ(columns: Iterable[str], left: str, right: str) -> str:
    """The condition under which two rows say something different; false for no columns."""
    parts = [f"{left}.{column} IS DISTINCT FROM {right}.{column}" for column in columns]
    return f"({' OR '.join(parts)})" if parts else "false"
