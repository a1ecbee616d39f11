"""Look-ups of grants: of one account, of one entitlement, or all.

An account's grants are sorted by entitlement, an entitlement's members by account id. The list of all is
in the order of the files (by integer), so that a page reads a few row groups and not ten million rows;
the imports follow one another, and a grant that an earlier import has is not repeated.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb

from grantline.catalog.columns import ACCOUNT, ENTITLEMENT, GRANT
from grantline.catalog.lookups.described import named_rows, with_names
from grantline.catalog.lookups.entitlements import IS_THIS, sorting
from grantline.catalog.lookups.keys import Parts, entitlement_key, packed_cursor, unpacked_cursor
from grantline.catalog.lookups.rows import Grant, Page, Since
from grantline.catalog.lookups.view import AsOf, Snapshots, Source, fetch, found_in, page_size, sources

SEARCHED = (
    "a.id",
    "a.email",
    "a.display_name",
    "e.resource_type",
    "e.resource",
    "e.entitlement",
    "e.display_name",
)
"""The columns in which a search looks."""

JOINED = (
    "a.id AS account, a.display_name AS account_display_name, a.email AS account_email, "
    "a.status AS account_status, e.resource_type, e.resource, e.entitlement, "
    "e.display_name AS entitlement_display_name, g.granted_at, g.expires_at, g.since"
)


def grants(
    con: duckdb.DuckDBPyConnection,
    snapshots: Snapshots,
    *,
    account: str | None = None,
    entitlement: Parts | None = None,
    search: str | None = None,
    as_of: AsOf = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[Grant]:
    """Grants with the names of both ends; of `account`, of `entitlement`, of both, or all.

    An account or entitlement that is not there has none.
    """
    limit, chosen = page_size(limit), sources(snapshots, as_of)
    if account is None and entitlement is None:
        return _all(con, snapshots, chosen, search, limit, cursor)
    return _bounded(con, snapshots, chosen, account, entitlement, search, limit, cursor)


def joined(
    source: Source, condition: str = "true", *, by_entitlement: bool = False, names_of: Sequence[Source] = ()
) -> str:
    """A query of `index`, `JOINED` and the integers `x`, `y` of one import's grants.

    `names_of`: the imports whose names are searched, too; else those of this import alone.
    """
    return (
        f"SELECT {source.index} AS index, {JOINED}, g.account AS x, g.entitlement AS y "
        f"FROM {source.rows(GRANT, by_entitlement=by_entitlement)} g "
        f"JOIN {named_rows(source, ACCOUNT, names_of)} a ON a.n = g.account "
        f"JOIN {named_rows(source, ENTITLEMENT, names_of)} e ON e.n = g.entitlement WHERE {condition}"
    )


def _bounded(
    con: duckdb.DuckDBPyConnection,
    snapshots: Snapshots,
    chosen: list[Source],
    account: str | None,
    entitlement: Parts | None,
    search: str | None,
    limit: int,
    cursor: str | None,
) -> Page[Grant]:
    after = unpacked_cursor(cursor, str, str, str, str)
    queries, parameters = [], list[Any]()
    for source in chosen:
        condition = _integers(con, source, account, entitlement)
        if condition is None:
            continue
        if account is not None:
            condition += " AND a.id = ?"
            parameters.append(account)
        if search:
            condition += f" AND {found_in(SEARCHED)}"
            parameters += [search] * len(SEARCHED)
        names_of = chosen if search else ()
        queries.append(joined(source, condition, by_entitlement=account is None, names_of=names_of))
    if not queries:
        return Page(())
    once = ""
    if len(queries) > 1:
        once = (
            "QUALIFY row_number() OVER (PARTITION BY account, resource_type, resource, entitlement ORDER BY index) = 1"
        )
    go_on = ""
    if after:
        go_on = f"WHERE (account, {sorting()}) > (?, ?, ?, ?)"
        parameters += after
    rows = fetch(
        con,
        f"SELECT * FROM ({' UNION ALL '.join(queries)}) {go_on} {once} ORDER BY account, {sorting()} LIMIT {limit + 1}",
        parameters,
    )
    last = rows[limit - 1] if len(rows) > limit else None
    behind = packed_cursor(last[1], *("" if part is None else f"={part}" for part in last[5:8])) if last else None
    return Page(with_names(con, chosen, (_grant_of(row, snapshots) for row in rows[:limit])), behind)


def _integers(
    con: duckdb.DuckDBPyConnection, source: Source, account: str | None, entitlement: Parts | None
) -> str | None:
    """The condition on `g` in integers, which lets DuckDB skip row groups; None where nothing can match."""
    conditions = []
    if account is not None:
        found = fetch(con, f"SELECT n FROM {source.rows(ACCOUNT)} WHERE id = ?", [account])
        if not found:
            return None
        conditions.append(f"g.account = {int(found[0][0])}")
    if entitlement is not None:
        found = fetch(con, f"SELECT n FROM {source.rows(ENTITLEMENT)} WHERE {IS_THIS}", entitlement)
        if not found:
            return None
        conditions.append(f"g.entitlement = {int(found[0][0])}")
    return " AND ".join(conditions)


def _all(
    con: duckdb.DuckDBPyConnection,
    snapshots: Snapshots,
    chosen: list[Source],
    search: str | None,
    limit: int,
    cursor: str | None,
) -> Page[Grant]:
    index, *pair = unpacked_cursor(cursor, int, int, int) or [0]
    rows: list[tuple[Any, ...]] = []
    for place, source in enumerate(chosen):
        if source.index < index:
            continue
        after = (pair[0], pair[1]) if pair and source.index == index else None
        rows += _one_import(con, chosen, place, search, after, limit + 1 - len(rows))
        if len(rows) > limit:
            break
    last = rows[limit - 1] if len(rows) > limit else None
    behind = packed_cursor(last[0], last[12], last[13]) if last else None
    return Page(with_names(con, chosen, (_grant_of(row, snapshots) for row in rows[:limit])), behind)


def _one_import(
    con: duckdb.DuckDBPyConnection,
    chosen: list[Source],
    place: int,
    search: str | None,
    after: tuple[int, int] | None,
    limit: int,
) -> list[tuple[Any, ...]]:
    """The next grants of one import that no earlier import has."""
    source, earlier = chosen[place], chosen[:place]
    condition, parameters = "true", list[Any]()
    if after:
        x, y = int(after[0]), int(after[1])
        condition = f"(g.account > {x} OR (g.account = {x} AND g.entitlement > {y})) AND g.account >= {x}"
    for other in earlier:
        condition += (
            f" AND NOT EXISTS (FROM ({joined(other)}) o WHERE o.account = a.id AND o.resource_type "
            "IS NOT DISTINCT FROM e.resource_type AND o.resource IS NOT DISTINCT FROM e.resource "
            "AND o.entitlement IS NOT DISTINCT FROM e.entitlement)"
        )
    if search:
        condition += f" AND {found_in(SEARCHED)}"
        parameters = [search] * len(SEARCHED)
    elif not earlier:
        condition += f" AND g.account <= {_last_account(con, source, after, limit)}"
    query = joined(source, condition, names_of=chosen if search else ())
    return fetch(con, f"{query} ORDER BY x, y LIMIT {limit}", parameters)


def _last_account(con: duckdb.DuckDBPyConnection, source: Source, after: tuple[int, int] | None, limit: int) -> int:
    """The account up to which a page reaches: a bound that keeps the join from touching all rows."""
    x, y = (int(after[0]), int(after[1])) if after else (0, -1)
    rows = fetch(
        con,
        f"SELECT max(account) FROM (SELECT account FROM {source.rows(GRANT)} WHERE account >= {x} "
        f"AND (account > {x} OR entitlement > {y}) ORDER BY account, entitlement LIMIT {limit})",
    )
    return int(rows[0][0] or 0)


def _grant_of(row: tuple[Any, ...], snapshots: Snapshots) -> Grant:
    index, account, name, email, status, resource_type, resource, entitlement, display_name, *rest = row
    granted_at, expires_at, since = rest[:3]
    return Grant(
        account=account,
        account_display_name=name,
        account_email=email,
        account_status=status,
        entitlement_key=entitlement_key(resource_type, resource, entitlement),
        resource_type=resource_type,
        resource=resource,
        entitlement=entitlement,
        entitlement_display_name=display_name,
        granted_at=granted_at,
        expires_at=expires_at,
        since=Since(snapshots[index][0], since),
    )
