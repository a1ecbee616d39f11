"""Words that exports use for the same few meanings.

Owns the word lists for status, row kind and row operation; all compare in lower case. A word that is
in no list is never read as one of its neighbours: it is an issue (a yes/no column has no default).
"""

from __future__ import annotations

STATUSES = ("enabled", "disabled", "deleted")
"""What an account's status can be."""

STATUS_WORDS: dict[str, str] = {
    **dict.fromkeys(
        ("enabled", "enable", "active", "activated", "true", "yes", "y", "t", "1", "on", "unlocked", "current"),
        "enabled",
    ),
    **dict.fromkeys(
        (
            "disabled",
            "disable",
            "inactive",
            "deactivated",
            "false",
            "no",
            "n",
            "f",
            "0",
            "off",
            "suspended",
            "blocked",
            "locked",
            "locked_out",
            "locked out",
            "deprovisioned",
            "terminated",
            "archived",
            "expired",
            "revoked",
            "staged",
            "pending",
            "provisioned",
            "invited",
        ),
        "disabled",
    ),
    **dict.fromkeys(("deleted", "removed"), "deleted"),
}
"""Status word in lower case → status. `provisioned` and `staged` are accounts nobody can use yet."""

ACCOUNT_TYPES = ("service", "system", "person")
"""What an account's type can be; every word but the first two is a person."""

ENTITLEMENT_ROWS = ("entitlement", "entitlements")
GRANT_ROWS = ("grant", "grants")
"""Words of `row.kind`."""

REMOVAL_WORDS = ("d", "del", "delete", "deleted", "remove", "removed", "revoke", "revoked", "-")
KEEPING_WORDS = (
    "a",
    "add",
    "added",
    "c",
    "change",
    "changed",
    "create",
    "created",
    "g",
    "grant",
    "granted",
    "i",
    "insert",
    "inserted",
    "m",
    "modify",
    "modified",
    "r",
    "replace",
    "u",
    "update",
    "updated",
    "upsert",
    "+",
)
"""Words of `row.op`."""
