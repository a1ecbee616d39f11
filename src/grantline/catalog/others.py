"""What versions of other imports list, as relations that a file's references are looked up in.

In: snapshots of other imports. Out: pieces of SQL for `mapping.others.Others`. Nothing is copied: the
Parquet files are read where they lie, and only the columns that are needed. A key that was declared the
same as another one is listed under its old spelling too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from grantline.catalog.aliases import Aliases, key_table
from grantline.catalog.columns import ACCOUNT, ACCOUNT_FIELDS, ENTITLEMENT, ENTITLEMENT_KEY, listed
from grantline.catalog.lookups.view import Source
from grantline.catalog.model import Snapshot

NAMES = ("id", "email", "username")
ALIAS_PLACE = 1_000_000
"""The place of old spellings, behind that of every import."""

DESCRIBED = f"coalesce({', '.join(ACCOUNT_FIELDS)}) IS NOT NULL"
"""Whether an account has any attribute; one that rows only name has none."""


@dataclass(frozen=True)
class ListingVersion:
    """A version that lists accounts. `is_mixed`: it describes those it lists, and may have others that its
    rows only name."""

    snapshot: Snapshot
    is_mixed: bool = False

    @property
    def source(self) -> Source:
        """The version as the look-ups read it."""
        return Source(0, "", self.snapshot, self.snapshot.number)


def accounts_of(
    con: duckdb.DuckDBPyConnection, versions: Sequence[ListingVersion], aliases: Aliases, prefix: str = "other"
) -> str:
    """A relation of `id`, `email`, `username`, `place`: the accounts that the versions list."""
    rows = " UNION ALL ".join(
        f"SELECT {listed(NAMES)}, {place} AS place FROM {one.source.rows(ACCOUNT)}"
        f"{f' WHERE {DESCRIBED}' if one.is_mixed else ''}"
        for place, one in enumerate(versions)
    )
    if not aliases.accounts:
        return f"({rows})"
    keys = key_table(con, ACCOUNT.key, aliases.accounts, f"{prefix}_account_keys")
    old = (
        f"SELECT k.old_id, NULL::VARCHAR, NULL::VARCHAR, {ALIAS_PLACE} FROM {keys} k"
        f" WHERE k.new_id IN (SELECT id FROM ({rows}))"
    )
    return f"({rows} UNION ALL {old})"


def former_accounts_of(versions: Sequence[ListingVersion]) -> str | None:
    """A relation of `id`, `email`, `username`: accounts as they were before; None where none ever changed."""
    ended = [f"SELECT {listed(NAMES)} FROM {rows}" for one in versions if (rows := one.source.ended(ACCOUNT))]
    return f"({' UNION ALL '.join(ended)})" if ended else None


def known_accounts_of(snapshot: Snapshot) -> str:
    """A relation of `id`: the accounts of a version."""
    return f"(SELECT id FROM {ListingVersion(snapshot).source.rows(ACCOUNT)})"


def entitlements_of(
    con: duckdb.DuckDBPyConnection,
    versions: Sequence[tuple[Snapshot, Sequence[str]]],
    aliases: Aliases,
    prefix: str = "other",
) -> str:
    """A relation of `ENTITLEMENT_KEY`: the entitlements of the resource types that each version defines."""
    key = listed(ENTITLEMENT_KEY)
    types = [(place, kind) for place, (_, kinds) in enumerate(versions) for kind in kinds]
    con.execute(f"CREATE OR REPLACE TEMP TABLE {prefix}_types (place INTEGER, kind VARCHAR)")
    con.executemany(f"INSERT INTO {prefix}_types VALUES (?, ?)", types)
    rows = " UNION ALL ".join(
        f"SELECT {key} FROM {ListingVersion(snapshot).source.rows(ENTITLEMENT)}"
        f" WHERE resource_type IN (SELECT kind FROM {prefix}_types WHERE place = {place})"
        for place, (snapshot, _) in enumerate(versions)
    )
    if not aliases.entitlements:
        return f"({rows})"
    keys = key_table(con, ENTITLEMENT_KEY, aliases.entitlements, f"{prefix}_entitlement_keys")
    old = ", ".join(f"k.old_{name}" for name in ENTITLEMENT_KEY)
    same = " AND ".join(f"k.new_{name} IS NOT DISTINCT FROM r.{name}" for name in ENTITLEMENT_KEY)
    return f"({rows} UNION ALL SELECT {old} FROM {keys} k WHERE EXISTS (FROM ({rows}) r WHERE {same}))"
