"""Names of accounts and entitlements from whichever import describes them.

In: rows that one import made of what it says itself. Out: the same rows, with the names that other imports
of the application know. An import of grants may do no more than name accounts and entitlements, so that
its own rows have neither a display name nor an address.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import duckdb

from grantline.catalog.columns import ACCOUNT, ENTITLEMENT, ENTITLEMENT_KEY, Shape, equal
from grantline.catalog.lookups.accounts import united_accounts
from grantline.catalog.lookups.entitlements import united_entitlements
from grantline.catalog.lookups.rows import Change, Grant
from grantline.catalog.lookups.view import Source, fetch

Named = TypeVar("Named", Grant, Change)

NAMES = {ACCOUNT: ("display_name", "email", "status"), ENTITLEMENT: ("display_name",)}
"""The fields that rows about grants show of both their ends."""


def named_rows(source: Source, shape: Shape, chosen: Sequence[Source]) -> str:
    """The rows of a kind of one import, in parentheses, its names filled in from all imports: to search in."""
    if len(chosen) < 2:
        return source.rows(shape)
    united = united_accounts(list(chosen)) if shape is ACCOUNT else united_entitlements(list(chosen))
    filled = ", ".join(f"coalesce(s.{name}, u.{name}) AS {name}" for name in NAMES[shape])
    return (
        f"(SELECT s.* REPLACE ({filled}) FROM {source.rows(shape)} s LEFT JOIN {united} u "
        f"ON {equal(shape.key, 's', 'u')})"
    )


def with_names(con: duckdb.DuckDBPyConnection, chosen: Sequence[Source], items: Iterable[Named]) -> tuple[Named, ...]:
    """A page of grants or changes, names that its own import does not say filled in from the others."""
    rows = tuple(items)
    if len(chosen) < 2:
        return rows
    accounts = _accounts(con, chosen, {row.account for row in rows if row.account and not row.account_display_name})
    keys = {_key(row) for row in rows if row.entitlement_key and not row.entitlement_display_name}
    entitlements = _entitlements(con, chosen, keys)
    return tuple(_filled(row, accounts, entitlements) for row in rows)


def _filled(row: Named, accounts: dict[Any, Any], entitlements: dict[Any, Any]) -> Named:
    names = accounts.get(row.account)
    values: dict[str, Any] = {}
    if names is not None:
        known = dict(zip(NAMES[ACCOUNT], names, strict=True))
        fields = known if isinstance(row, Grant) else ("display_name",)
        values = {f"account_{name}": getattr(row, f"account_{name}") or known[name] for name in fields}
    if not row.entitlement_display_name and (found := entitlements.get(_key(row))) is not None:
        values["entitlement_display_name"] = found[0]
    return replace(row, **values) if values else row


def _key(row: Grant | Change) -> tuple[str | None, ...]:
    return row.resource_type, row.resource, row.entitlement


def _accounts(con: duckdb.DuckDBPyConnection, chosen: Sequence[Source], ids: Collection[Any]) -> dict[Any, Any]:
    marks = ", ".join("?" for _ in ids)
    return _found(con, ACCOUNT, chosen, lambda sources: united_accounts(sources, f"id IN ({marks})"), [*ids])


def _entitlements(con: duckdb.DuckDBPyConnection, chosen: Sequence[Source], keys: Collection[Any]) -> dict[Any, Any]:
    whole = "(" + " AND ".join(f"{name} IS NOT DISTINCT FROM ?" for name in ENTITLEMENT_KEY) + ")"
    condition = f"({' OR '.join(whole for _ in keys)})"
    parts = [part for key in keys for part in key]
    found = _found(con, ENTITLEMENT, chosen, lambda sources: united_entitlements(sources, condition), parts)
    return {key if isinstance(key, tuple) else (key,): names for key, names in found.items()}


def _found(
    con: duckdb.DuckDBPyConnection,
    shape: Shape,
    chosen: Sequence[Source],
    united: Callable[[list[Source]], str],
    parameters: Sequence[Any],
) -> dict[Any, Any]:
    """Key → names; nothing is asked where nothing is missing."""
    if not parameters:
        return {}
    columns = ", ".join((*shape.key, *NAMES[shape]))
    rows = fetch(con, f"SELECT {columns} FROM {united(list(chosen))}", [*parameters] * len(chosen))
    size = len(shape.key)
    return {row[0] if size == 1 else row[:size]: row[size:] for row in rows}
