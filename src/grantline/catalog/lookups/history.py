"""What happened to one account, or to one grant, in one import: intervals turned into events.

A key that was declared the same as another (`catalog.aliases`) is followed under all of its spellings,
so that what happened before goes on under the new one.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import duckdb

from grantline.catalog.aliases import Aliases
from grantline.catalog.columns import (
    ACCOUNT,
    ACCOUNT_FIELDS,
    ENTITLEMENT,
    ENTITLEMENT_KEY,
    GRANT,
    GRANT_FIELDS,
    equal,
    listed,
)
from grantline.catalog.lookups.keys import Parts, entitlement_key
from grantline.catalog.lookups.rows import Event, Interval, Op, Since
from grantline.catalog.lookups.view import Snapshots, Source, fetch, sources

NO_ALIASES = Aliases()
_ACCOUNT_NAMES = ("id", *ACCOUNT_FIELDS)


def grant_history(
    con: duckdb.DuckDBPyConnection, snapshots: Snapshots, account: str, parts: Parts, aliases: Aliases = NO_ALIASES
) -> tuple[Interval, ...]:
    """Since when and until when the account had the entitlement, oldest first, one import after another."""
    found: list[Interval] = []
    for source in sources(snapshots):
        accounts = _integers_of_accounts(con, source, _spellings(aliases.accounts, (account,)))
        entitlements = _integers_of_entitlements(con, source, _spellings(aliases.entitlements, parts))
        if accounts and entitlements:
            rows = fetch(
                con,
                f"SELECT since, until, {listed(GRANT_FIELDS)} FROM {source.ever(GRANT)} "
                f"WHERE account IN ({_among(accounts)}) AND entitlement IN ({_among(entitlements)}) ORDER BY since",
            )
            found += [Interval(source.import_id, row[0], row[1], row[2], row[3]) for row in rows]
    return tuple(found)


def events(con: duckdb.DuckDBPyConnection, source: Source, key: str, aliases: Aliases = NO_ALIASES) -> list[Event]:
    """Every event of the account `key` and of its grants, newest first."""
    accounts = _integers_of_accounts(con, source, _spellings(aliases.accounts, (key,)))
    if not accounts:
        return []
    rows = fetch(
        con,
        f"SELECT n, since, until, {listed(_ACCOUNT_NAMES)} FROM {source.ever(ACCOUNT)} "
        f"WHERE n IN ({_among(accounts)}) ORDER BY since, n",
    )
    found = [
        Event(
            Since(source.import_id, number),
            "account",
            op,
            before=_without_id(before) if op != "changed" else before,
            after=_without_id(after) if op != "changed" else after,
        )
        for _, number, op, before, after in _steps(_chained(rows, lambda row: key), _ACCOUNT_NAMES)
    ]
    found += _grant_events(con, source, accounts, aliases)
    return sorted(found, key=lambda event: -event.since.number)


def _grant_events(con: duckdb.DuckDBPyConnection, source: Source, accounts: list[int], aliases: Aliases) -> list[Event]:
    rows = fetch(
        con,
        f"SELECT (account, entitlement), since, until, {listed(GRANT_FIELDS)}, entitlement "
        f"FROM {source.ever(GRANT)} WHERE account IN ({_among(accounts)}) ORDER BY since, account, entitlement",
    )
    names = _names(con, source, sorted({int(row[-1]) for row in rows}))
    identity = {n: aliases.entitlements.get(name[:3], name[:3]) for n, name in names.items()}
    displayed = {identity[n]: name[3] for n, name in sorted(names.items())}
    chained = _chained(rows, lambda row: identity[row[-1]])
    found = []
    for chain, number, op, before, after in _steps([row[:-1] for row in chained], GRANT_FIELDS):
        resource_type, resource, entitlement = chain[0]
        found.append(
            Event(
                since=Since(source.import_id, number),
                kind="grant",
                op=op,
                entitlement_key=entitlement_key(resource_type, resource, entitlement),
                resource_type=resource_type,
                resource=resource,
                entitlement=entitlement,
                entitlement_display_name=displayed[chain[0]],
                before=before,
                after=after,
            )
        )
    return found


def _chained(rows: Sequence[tuple[Any, ...]], group: Any) -> list[tuple[Any, ...]]:
    """`rows` (own key, since, until, …) with the key of their chain in place of their own: the group's,
    or where intervals of a group overlap (two spellings that were both there) the group's and their own."""
    groups: dict[Hashable, list[tuple[Any, ...]]] = {}
    for row in rows:
        groups.setdefault(group(row), []).append(row)
    chained: list[tuple[Any, ...]] = []
    for name, members in groups.items():
        apart = any(one[2] is None or one[2] > next_one[1] for one, next_one in pairwise(members))
        ordered = sorted(members, key=lambda row: (row[0] if apart else 0, row[1]))
        chained += [((name, row[0] if apart else None), *row[1:]) for row in ordered]
    return chained


