"""The stage *diff*: what a run changes in the catalog of its import.

In: what came (`Incoming`, tables of the connection) and the current version (`Snapshot`, or None for the
first). Out: a `Diff`, which names the relations of the new version and of what ended, with counts.
Invariants: an account and an entitlement keep their integer as long as they are current, and integers
are never given twice; a row that says the same keeps its `since`; a row that changed ends and begins at
the new number; what a file does not state keeps its value; an account that only refused rows name stays
as it was, with its grants. Nothing is written to disk: `write` does that, after `guard`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from grantline.catalog.aliases import known_by_alias
from grantline.catalog.columns import (
    ACCOUNT,
    BY_ENTITLEMENT_FILE,
    ENTITLEMENT,
    GRANT,
    GRANT_FIELDS,
    SHAPES,
    Shape,
    equal,
)
from grantline.catalog.connection import lake_errors, path_literal
from grantline.catalog.dictionaries import Side, assign, first, merge, number_of
from grantline.catalog.lake import needed
from grantline.catalog.manifest import read_manifest
from grantline.catalog.model import Changes, Counts, Incoming, Manifest, Snapshot
from grantline.catalog.pairs import Pairs, first_pairs, merge_pairs


@dataclass(frozen=True)
class Diff:
    """What a run changes.

    The relations `<prefix>_accounts`, `_entitlements`, `_grants` hold the new version's rows and
    `<prefix>_ended_accounts`, … the rows that ended, with `until`; they live as long as the connection
    and the tables that came. `before` is None for the first version. `leavers_grants` counts the removed
    grants whose account was removed as well. `marks_changed`: an account became unconfirmed, or
    confirmed again, which is no change of what is known.
    """

    number: int
    prefix: str
    previous: Snapshot | None
    before: Counts | None
    counts: Counts
    changes: Changes
    next_account: int
    next_entitlement: int
    leavers_grants: int = 0
    marks_changed: bool = False

    @property
    def is_worth_writing(self) -> bool:
        """Whether the new version would differ from the current one."""
        return self.before is None or self.changes.any or self.marks_changed

    def current(self, shape: Shape) -> str:
        """Name of the relation of the new version's rows."""
        return f"{self.prefix}_{shape.plural}"

    def ended(self, shape: Shape) -> str:
        """Name of the relation of the rows that ended."""
        return f"{self.prefix}_ended_{shape.plural}"


def diff(
    con: duckdb.DuckDBPyConnection,
    incoming: Incoming,
    previous: Snapshot | None,
    number: int,
    prefix: str = "diff",
) -> Diff:
    """Compare `incoming` with `previous`; the new version gets `number`, which is above the old one's.

    `prefix` begins the names of the temporary tables that are made (and replaced, where they exist).
    Raises: `LakeUnavailable` where the current version's files cannot be read.
    """
    with lake_errors("Comparing with the current version"):
        if previous is None:
            return _first(con, incoming, number, prefix)
        if number <= previous.number:
            raise ValueError(f"version {number} cannot follow version {previous.number}")
        return _next(con, incoming, previous, number, prefix)


def _first(con: duckdb.DuckDBPyConnection, incoming: Incoming, number: int, prefix: str) -> Diff:
    came_accounts, came_entitlements = _came(con, incoming, None, prefix)
    accounts = first(con, _side(ACCOUNT, came_accounts, incoming), number, prefix)
    entitlements = first(con, _side(ENTITLEMENT, came_entitlements, incoming), number, prefix)
    grants = first_pairs(con, _came_grants(con, incoming, prefix), number, prefix)
    changes = Changes(accounts, entitlements, grants)
    return Diff(
        number=number,
        prefix=prefix,
        previous=None,
        before=None,
        counts=_counts(con, prefix, grants.added),
        changes=changes,
        next_account=_next_n(con, incoming.accounts),
        next_entitlement=_next_n(con, incoming.entitlements),
    )


def _next(con: duckdb.DuckDBPyConnection, incoming: Incoming, previous: Snapshot, number: int, prefix: str) -> Diff:
    manifest = read_manifest(previous.folder)
    _old_views(con, previous.folder, prefix)
    came_accounts, came_entitlements = _came(con, incoming, previous, prefix)
    accounts = _side(ACCOUNT, came_accounts, incoming, manifest.next_account, prefix)
    entitlements = _side(ENTITLEMENT, came_entitlements, incoming, manifest.next_entitlement, prefix)
    next_account = assign(con, accounts, prefix)
    next_entitlement = assign(con, entitlements, prefix)
    _what_stays(con, incoming, prefix)
    changes = Changes(
        merge(con, accounts, incoming.stated, number, prefix),
        merge(con, entitlements, incoming.stated, number, prefix),
        merge_pairs(con, _pairs(con, incoming, manifest, prefix), number, prefix),
    )
    grants = manifest.counts.grants + changes.grants.added - changes.grants.removed
    return Diff(
        number=number,
        prefix=prefix,
        previous=previous,
        before=manifest.counts,
        counts=_counts(con, prefix, grants),
        changes=changes,
        next_account=next_account,
        next_entitlement=next_entitlement,
        leavers_grants=_leavers_grants(con, prefix) if changes.accounts.removed else 0,
        marks_changed=_marks_changed(con, prefix),
    )


