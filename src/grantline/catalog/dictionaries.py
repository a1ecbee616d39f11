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
    refused rows name (for accounts only), `renamed` the relation of `n` and new key of current rows that
    came under another key (`aliases.known_by_alias`).
    """

    shape: Shape
    came: str
    old: str
    next_n: int
    stays: str
    unconfirmed: str | None = None
    renamed: str | None = None


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
    n, renamed = "o.n", ""
    if side.renamed:
        n, renamed = "coalesce(o.n, r.n)", f"LEFT JOIN {side.renamed} r ON {equal(side.shape.key, 'i', 'r')}"
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE {ids} AS
        WITH known AS (
            SELECT i.n AS here, {n} AS n
            FROM {side.came} i LEFT JOIN {side.old} o ON {equal(side.shape.key, "i", "o")} {renamed}
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

    Only rows that differ are put into tables; what stays is read from the current file through a view.
    Returns how many came, went and changed.
    """
    shape = side.shape
    name = f"{prefix}_{shape.plural}"
    came, gone = f"{name}_came", f"{name}_gone"
    _make_came(con, side, stated, number, prefix)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {gone} AS SELECT n FROM {side.old} o WHERE NOT ({side.stays}) "
        f"AND n NOT IN (SELECT n FROM {prefix}_{shape.kind}_ids)"
    )
    if side.unconfirmed:
        _mark_absent(con, side, number, prefix)
    con.execute(
        f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT {listed(shape.columns)} FROM {side.old} o "
        f"WHERE n NOT IN (SELECT n FROM {came}) AND n NOT IN (SELECT n FROM {gone}) "
        f"UNION ALL SELECT {listed(shape.columns)} FROM {came}"
    )
    con.execute(
        f"CREATE OR REPLACE TEMP VIEW {prefix}_ended_{shape.plural} AS "
        f"SELECT {listed(shape.columns)}, CAST({number} AS UINTEGER) AS until FROM {side.old} o "
        f"WHERE n IN (SELECT n FROM {gone} UNION ALL SELECT n FROM {came} WHERE since = {number})"
    )
    added = number_of(con, f"SELECT count(*) FROM {prefix}_{shape.kind}_ids WHERE fresh")
    begun = number_of(con, f"SELECT count(*) FROM {came} WHERE since = {number}")
    return KindChanges(added, number_of(con, f"SELECT count(*) FROM {gone}"), begun - added)


def number_of(con: duckdb.DuckDBPyConnection, query: str) -> int:
    """The one number that `query` answers with; 0 for NULL."""
    row = con.execute(query).fetchone()
    return int(row[0] or 0) if row else 0


def _make_came(con: duckdb.DuckDBPyConnection, side: Side, stated: frozenset[str], number: int, prefix: str) -> None:
    """`<prefix>_<plural>_came`: the rows that came and differ from the current ones, with our integers
    and with old values where the file does not state any."""
    shape, ids = side.shape, f"{prefix}_{side.shape.kind}_ids"
    parameters: list[object] = []
    profiles = ""
    if is_merged(shape, stated):
        with_ids = f"(SELECT ids.n, i.profile FROM {side.came} i JOIN {ids} ids ON ids.here = i.n)"
        both = f"(SELECT * FROM {side.old} o WHERE n IN (SELECT n FROM {ids}))"
        profiles = f"LEFT JOIN ({merged_profiles(with_ids, both)}) p ON p.n = ids.n"
        parameters = [sorted(stated_profile_keys(stated))]
    values = {name: _value(shape, name, stated) for name in shape.fields}
    says = f"(ids.fresh OR {_differs(values)})"
    if side.renamed:
        says = f"({says} OR {differ(shape.key, 'i', 'o')})"
    mark, marked = "", "false"
    if side.unconfirmed:
        mark = f"CASE WHEN {_named(side, 'i')} THEN coalesce(o.unconfirmed_since, {number}) END"
        marked = f"{mark} IS DISTINCT FROM o.unconfirmed_since"
        mark = f", CAST({mark} AS UINTEGER) AS unconfirmed_since"
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE {prefix}_{shape.plural}_came AS
        SELECT ids.n, {listed(shape.key, "i")},
            {", ".join(f"{value} AS {name}" for name, value in values.items())},
            CAST(CASE WHEN {says} THEN {number} ELSE o.since END AS UINTEGER) AS since {mark}
        FROM {side.came} i JOIN {ids} ids ON ids.here = i.n
        LEFT JOIN {side.old} o ON o.n = ids.n {profiles}
        WHERE {says} OR {marked}
        """,
        parameters,
    )


def _mark_absent(con: duckdb.DuckDBPyConnection, side: Side, number: int, prefix: str) -> None:
    """Put current accounts that only refused rows name among the rows that differ, newly marked."""
    shape = side.shape
    came = f"{prefix}_{shape.plural}_came"
    row = listed((*shape.number_columns, *shape.key, *shape.fields, "since"), "o")
    con.execute(
        f"INSERT INTO {came} SELECT {row}, {number} FROM {side.old} o WHERE {_named(side, 'o')} "
        f"AND o.unconfirmed_since IS NULL AND n NOT IN (SELECT n FROM {prefix}_{shape.kind}_ids) "
        f"AND n NOT IN (SELECT n FROM {prefix}_{shape.plural}_gone)"
    )


def _value(shape: Shape, field: str, stated: frozenset[str]) -> str:
    if not is_stated(shape, field, stated):
        return f"CASE WHEN ids.fresh THEN i.{field} ELSE o.{field} END"
    return "p.profile" if field == "profile" and is_merged(shape, stated) else f"i.{field}"


def _differs(values: dict[str, str]) -> str:
    """The condition that a current row says something else; fields that are not stated never do."""
    parts = [f"{value} IS DISTINCT FROM o.{name}" for name, value in values.items() if not value.startswith("CASE")]
    return f"({' OR '.join(parts)})" if parts else "false"


def _named(side: Side, alias: str) -> str:
    return f"{alias}.id IN (SELECT id FROM {side.unconfirmed})"
