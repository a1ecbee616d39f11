"""Look-ups of entitlements: the list with member counts, and one entitlement."""

from __future__ import annotations

from typing import Any

import duckdb

from grantline.catalog.columns import ACCOUNT, ENTITLEMENT, ENTITLEMENT_FIELDS, ENTITLEMENT_KEY, GRANT
from grantline.catalog.lookups.keys import Parts, entitlement_key, packed_cursor, unpacked_cursor
from grantline.catalog.lookups.rows import Entitlement, Page, Since
from grantline.catalog.lookups.view import AsOf, Snapshots, Source, fetch, found_in, page_size, rank, sources
from grantline.errors import NotFound

SEARCHED = (*ENTITLEMENT_KEY, "display_name", "slug")
"""The columns in which a search looks."""

IS_THIS = " AND ".join(f"{name} IS NOT DISTINCT FROM ?" for name in ENTITLEMENT_KEY)
"""The condition that finds one entitlement; three parameters."""


def entitlements(
    con: duckdb.DuckDBPyConnection,
    snapshots: Snapshots,
    *,
    search: str | None = None,
    as_of: AsOf = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[Entitlement]:
    """Entitlements in the order of resource type, resource and entitlement, each with its members' count."""
    limit, after = page_size(limit), unpacked_cursor(cursor, str, str, str)
    chosen = sources(snapshots, as_of)
    if not chosen:
        return Page(())
    conditions, parameters = ["true"], list[Any]()
    if search:
        conditions.append(found_in(SEARCHED))
        parameters += [search] * len(SEARCHED)
    if after:
        conditions.append(f"({sorting()}) > (?, ?, ?)")
        parameters += after
    rows = fetch(
        con,
        f"SELECT * FROM {united_entitlements(chosen)} WHERE {' AND '.join(conditions)} "
        f"ORDER BY {sorting()} LIMIT {limit + 1}",
        parameters,
    )
    members = _members(con, chosen, [row[1:4] for row in rows[:limit]])
    items = tuple(_entitlement_of(row, snapshots, members.get(row[1:4], 0)) for row in rows[:limit])
    return Page(items, packed_cursor(*map(_sorting_text, rows[limit - 1][1:4])) if len(rows) > limit else None)


def entitlement(
    con: duckdb.DuckDBPyConnection, snapshots: Snapshots, parts: Parts, *, as_of: AsOf = None
) -> Entitlement:
    """One entitlement with its members' count; its members are `grants(entitlement=parts)`.

    Raises: `NotFound`.
    """
    chosen = sources(snapshots, as_of)
    query = f"SELECT * FROM {united_entitlements(chosen, IS_THIS)}" if chosen else ""
    rows = fetch(con, query, [*parts] * len(chosen)) if chosen else []
    if not rows:
        raise NotFound("There is no such entitlement.")
    return _entitlement_of(rows[0], snapshots, _members(con, chosen, [parts]).get(parts, 0))


def united_entitlements(chosen: list[Source], condition: str = "true") -> str:
    """A relation in parentheses: one row per entitlement, with `index` of the import that wins.

    Columns: `index`, the identity, the fields, `since`. The first import that describes an entitlement
    wins, before those whose rows only name it.
    """
    key = ", ".join(ENTITLEMENT_KEY)
    rows = " UNION ALL ".join(
        f"SELECT {source.index} AS index, {key}, {', '.join(ENTITLEMENT_FIELDS)}, since "
        f"FROM {source.rows(ENTITLEMENT)} WHERE {condition}"
        for source in chosen
    )
    if len(chosen) == 1:
        return f"({rows})"
    merged = ", ".join(f"arg_min({name}, rank) AS {name}" for name in ENTITLEMENT_FIELDS)
    return (
        f"(SELECT arg_min(index, rank) AS index, {key}, {merged}, arg_min(since, rank) AS since "
        f"FROM (SELECT *, {rank(ENTITLEMENT_FIELDS)} AS rank FROM ({rows})) GROUP BY {key})"
    )


def sorting(alias: str = "") -> str:
    """The three expressions that entitlements are sorted by: none comes before the empty text."""
    prefix = f"{alias}." if alias else ""
    return ", ".join(f"coalesce('=' || {prefix}{name}, '')" for name in ENTITLEMENT_KEY)


def _sorting_text(value: str | None) -> str:
    return "" if value is None else f"={value}"


def _members(con: duckdb.DuckDBPyConnection, chosen: list[Source], keys: list[Any]) -> dict[Any, int]:
    """Members of each of `keys`: accounts that have it, each counted once over all imports."""
    if not keys:
        return {}
    which = ", ".join("(?, ?, ?)" for _ in keys)
    parameters = [part for key in keys for part in key]
    key = ", ".join(f"e.{name}" for name in ENTITLEMENT_KEY)
    wanted = " AND ".join(f"e.{name} IS NOT DISTINCT FROM w.{name}" for name in ENTITLEMENT_KEY)
    several = len(chosen) > 1
    parts = [
        f"SELECT {key}{', a.id' if several else ''} FROM {source.rows(GRANT, by_entitlement=True)} g "
        f"JOIN (SELECT e.* FROM {source.rows(ENTITLEMENT)} e JOIN w ON {wanted}) e ON e.n = g.entitlement "
        + (f"JOIN {source.rows(ACCOUNT)} a ON a.n = g.account" if several else "")
        for source in chosen
    ]
    counted = "count(DISTINCT id)" if several else "count(*)"
    rows = fetch(
        con,
        f"WITH w({', '.join(ENTITLEMENT_KEY)}) AS MATERIALIZED (SELECT * FROM (VALUES {which})) "
        f"SELECT {', '.join(ENTITLEMENT_KEY)}, {counted} FROM ({' UNION ALL '.join(parts)}) GROUP BY ALL",
        parameters,
    )
    return {row[:3]: row[3] for row in rows}


def _entitlement_of(row: tuple[Any, ...], snapshots: Snapshots, members: int) -> Entitlement:
    index, resource_type, resource, name, display_name, slug, description, since = row
    return Entitlement(
        key=entitlement_key(resource_type, resource, name),
        resource_type=resource_type,
        resource=resource,
        entitlement=name,
        display_name=display_name,
        slug=slug,
        description=description,
        since=Since(snapshots[index][0], since),
        members=members,
    )
