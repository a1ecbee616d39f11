"""The diff of accounts and of entitlements: the two kinds that are found by a key of texts.

In: a relation of what came and the relation of what is current. Out, per kind: temporary tables that map
the file's integers to the import's own (`<prefix>_<kind>_ids`: `here`, `n`, `fresh`), the rows of the
new version (`<prefix>_<plural>`) and the rows that ended (`<prefix>_ended_<plural>`). Invariants: a key
that is current keeps its integer; an integer is never given twice, so a key that comes back gets a new
one; a row that says the same keeps its `since`. Which absent rows stay is the caller's condition.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from grantline.catalog.columns import Shape, differ, equal, listed
from grantline.catalog.model import KindChanges
from grantline.catalog.stated import is_merged, is_stated, merged_profiles, stated_profile_keys


@dataclass(frozen=True)
class Side:
    """The inputs of one kind.

    `came` and `old` are names of relations, `next_n` is the next integer to give, `stays` the condition
    on `o` under which an old row that did not come stays, `unconfirmed` the relation of account ids that
    refused rows name (for accounts only).
    """

    shape: Shape
    came: str
    old: str
    next_n: int
    stays: str
    unconfirmed: str | None = None


def first(con: duckdb.DuckDBPyConnection, side: Side, number: int, prefix: str) -> KindChanges:
    """The first version of an import: every row is new and the file's integers are the import's own.

    Makes `<prefix>_<plural>` and an empty `<prefix>_ended_<plural>`, both as views.
    """
    shape = side.shape
    row = "i.n, " + listed((*shape.key, *shape.fields), "i") + f", CAST({number} AS UINTEGER) AS since"
    if side.unconfirmed:
        row += f", CASE WHEN {_named(side, 'i')} THEN CAST({number} AS UINTEGER) END AS unconfirmed_since"
    current = f"{prefix}_{shape.plural}"
    con.execute(f"CREATE OR REPLACE TEMP VIEW {current} AS SELECT {row} FROM {side.came} i")
    con.execute(
        f"CREATE OR REPLACE TEMP VIEW {prefix}_ended_{shape.plural} AS "
        f"SELECT *, CAST({number} AS UINTEGER) AS until FROM {current} WHERE false"
    )
    return KindChanges(added=number_of(con, f"SELECT count(*) FROM {side.came}"))


def assign(con: duckdb.DuckDBPyConnection, side: Side, prefix: str) -> int:
    """Make `<prefix>_<kind>_ids`; returns the next integer to give."""
    ids = f"{prefix}_{side.shape.kind}_ids"
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE {ids} AS
        WITH known AS (
            SELECT i.n AS here, o.n
            FROM {side.came} i LEFT JOIN {side.old} o ON {equal(side.shape.key, "i", "o")}
        )
        SELECT here, n, false AS fresh FROM known WHERE n IS NOT NULL
        UNION ALL
        SELECT here, CAST(? + row_number() OVER (ORDER BY here) - 1 AS UINTEGER), true
        FROM known WHERE n IS NULL
        """,
        [side.next_n],
    )
    return side.next_n + number_of(con, f"SELECT count(*) FROM {ids} WHERE fresh")