def _old_views(con: duckdb.DuckDBPyConnection, folder: Path, prefix: str) -> None:
    other_way = folder / BY_ENTITLEMENT_FILE
    files = {shape.plural: needed(folder / shape.file) for shape in SHAPES}
    files["grants_other_way"] = other_way if other_way.exists() else files[GRANT.plural]
    for name, file in files.items():
        con.execute(
            f"CREATE OR REPLACE TEMP VIEW {prefix}_old_{name} AS SELECT * FROM read_parquet({path_literal(file)})"
        )


def _came(
    con: duckdb.DuckDBPyConnection, incoming: Incoming, previous: Snapshot | None, prefix: str
) -> tuple[str, str]:
    """The relations of accounts and entitlements to take over.

    In mode *delta* an account that the file removes is left out, and so are accounts and entitlements
    that nothing but a removal names and that are not current: a removal makes nothing new.
    """
    if incoming.removals is None:
        return incoming.accounts, incoming.entitlements
    names = []
    for shape, table in ((ACCOUNT, incoming.accounts), (ENTITLEMENT, incoming.entitlements)):
        column = shape.kind
        unknown = f"i.n NOT IN (SELECT {column} FROM {incoming.grants}) AND i.n IN ({_named_in(incoming, column)})"
        if previous is not None:
            unknown += (
                f" AND NOT EXISTS (FROM {prefix}_old_{shape.plural} o WHERE "
                + " AND ".join(f"o.{key} IS NOT DISTINCT FROM i.{key}" for key in shape.key)
                + ")"
            )
            if keys := _aliases(incoming, shape):
                known = known_by_alias(shape, keys, f"{prefix}_old_{shape.plural}")
                unknown += f" AND NOT EXISTS (FROM {known} r WHERE {equal(shape.key, 'r', 'i')})"
        left_out = f"({unknown})"
        if shape is ACCOUNT:
            left_out += f" OR i.n IN ({_leaving(incoming)})"
        name = f"{prefix}_incoming_{shape.plural}"
        rows = f"SELECT * FROM {table} i WHERE NOT ({left_out})"
        if shape is ACCOUNT and previous is not None:
            rows = _as_known(f"({rows})", incoming, f"{prefix}_old_{shape.plural}")
        con.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {rows}")
        names.append(name)
    return names[0], names[1]


def _as_known(rows: str, incoming: Incoming, old: str) -> str:
    """Accounts, of which those that nothing but removed grants name keep what a blank cell would clear."""
    only_removed = (
        f"i.n NOT IN (SELECT account FROM {incoming.grants}) AND i.n IN"
        f" (SELECT account FROM {incoming.removals} WHERE entitlement IS NOT NULL)"
    )
    kept = ", ".join(
        f"CASE WHEN {only_removed} THEN coalesce(i.{name}, o.{name}) ELSE i.{name} END AS {name}"
        for name in ACCOUNT.fields
    )
    return f"SELECT i.* REPLACE ({kept}) FROM {rows} i LEFT JOIN {old} o ON o.id = i.id"


def _came_grants(con: duckdb.DuckDBPyConnection, incoming: Incoming, prefix: str) -> str:
    """The grants to take over: not those of accounts that the same file removes."""
    if incoming.removals is None:
        return incoming.grants
    name = f"{prefix}_incoming_grants"
    con.execute(
        f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT * FROM {incoming.grants} g "
        f"WHERE g.account NOT IN ({_leaving(incoming)}) AND NOT EXISTS (FROM {incoming.removals} r "
        "WHERE r.account = g.account AND r.entitlement = g.entitlement)"
    )
    return name


def _named_in(incoming: Incoming, column: str) -> str:
    return f"SELECT {column} FROM {incoming.removals} WHERE {column} IS NOT NULL"


def _leaving(incoming: Incoming) -> str:
    return f"SELECT account FROM {incoming.removals} WHERE entitlement IS NULL"


