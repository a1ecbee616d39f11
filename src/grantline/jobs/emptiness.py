"""A file without rows, for an import that allows one.

In: a connection and the mapping's mode. Out: `Records` without a row: everything is gone, or, in mode
*delta*, nothing changes. The guard judges it like any other file; allowing an empty file only says that
it is a statement and not a fault.
"""

from __future__ import annotations

from typing import Literal

import duckdb

from grantline.mapping.records import ACCOUNT_FIELDS, ENTITLEMENT_FIELDS, ENTITLEMENT_KEY, GRANT_FIELDS, Records

NOTE = "The file holds no rows; this import allows that."


def empty_records(con: duckdb.DuckDBPyConnection, mode: Literal["full", "delta"]) -> Records:
    """The records of a file without rows."""
    texts = {
        "accounts": (("n",), ("id", *ACCOUNT_FIELDS, "profile")),
        "entitlements": (("n",), (*ENTITLEMENT_KEY, *ENTITLEMENT_FIELDS)),
        "grants": (("account", "entitlement"), GRANT_FIELDS),
        "unconfirmed": ((), ("id",)),
        "removals": (("account", "entitlement"), ()),
    }
    for name, (numbers, words) in texts.items():
        columns = [f"{column} UINTEGER" for column in numbers] + [f"{column} VARCHAR" for column in words]
        con.execute(f"CREATE OR REPLACE TEMP TABLE empty_{name} ({', '.join(columns)})")
    return Records(
        accounts="empty_accounts",
        entitlements="empty_entitlements",
        grants="empty_grants",
        unconfirmed="empty_unconfirmed",
        removals="empty_removals" if mode == "delta" else None,
        mode=mode,
        stated=frozenset(),
        rows_read=0,
        rows_rejected=0,
        resource_count=0,
        notes=(NOTE,),
    )
