"""What happened to one account in one import: intervals turned into events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb

from grantline.catalog.columns import (
    ACCOUNT,
    ACCOUNT_FIELDS,
    ENTITLEMENT,
    ENTITLEMENT_KEY,
    GRANT,
    GRANT_FIELDS,
    listed,
)
from grantline.catalog.lookups.keys import entitlement_key
from grantline.catalog.lookups.rows import Event, Op, Since
from grantline.catalog.lookups.view import Source, fetch


def events(con: duckdb.DuckDBPyConnection, source: Source, key: str) -> list[Event]:
    """Every event of the account `key` and of its grants, newest first."""
    rows = fetch(
        con,
        f"SELECT n, since, until, {listed(ACCOUNT_FIELDS)} FROM {source.ever(ACCOUNT)} WHERE id = ? ORDER BY n, since",
        [key],
    )
    if not rows:
        return []
    found = [
        Event(Since(source.import_id, number), "account", op, before=before, after=after)
        for _, number, op, before, after in _steps([(row[0], *row[1:]) for row in rows], ACCOUNT_FIELDS)
    ]
    found += _grant_events(con, source, sorted({int(row[0]) for row in rows}))
    return sorted(found, key=lambda event: -event.since.number)


def _grant_events(con: duckdb.DuckDBPyConnection, source: Source, accounts: list[int]) -> list[Event]:
    which = ", ".join(str(n) for n in accounts)
    rows = fetch(
        con,
        f"SELECT (account, entitlement), since, until, {listed(GRANT_FIELDS)}, entitlement "
        f"FROM {source.ever(GRANT)} WHERE account IN ({which}) ORDER BY account, entitlement, since",
    )
    names = _names(con, source, sorted({int(row[-1]) for row in rows}))
    found = []
    for pair, number, op, before, after in _steps([row[:-1] for row in rows], GRANT_FIELDS):
        resource_type, resource, entitlement, display_name = names[pair[1]]
        found.append(
            Event(
                since=Since(source.import_id, number),
                kind="grant",
                op=op,
                entitlement_key=entitlement_key(resource_type, resource, entitlement),
                resource_type=resource_type,
                resource=resource,
                entitlement=entitlement,
                entitlement_display_name=display_name,
                before=before,
                after=after,
            )
        )
    return found


def _names(con: duckdb.DuckDBPyConnection, source: Source, entitlements: list[int]) -> dict[int, tuple[Any, ...]]:
    """Identity and latest display name of each entitlement."""
    if not entitlements:
        return {}
    which = ", ".join(str(n) for n in entitlements)
    latest = ", ".join(f"arg_max_null({name}, since)" for name in (*ENTITLEMENT_KEY, "display_name"))
    rows = fetch(con, f"SELECT n, {latest} FROM {source.ever(ENTITLEMENT)} WHERE n IN ({which}) GROUP BY n")
    return {row[0]: row[1:] for row in rows}


def _steps(
    rows: list[tuple[Any, ...]], fields: tuple[str, ...]
) -> Iterator[tuple[Any, int, Op, dict[str, str], dict[str, str]]]:
    """(key, version number, op, before, after) from (key, since, until, fields…) in order of key, since.

    An interval that begins where the one before it ended is a change of the same row.
    """
    for place, (key, since, until, *values) in enumerate(rows):
        after = _said(fields, values)
        earlier = rows[place - 1] if place else None
        later = rows[place + 1] if place + 1 < len(rows) else None
        if earlier and earlier[0] == key and earlier[2] == since:
            before = _said(fields, earlier[3:])
            yield key, since, "changed", *difference(before, after)
        else:
            yield key, since, "added", {}, after
        if until is not None and not (later and later[0] == key and later[1] == until):
            yield key, until, "removed", after, {}


def _said(fields: tuple[str, ...], values: Any) -> dict[str, str]:
    return {name: value for name, value in zip(fields, values, strict=True) if value is not None}


def difference(before: dict[str, str], after: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Both sides cut to the fields in which they differ."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return (
        {name: before[name] for name in names if name in before},
        {name: after[name] for name in names if name in after},
    )
