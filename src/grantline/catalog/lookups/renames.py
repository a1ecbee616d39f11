"""Likely renames: one key went and one came in the same version, and both are otherwise the same.

In: one version. Out: pairs of keys of one kind with what they share: the name, the e-mail address, or
exactly the same members (an account: exactly the same entitlements). Only pairs where each side has one
candidate are pointed out; nothing is decided here.
"""

from __future__ import annotations

from typing import Any

import duckdb

from grantline.catalog.columns import ACCOUNT, ENTITLEMENT, GRANT, Shape, listed
from grantline.catalog.lookups.keys import entitlement_key
from grantline.catalog.lookups.rows import Rename
from grantline.catalog.lookups.view import Source, fetch
from grantline.catalog.model import Snapshot

MOST = 200
"""Pairs that are pointed out; where more keys changed, a whole spelling rule did, and a list does not help."""

SAME_AT_LEAST = 2
"""Members that both must have to be taken for the same by them alone."""


def likely_renames(con: duckdb.DuckDBPyConnection, import_id: str, snapshot: Snapshot, number: int) -> list[Rename]:
    """The likely renames that version `number` of the import brought."""
    source = Source(0, import_id, snapshot, number)
    before = Source(0, import_id, snapshot, number - 1)
    found = []
    for shape in (ENTITLEMENT, ACCOUNT):
        if source.ended(shape) is not None and number > 1:
            found += [_rename_of(shape, row) for row in fetch(con, _pairs(shape, source, before, number))]
    return found


def _pairs(shape: Shape, source: Source, before: Source, number: int) -> str:
    """A query of the old key, the new key, and what both share."""
    own, other = ("entitlement", "account") if shape is ENTITLEMENT else ("account", "entitlement")
    names = ("display_name",) if shape is ENTITLEMENT else ("email", "username", "display_name")
    went = f"SELECT * FROM {before.rows(shape)} WHERE n NOT IN (SELECT n FROM {source.rows(shape)})"
    came = f"SELECT * FROM {source.rows(shape)} WHERE n NOT IN (SELECT n FROM {before.rows(shape)})"
    return f"""
        WITH went AS MATERIALIZED ({went}), came AS MATERIALIZED ({came}),
        went_with AS (SELECT {own} AS n, list_sort(list({other})) AS members FROM {before.rows(GRANT)}
            WHERE {own} IN (SELECT n FROM went) GROUP BY 1 HAVING count(*) >= {SAME_AT_LEAST}),
        came_with AS (SELECT {own} AS n, list_sort(list({other})) AS members FROM {source.rows(GRANT)}
            WHERE {own} IN (SELECT n FROM came) GROUP BY 1 HAVING count(*) >= {SAME_AT_LEAST}),
        alike AS (
            {" UNION ALL ".join(_by_name(name, place) for place, name in enumerate(names))}
            UNION ALL SELECT w.n AS old, c.n AS new, 'members' AS shared, 9 AS place
            FROM went_with w JOIN came_with c ON w.members = c.members),
        pairs AS (SELECT old, new, list(shared ORDER BY place) AS shared FROM alike GROUP BY old, new
            QUALIFY count(*) OVER (PARTITION BY old) = 1 AND count(*) OVER (PARTITION BY new) = 1)
        SELECT {listed(shape.key, "w")}, {listed(shape.key, "c")}, shared
        FROM pairs JOIN went w ON w.n = old JOIN came c ON c.n = new ORDER BY ALL LIMIT {MOST}
    """


def _by_name(name: str, place: int) -> str:
    """Keys that went and came with the same value, ignoring case and the spaces around it."""
    return (
        f"SELECT w.n AS old, c.n AS new, '{name}' AS shared, {place} AS place FROM went w JOIN came c "
        f"ON lower(trim(w.{name})) = lower(trim(c.{name})) AND trim(w.{name}) <> ''"
    )


def _rename_of(shape: Shape, row: tuple[Any, ...]) -> Rename:
    size = len(shape.key)
    old, new, shared = row[:size], row[size : 2 * size], tuple(row[2 * size])
    if shape is ACCOUNT:
        return Rename("account", old[0], new[0], old[0], new[0], shared)
    words = [" / ".join(part for part in key if part) for key in (old, new)]
    return Rename("entitlement", entitlement_key(*old), entitlement_key(*new), words[0], words[1], shared)