def _spellings(pairs: Any, key: tuple[str | None, ...]) -> list[tuple[str | None, ...]]:
    """Every key that is the same as `key`."""
    new = pairs.get(key, key)
    return [new, *(old for old, other in pairs.items() if other == new)]


def _integers_of_accounts(
    con: duckdb.DuckDBPyConnection, source: Source, keys: Sequence[tuple[str | None, ...]]
) -> list[int]:
    marks = ", ".join("?" for _ in keys)
    query = f"SELECT DISTINCT n FROM {source.ever(ACCOUNT)} WHERE id IN ({marks}) ORDER BY n"
    return [int(row[0]) for row in fetch(con, query, [key[0] for key in keys])]


def _integers_of_entitlements(
    con: duckdb.DuckDBPyConnection, source: Source, keys: Sequence[tuple[str | None, ...]]
) -> list[int]:
    marks = ", ".join("(?, ?, ?)" for _ in keys)
    query = (
        f"SELECT DISTINCT e.n FROM {source.ever(ENTITLEMENT)} e JOIN (VALUES {marks}) "
        f"w({', '.join(ENTITLEMENT_KEY)}) ON {equal(ENTITLEMENT_KEY, 'e', 'w')} ORDER BY 1"
    )
    return [int(row[0]) for row in fetch(con, query, [part for key in keys for part in key])]


def _names(con: duckdb.DuckDBPyConnection, source: Source, entitlements: list[int]) -> dict[int, tuple[Any, ...]]:
    """Identity and latest display name of each entitlement."""
    if not entitlements:
        return {}
    latest = ", ".join(f"arg_max_null({name}, since)" for name in (*ENTITLEMENT_KEY, "display_name"))
    rows = fetch(
        con, f"SELECT n, {latest} FROM {source.ever(ENTITLEMENT)} WHERE n IN ({_among(entitlements)}) GROUP BY n"
    )
    return {row[0]: row[1:] for row in rows}


def _steps(
    rows: Sequence[tuple[Any, ...]], fields: tuple[str, ...]
) -> Iterator[tuple[Any, int, Op, dict[str, str], dict[str, str]]]:
    """(key, version number, op, before, after) from (key, since, until, fields…) in order of key, since.

    An interval that begins where the one before it ended is a change of the same row.
    """
    for place, (key, since, until, *values) in enumerate(rows):
        after = _said(fields, values)
        earlier = rows[place - 1] if place else None
        later = rows[place + 1] if place + 1 < len(rows) else None
        if earlier and earlier[0] == key and earlier[2] == since:
            before, now = difference(_said(fields, earlier[3:]), after)
            if before or now:
                yield key, since, "changed", before, now
        else:
            yield key, since, "added", {}, after
        if until is not None and not (later and later[0] == key and later[1] == until):
            yield key, until, "removed", after, {}


def _among(integers: Sequence[int]) -> str:
    return ", ".join(str(n) for n in integers)


def _said(fields: tuple[str, ...], values: Any) -> dict[str, str]:
    return {name: value for name, value in zip(fields, values, strict=True) if value is not None}


def _without_id(said: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in said.items() if name != "id"}


def difference(before: dict[str, str], after: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Both sides cut to the fields in which they differ."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return (
        {name: before[name] for name in names if name in before},
        {name: after[name] for name in names if name in after},
    )