def _side(shape: Shape, came: str, incoming: Incoming, next_n: int = 0, prefix: str = "") -> Side:
    old = f"{prefix}_old_{shape.plural}"
    if incoming.mode == "delta":
        stays = f"o.n NOT IN (SELECT n FROM {prefix}_leavers)" if shape is ACCOUNT else "true"
    else:
        stays = f"o.n IN (SELECT n FROM {prefix}_stays_{shape.plural})"
    keys = _aliases(incoming, shape)
    renamed = known_by_alias(shape, keys, old) if keys and prefix else None
    return Side(shape, came, old, next_n, stays, incoming.unconfirmed if shape is ACCOUNT else None, renamed)


def _aliases(incoming: Incoming, shape: Shape) -> str | None:
    return incoming.account_aliases if shape is ACCOUNT else incoming.entitlement_aliases


def _what_stays(con: duckdb.DuckDBPyConnection, incoming: Incoming, prefix: str) -> None:
    """Tables of the `n` that stay although they did not come, and of the accounts that a delta removes."""
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {prefix}_stays_accounts AS SELECT n FROM {prefix}_old_accounts "
        f"WHERE id IN (SELECT id FROM {incoming.unconfirmed})"
    )
    stays = number_of(con, f"SELECT count(*) FROM {prefix}_stays_accounts") > 0
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {prefix}_stays_entitlements AS SELECT DISTINCT entitlement AS n "
        f"FROM {prefix}_old_grants WHERE "
        + (f"account IN (SELECT n FROM {prefix}_stays_accounts)" if stays else "false")
    )
    leavers = f"SELECT i.id FROM {incoming.accounts} i WHERE i.n IN ({_leaving(incoming)})"
    if incoming.account_aliases:
        leavers += f" UNION SELECT old_id FROM {incoming.account_aliases} WHERE new_id IN ({leavers})"
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {prefix}_leavers AS SELECT n FROM {prefix}_old_accounts WHERE "
        + (f"id IN ({leavers})" if incoming.removals else "false")
    )


def _pairs(con: duckdb.DuckDBPyConnection, incoming: Incoming, manifest: Manifest, prefix: str) -> Pairs:
    removals = None
    if incoming.mode == "delta":
        removals = f"{prefix}_removals"
        con.execute(f"CREATE OR REPLACE TEMP TABLE {removals} AS {_removed_pairs(incoming, prefix)}")
    return Pairs(
        came=_came_grants(con, incoming, prefix),
        old=f"{prefix}_old_grants",
        old_other_way=f"{prefix}_old_grants_other_way",
        old_count=manifest.counts.grants,
        stated_fields=tuple(field for field in GRANT_FIELDS if f"grant.{field}" in incoming.stated),
        unconfirmed=f"{prefix}_stays_accounts",
        removals=removals,
        leavers=f"{prefix}_leavers" if removals else None,
    )


def _removed_pairs(incoming: Incoming, prefix: str) -> str:
    if incoming.removals is None:
        return "SELECT 0::UINTEGER AS account, 0::UINTEGER AS entitlement WHERE false"
    return (
        f"SELECT a.n AS account, e.n AS entitlement FROM {incoming.removals} r "
        f"JOIN {prefix}_account_ids a ON a.here = r.account "
        f"JOIN {prefix}_entitlement_ids e ON e.here = r.entitlement"
    )


def _counts(con: duckdb.DuckDBPyConnection, prefix: str, grants: int) -> Counts:
    row = con.execute(
        f"SELECT count(*), count(DISTINCT (resource_type, resource)) FROM {prefix}_entitlements"
    ).fetchone()
    entitlements, resources = row or (0, 0)
    return Counts(number_of(con, f"SELECT count(*) FROM {prefix}_accounts"), resources, entitlements, grants)


def _next_n(con: duckdb.DuckDBPyConnection, table: str) -> int:
    return number_of(con, f"SELECT max(n) + 1 FROM {table}")


def _leavers_grants(con: duckdb.DuckDBPyConnection, prefix: str) -> int:
    return number_of(
        con,
        f"SELECT count(*) FROM {prefix}_pairs WHERE op = 'removed' "
        f"AND account NOT IN (SELECT n FROM {prefix}_accounts)",
    )


def _marks_changed(con: duckdb.DuckDBPyConnection, prefix: str) -> bool:
    return bool(
        number_of(
            con,
            f"SELECT count(*) FROM {prefix}_accounts_came c JOIN {prefix}_old_accounts o ON o.n = c.n "
            "WHERE c.unconfirmed_since IS DISTINCT FROM o.unconfirmed_since",
        )
    )
