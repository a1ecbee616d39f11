"""Who is affected by what one version takes away.

In: one version. Out: the accounts that lose at least one grant or go themselves, with how many grants
each loses, those that lose most first; and how many there are.
"""

from __future__ import annotations

import duckdb

from grantline.catalog.columns import ACCOUNT, GRANT
from grantline.catalog.lookups.keys import packed_cursor, unpacked_cursor
from grantline.catalog.lookups.rows import Affected, Page
from grantline.catalog.lookups.view import Source, fetch, page_size
from grantline.catalog.model import Snapshot


def affected(
    con: duckdb.DuckDBPyConnection,
    import_id: str,
    snapshot: Snapshot,
    number: int,
    *,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[Affected]:
    """Accounts that lose something by version `number`, those that lose most grants first."""
    limit, after = page_size(limit), unpacked_cursor(cursor, int, int)
    source, before = Source(0, import_id, snapshot, number), Source(0, import_id, snapshot, number - 1)
    if number <= 1:
        return Page(())
    behind = f"WHERE (-lost, n) > (-{int(after[0])}, {int(after[1])})" if after else ""
    rows = fetch(
        con,
        f"WITH losing AS ({_losing(source, before)}), page AS (SELECT * FROM losing {behind} "
        f"ORDER BY lost DESC, n LIMIT {limit + 1}) "
        f"SELECT p.n, a.id, a.display_name, a.email, p.lost, p.leaves FROM page p "
        f"JOIN {before.rows(ACCOUNT)} a ON a.n = p.n ORDER BY p.lost DESC, p.n",
    )
    items = tuple(Affected(*row[1:]) for row in rows[:limit])
    last = rows[limit - 1] if len(rows) > limit else None
    return Page(items, packed_cursor(last[4], last[0]) if last else None)


def affected_count(con: duckdb.DuckDBPyConnection, import_id: str, snapshot: Snapshot, number: int) -> int:
    """How many accounts lose something by version `number`."""
    if number <= 1:
        return 0
    source, before = Source(0, import_id, snapshot, number), Source(0, import_id, snapshot, number - 1)
    return int(fetch(con, f"SELECT count(*) FROM ({_losing(source, before)})")[0][0])


def _losing(source: Source, before: Source) -> str:
    """A query of `n`, `lost` (grants) and `leaves` (the account itself goes)."""
    gone_accounts = f"SELECT n FROM {before.rows(ACCOUNT)} WHERE n NOT IN (SELECT n FROM {source.rows(ACCOUNT)})"
    ended = source.ended(GRANT)
    grants = "SELECT 0::UINTEGER AS n, 0 AS lost WHERE false"
    if ended is not None:
        again = (
            f"SELECT 1 FROM {source.rows(GRANT)} g WHERE g.since = {source.number:d} "
            "AND g.account = o.account AND g.entitlement = o.entitlement"
        )
        grants = (
            f"SELECT o.account AS n, count(*) AS lost FROM {ended} o WHERE o.until = {source.number:d} "
            f"AND NOT EXISTS ({again}) GROUP BY 1"
        )
    return (
        f"SELECT coalesce(g.n, a.n) AS n, coalesce(g.lost, 0) AS lost, a.n IS NOT NULL AS leaves "
        f"FROM ({grants}) g FULL JOIN ({gone_accounts}) a ON a.n = g.n"
    )
