"""Look-ups of changes: what one version, or several together, did to the rows of an import.

Nothing is stored for it: rows that came have a `since` in the range, rows that went have an `until` in
it, and a row that did both has changed. A row that is at the end what it was at the beginning is left
out. The list goes by kind (accounts, entitlements, grants), then by import, then by integer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

from grantline.catalog.columns import ACCOUNT, ENTITLEMENT, GRANT, SHAPES, Shape, differ, listed
from grantline.catalog.connection import path_literal
from grantline.catalog.lake import needed
from grantline.catalog.lookups.described import with_names
from grantline.catalog.lookups.entitlements import IS_THIS
from grantline.catalog.lookups.history import difference
from grantline.catalog.lookups.keys import Parts, entitlement_key, packed_cursor, unpacked_cursor
from grantline.catalog.lookups.rows import Change, Op, Page, Since
from grantline.catalog.lookups.view import Snapshots, Source, fetch, page_size, sources
from grantline.catalog.model import Kind


@dataclass(frozen=True)
class _Range:
    """The versions of one import after `after` and up to `upto`."""

    source: Source
    after: int
    upto: int


@dataclass(frozen=True)
class _Wanted:
    """What a caller asks for: only this operation, this account, this entitlement."""

    op: Op | None
    account: str | None
    entitlement: Parts | None


def changes(
    con: duckdb.DuckDBPyConnection,
    snapshots: Snapshots,
    *,
    between: Mapping[str, tuple[int, int]] | None = None,
    kind: Kind | None = None,
    op: Op | None = None,
    account: str | None = None,
    entitlement: Parts | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[Change]:
    """Changes of the versions after the first and up to the second number of `between`, per import.

    Version v alone is `(v - 1, v)`; without `between`, the newest version of every import. `account` (an
    id) and `entitlement` keep the rows that are about it, grants included.
    """
    limit = page_size(limit)
    start = unpacked_cursor(cursor, int, int, int, int) or [0, 0]
    wanted = _Wanted(op, account, entitlement)
    items: list[tuple[tuple[int, int, int, int], Change]] = []
    for place, shape in enumerate(SHAPES):
        if kind not in (None, shape.kind):
            continue
        for versions in _ranges(snapshots, between):
            spot = (place, versions.source.index)
            if spot < (start[0], start[1]) or len(items) > limit:
                continue
            after = (start[2], start[3]) if start[2:] and spot == (start[0], start[1]) else None
            for row in _rows(con, shape, versions, wanted, after, limit + 1 - len(items)):
                items.append(((*spot, row[0], row[1]), _change_of(shape, versions.source, row)))
    behind = packed_cursor(*items[limit - 1][0]) if len(items) > limit else None
    return Page(with_names(con, sources(snapshots), (change for _, change in items[:limit])), behind)


def _ranges(snapshots: Snapshots, between: Mapping[str, tuple[int, int]] | None) -> list[_Range]:
    if between is None:
        between = {import_id: (snapshot.number - 1, snapshot.number) for import_id, snapshot in snapshots}
    return [
        _Range(source, *map(int, between[source.import_id]))
        for source in sources(snapshots)
        if source.import_id in between
    ]


def _rows(
    con: duckdb.DuckDBPyConnection,
    shape: Shape,
    versions: _Range,
    wanted: _Wanted,
    after: tuple[int, int] | None,
    limit: int,
) -> list[tuple[Any, ...]]:
    """Rows of `x`, `y`, `op`, number, the names, then before's and after's key and fields."""
    about = _about(con, shape, versions.source, wanted)
    if about is None:
        return []
    conditions, parameters = [about], list[Any]()
    if wanted.op:
        conditions.append("op = ?")
        parameters.append(wanted.op)
    if after:
        conditions.append(f"(x, y) > ({int(after[0])}, {int(after[1])})")
    page = (
        f"SELECT * FROM ({_compared(shape, versions)}) WHERE {' AND '.join(conditions)} "
        f"ORDER BY x, y LIMIT {int(limit)}"
    )
    return fetch(con, _with_names(shape, versions.source, page), parameters)


def _compared(shape: Shape, versions: _Range) -> str:
    """A query of `x`, `y`, `op`, `number` and the values before (`a_…`) and after (`b_…`)."""
    values = (*shape.key, *shape.fields)
    x, y = shape.number_columns if len(shape.number_columns) == 2 else (shape.number_columns[0], None)
    second = f"coalesce(b.{y}, a.{y})" if y else "0"
    sides = ", ".join(f"{side}.{name} AS {side}_{name}" for side in ("a", "b") for name in values)
    return (
        f"SELECT coalesce(b.{x}, a.{x}) AS x, {second} AS y, "
        f"CASE WHEN a.{x} IS NULL THEN 'added' WHEN b.{x} IS NULL THEN 'removed' ELSE 'changed' END AS op, "
        f"coalesce(b.since, a.until) AS number, {sides} "
        f"FROM {_same(shape, versions, _after(shape, versions))} b "
        f"FULL JOIN {_same(shape, versions, _before(shape, versions))} a "
        f"ON {' AND '.join(f'a.{name} = b.{name}' for name in shape.number_columns)} "
        f"WHERE a.{x} IS NULL OR b.{x} IS NULL OR {differ(values, 'a', 'b')}"
    )


def _same(shape: Shape, versions: _Range, rows: str) -> str:
    """`rows` with one integer per key, over the whole range.

    A key that ends and comes back gets a new integer; over several versions it is the same row again.
    Within one version that cannot happen.
    """
    if versions.upto - versions.after <= 1:
        return rows
    own = {"account": ACCOUNT, "entitlement": ENTITLEMENT} if shape is GRANT else {"n": shape}
    replaced, joins = [], ""
    for column, kind in own.items():
        keys = f"SELECT DISTINCT n, {listed(kind.key)} FROM {versions.source.ever(kind)}"
        same = f"SELECT n, min(n) OVER (PARTITION BY {listed(kind.key)}) AS first FROM ({keys})"
        first = f"SELECT n, min(first) AS first FROM ({same}) GROUP BY n"  # a renamed row has two keys
        joins += f" JOIN ({first}) {column}_first ON {column}_first.n = r.{column}"
        replaced.append(f"{column}_first.first AS {column}")
    return f"(SELECT r.* REPLACE ({', '.join(replaced)}) FROM {rows} r{joins})"


def _after(shape: Shape, versions: _Range) -> str:
    """The rows true at the end of the range that were not at its beginning."""
    source, after, upto = versions.source, versions.after, versions.upto
    current = path_literal(needed(source.snapshot.folder / shape.file))
    columns = listed(shape.columns)
    rows = f"SELECT {columns} FROM read_parquet({current}) WHERE since > {after} AND since <= {upto}"
    if ended := source.ended(shape):
        rows += f" UNION ALL SELECT {columns} FROM {ended} WHERE since > {after} AND since <= {upto} AND until > {upto}"
    return f"({rows})"


def _before(shape: Shape, versions: _Range) -> str:
    """The rows true at the beginning of the range that are not any more at its end."""
    ended = versions.source.ended(shape)
    if ended is None:
        current = path_literal(needed(versions.source.snapshot.folder / shape.file))
        return (
            f"(SELECT {listed(shape.columns)}, CAST(NULL AS UINTEGER) AS until "
            f"FROM read_parquet({current}) WHERE false)"
        )
    return (
        f"(SELECT {listed(shape.columns)}, until FROM {ended} WHERE since <= {versions.after} "
        f"AND until > {versions.after} AND until <= {versions.upto})"
    )


def _about(con: duckdb.DuckDBPyConnection, shape: Shape, source: Source, wanted: _Wanted) -> str | None:
    """The condition on `x` and `y` that the callers' account and entitlement make; None: no row can match."""
    conditions = ["true"]
    if wanted.account is not None:
        if shape is ENTITLEMENT:
            return None
        found = fetch(con, f"SELECT DISTINCT n FROM {source.ever(ACCOUNT)} WHERE id = ?", [wanted.account])
        conditions.append(_among("x", found))
    if wanted.entitlement is not None:
        if shape is ACCOUNT:
            return None
        query = f"SELECT DISTINCT n FROM {source.ever(ENTITLEMENT)} WHERE {IS_THIS}"
        conditions.append(_among("x" if shape is ENTITLEMENT else "y", fetch(con, query, wanted.entitlement)))
    return " AND ".join(conditions)