def merge(con: duckdb.DuckDBPyConnection, side: Side, stated: frozenset[str], number: int, prefix: str) -> KindChanges:
    """Make the rows of the new version and those that ended; `assign` comes before.

    Returns how many came, went and changed.
    """
    shape = side.shape
    came = f"{prefix}_{shape.plural}_came"
    current, ended = f"{prefix}_{shape.plural}", f"{prefix}_ended_{shape.plural}"
    _make_came(con, side, stated, number, prefix)
    _make(
        con,
        current,
        f"""
        SELECT {listed(shape.columns)} FROM {came}
        UNION ALL
        SELECT {_kept_row(side, number)} FROM {side.old} o
        WHERE ({side.stays}) AND NOT EXISTS (FROM {came} c WHERE c.n = o.n)
        """,
    )
    _make(
        con,
        ended,
        f"""
        SELECT {listed(shape.columns)}, CAST({number} AS UINTEGER) AS until FROM {side.old} o
        WHERE NOT EXISTS (FROM {current} c WHERE c.n = o.n AND c.since = o.since)
        """,
    )
    added = number_of(con, f"SELECT count(*) FROM {prefix}_{shape.kind}_ids WHERE fresh")
    gone = number_of(con, f"SELECT count(*) FROM {ended}")
    changed = number_of(con, f"SELECT count(*) FROM {ended} e WHERE EXISTS (FROM {current} c WHERE c.n = e.n)")
    return KindChanges(added, gone - changed, changed)


def number_of(con: duckdb.DuckDBPyConnection, query: str) -> int:
    """The one number that `query` answers with; 0 for NULL."""
    row = con.execute(query).fetchone()
    return int(row[0] or 0) if row else 0


def _make(con: duckdb.DuckDBPyConnection, name: str, query: str) -> None:
    """A table behind a view: the first version has views of these names, and a name has one type."""
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name}_rows AS {query}")
    con.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT * FROM {name}_rows")


def _make_came(con: duckdb.DuckDBPyConnection, side: Side, stated: frozenset[str], number: int, prefix: str) -> None:
    """`<prefix>_<plural>_came`: the rows that came, with our integers, old values where not stated."""
    shape, ids = side.shape, f"{prefix}_{side.shape.kind}_ids"
    parameters: list[object] = []
    profiles = ""
    if is_merged(shape, stated):
        with_ids = f"(SELECT ids.n, i.profile FROM {side.came} i JOIN {ids} ids ON ids.here = i.n)"
        both = f"(SELECT * FROM {side.old} o WHERE n IN (SELECT n FROM {ids}))"
        profiles = f"LEFT JOIN ({merged_profiles(with_ids, both)}) p ON p.n = ids.n"
        parameters = [sorted(stated_profile_keys(stated))]
    fields = ", ".join(f"{_value(shape, name, stated)} AS {name}" for name in shape.fields)
    mark = ""
    if side.unconfirmed:
        mark = f", CASE WHEN {_named(side, 's')} THEN coalesce(o.unconfirmed_since, {number}) END"
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE {prefix}_{shape.plural}_came AS
        WITH s AS (
            SELECT ids.n, {listed(shape.key, "i")}, {fields}
            FROM {side.came} i JOIN {ids} ids ON ids.here = i.n
            LEFT JOIN {side.old} o ON o.n = ids.n {profiles}
        )
        SELECT s.*, CAST(CASE WHEN o.n IS NOT NULL AND NOT {differ(shape.fields, "s", "o")}
            THEN o.since ELSE {number} END AS UINTEGER) AS since
            {mark and f"{mark}::UINTEGER AS unconfirmed_since"}
        FROM s LEFT JOIN {side.old} o ON o.n = s.n
        """,
        parameters,
    )


def _value(shape: Shape, field: str, stated: frozenset[str]) -> str:
    if not is_stated(shape, field, stated):
        return f"CASE WHEN ids.fresh THEN i.{field} ELSE o.{field} END"
    return "p.profile" if field == "profile" and is_merged(shape, stated) else f"i.{field}"


def _kept_row(side: Side, number: int) -> str:
    shape = side.shape
    row = listed((*shape.number_columns, *shape.key, *shape.fields, "since"), "o")
    if not side.unconfirmed:
        return row
    return (
        f"{row}, CASE WHEN {_named(side, 'o')} AND o.unconfirmed_since IS NULL "
        f"THEN CAST({number} AS UINTEGER) ELSE o.unconfirmed_since END"
    )


def _named(side: Side, alias: str) -> str:
    return f"{alias}.id IN (SELECT id FROM {side.unconfirmed})"
