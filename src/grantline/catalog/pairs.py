"""The diff of grants: pairs of integers, many of them.

In: the file's grants with its own integers, the map to the import's integers, the file of the current
grants. Out: `<prefix>_pairs`, one row per grant that came, went or changed (`account`, `entitlement`,
`granted_at`, `expires_at`, `old_granted_at`, `old_expires_at`, `old_since`, `op`), and two views made of
it: the grants of the new version and the grants that ended.

Few accounts change between two versions, so rows are not compared one by one at first: each account's
grants are summed up in a count and two 64-bit digests on both sides, and only accounts whose sums differ
are compared by pair. The digests are salted at random for every run, so that no file can be written to
have equal sums on purpose; by chance it happens less often than once in 10^19 accounts.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import duckdb

from grantline.catalog.columns import GRANT_FIELDS
from grantline.catalog.dictionaries import number_of
from grantline.catalog.model import KindChanges

COMPARED_AT_ONCE = 50_000
"""Up to so many current grants every pair is compared: the digests would cost more than they save."""


@dataclass(frozen=True)
class Pairs:
    """The inputs: names of relations and conditions.

    `came` has `account`, `entitlement` (the file's integers) and `GRANT_FIELDS`; `old` is the current
    grants, `old_other_way` the same sorted by entitlement, where there is such a file. `removals` (mode
    *delta*) has `account`, `entitlement` of single grants that end and `leavers` the `n` of accounts
    that end. `unconfirmed` holds the `n` of accounts whose grants stay.
    """

    came: str
    old: str
    old_other_way: str
    old_count: int
    stated_fields: tuple[str, ...]
    unconfirmed: str
    removals: str | None = None
    leavers: str | None = None

    @property
    def is_delta(self) -> bool:
        """Whether rows that the file does not name stay."""
        return self.removals is not None


def first_pairs(con: duckdb.DuckDBPyConnection, came: str, number: int, prefix: str) -> KindChanges:
    """The first version of an import: every grant is new, the integers are the file's."""
    for name in (f"{prefix}_grants", f"{prefix}_grants_other_way"):
        con.execute(
            f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT account, entitlement, granted_at, "
            f"expires_at, CAST({number} AS UINTEGER) AS since FROM {came}"
        )
    con.execute(
        f"CREATE OR REPLACE TEMP VIEW {prefix}_ended_grants AS SELECT *, CAST({number} AS UINTEGER) "
        f"AS until FROM {prefix}_grants WHERE false"
    )
    return KindChanges(added=number_of(con, f"SELECT count(*) FROM {came}"))


def merge_pairs(con: duckdb.DuckDBPyConnection, pairs: Pairs, number: int, prefix: str) -> KindChanges:
    """Make `<prefix>_pairs`, `<prefix>_grants` and `<prefix>_ended_grants`; returns the counts.

    `<prefix>_grants_other_way` has the same rows as `<prefix>_grants`, read from the file that is sorted
    by entitlement, because rows that are nearly in order are sorted faster.
    """
    touched = _touched(con, pairs, prefix)
    _compare(con, pairs, touched, prefix)
    for name, old in ((f"{prefix}_grants", pairs.old), (f"{prefix}_grants_other_way", pairs.old_other_way)):
        con.execute(
            f"""
            CREATE OR REPLACE TEMP VIEW {name} AS
            SELECT account, entitlement, granted_at, expires_at, since FROM {old} o
            WHERE NOT EXISTS (
                FROM {prefix}_pairs p WHERE p.account = o.account AND p.entitlement = o.entitlement)
            UNION ALL
            SELECT account, entitlement, granted_at, expires_at, CAST({number} AS UINTEGER)
            FROM {prefix}_pairs WHERE op <> 'removed'
            """
        )
    con.execute(
        f"""
        CREATE OR REPLACE TEMP VIEW {prefix}_ended_grants AS
        SELECT account, entitlement, old_granted_at AS granted_at, old_expires_at AS expires_at,
            old_since AS since, CAST({number} AS UINTEGER) AS until
        FROM {prefix}_pairs WHERE op <> 'added'
        """
    )
    counted = dict(con.execute(f"SELECT op, count(*) FROM {prefix}_pairs GROUP BY op").fetchall())
    return KindChanges(counted.get("added", 0), counted.get("removed", 0), counted.get("changed", 0))


def _touched(con: duckdb.DuckDBPyConnection, pairs: Pairs, prefix: str) -> str | None:
    """The table of `n` of accounts whose grants must be compared by pair; None: all of them."""
    table = f"{prefix}_touched"
    if pairs.is_delta:
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT DISTINCT a.n FROM {prefix}_account_ids a "
            f"WHERE a.here IN (SELECT account FROM {pairs.came}) UNION SELECT account FROM {pairs.removals} "
            f"UNION SELECT n FROM {pairs.leavers}"
        )
        return table
    if pairs.old_count <= COMPARED_AT_ONCE:
        return None
    salt = secrets.randbits(63)
    said = "".join(f", {field}" for field in pairs.stated_fields)
    digests = (
        f"count(*) AS c, sum(hash(entitlement, {salt}{said})) AS h, "
        f"bit_xor(hash({salt ^ 0x5A5A5A5A5A5A5A5A}{said}, entitlement)) AS x"
    )
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE {table} AS
        WITH here AS (
            SELECT account AS here, {digests}
            FROM (SELECT g.account, e.n AS entitlement{said}
                  FROM {pairs.came} g JOIN {prefix}_entitlement_ids e ON e.here = g.entitlement)
            GROUP BY account),
        came AS (SELECT a.n, c, h, x FROM here JOIN {prefix}_account_ids a USING (here)),
        old AS (SELECT account AS n, {digests} FROM {pairs.old} GROUP BY account)
        SELECT n FROM came FULL JOIN old USING (n)
        WHERE came.c IS DISTINCT FROM old.c OR came.h IS DISTINCT FROM old.h
            OR came.x IS DISTINCT FROM old.x
        """
    )
    return table


def _compare(con: duckdb.DuckDBPyConnection, pairs: Pairs, touched: str | None, prefix: str) -> None:
    def only(column: str) -> str:
        return f"WHERE {column} IN (SELECT n FROM {touched})" if touched else ""

    values = ", ".join(
        f"i.{field}"
        if field in pairs.stated_fields
        else f"CASE WHEN o.account IS NULL THEN i.{field} ELSE o.{field} END AS {field}"
        for field in GRANT_FIELDS
    )
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE {prefix}_pairs AS
        WITH i AS MATERIALIZED (
            SELECT a.n AS account, e.n AS entitlement, granted_at, expires_at
            FROM {pairs.came} g JOIN {prefix}_account_ids a ON a.here = g.account
            JOIN {prefix}_entitlement_ids e ON e.here = g.entitlement {only("a.n")}),
        o AS MATERIALIZED (SELECT * FROM {pairs.old} {only("account")}),
        compared AS (
            SELECT coalesce(i.account, o.account) AS account,
                coalesce(i.entitlement, o.entitlement) AS entitlement, {values},
                o.granted_at AS old_granted_at, o.expires_at AS old_expires_at, o.since AS old_since,
                CASE WHEN {_ends(pairs)} THEN 'removed' WHEN o.account IS NULL THEN 'added'
                    WHEN i.account IS NULL THEN 'kept' ELSE 'changed' END AS op
            FROM i FULL JOIN o ON i.account = o.account AND i.entitlement = o.entitlement)
        SELECT * FROM compared WHERE op IN ('added', 'removed') OR (op = 'changed' AND (
            granted_at IS DISTINCT FROM old_granted_at OR expires_at IS DISTINCT FROM old_expires_at))
        """
    )


def _ends(pairs: Pairs) -> str:
    """The condition on `i` (came) and `o` (old) under which a current grant ends."""
    if not pairs.is_delta:
        return f"i.account IS NULL AND o.account NOT IN (SELECT n FROM {pairs.unconfirmed})"
    return (
        f"o.account IS NOT NULL AND (o.account IN (SELECT n FROM {pairs.leavers}) OR EXISTS "
        f"(FROM {pairs.removals} r WHERE r.account = o.account AND r.entitlement = o.entitlement))"
    )