def _among(column: str, found: list[tuple[Any, ...]]) -> str:
    return f"{column} IN ({', '.join(str(int(row[0])) for row in found)})" if found else "false"


def _with_names(shape: Shape, source: Source, page: str) -> str:
    """The page with the names of both ends of a grant; for other kinds they are in the row itself."""
    values = ", ".join(f"p.{side}_{name}" for side in "ab" for name in (*shape.key, *shape.fields))
    if shape is not GRANT:
        return f"WITH p AS MATERIALIZED ({page}) SELECT x, y, op, number, {values} FROM p ORDER BY x, y"
    return f"""
        WITH p AS MATERIALIZED ({page}),
        a AS (SELECT n, arg_max(id, since) AS id, arg_max_null(display_name, since) AS display_name
              FROM {source.ever(ACCOUNT)} WHERE n IN (SELECT x FROM p) GROUP BY n),
        e AS (SELECT n, arg_max_null(resource_type, since) AS resource_type,
                arg_max_null(resource, since) AS resource, arg_max_null(entitlement, since) AS entitlement,
                arg_max_null(display_name, since) AS display_name
              FROM {source.ever(ENTITLEMENT)} WHERE n IN (SELECT y FROM p) GROUP BY n)
        SELECT x, y, op, number, {values}, a.id, a.display_name, e.resource_type, e.resource, e.entitlement,
            e.display_name
        FROM p LEFT JOIN a ON a.n = p.x LEFT JOIN e ON e.n = p.y ORDER BY x, y
    """


def _change_of(shape: Shape, source: Source, row: tuple[Any, ...]) -> Change:
    _, _, op, number, *values = row
    names = (*shape.key, *shape.fields)
    before = dict(zip(names, values[: len(names)], strict=True))
    after = dict(zip(names, values[len(names) : 2 * len(names)], strict=True))
    shown = names if op == "changed" else shape.fields
    said = [{name: side[name] for name in shown if side[name] is not None} for side in (before, after)]
    if op == "changed":
        said = list(difference(said[0], said[1]))
    account, entitlement = _ends(shape, before if op == "removed" else after, values)
    return Change(
        kind=shape.kind,
        op=op,
        since=Since(source.import_id, number),
        account=account[0],
        account_display_name=account[1],
        entitlement_key=None if shape is ACCOUNT else entitlement_key(*entitlement[:3]),
        resource_type=entitlement[0],
        resource=entitlement[1],
        entitlement=entitlement[2],
        entitlement_display_name=entitlement[3],
        before=said[0],
        after=said[1],
    )


def _ends(shape: Shape, latest: dict[str, Any], values: list[Any]) -> tuple[list[Any], list[Any]]:
    """Id and name of the account, identity and name of the entitlement that a row is about."""
    if shape is ACCOUNT:
        return [latest["id"], latest["display_name"]], [None] * 4
    if shape is ENTITLEMENT:
        return [None] * 2, [latest[name] for name in (*shape.key, "display_name")]
    return values[-6:-4], values[-4:]
