"""Exports: every row of one kind, as a stream of flat records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb

from grantline.catalog.columns import ENTITLEMENT_FIELDS, ENTITLEMENT_KEY, GRANT_FIELDS
from grantline.catalog.connection import lake_errors
from grantline.catalog.lookups.accounts import account_of, united_accounts
from grantline.catalog.lookups.entitlements import sorting, united_entitlements
from grantline.catalog.lookups.grants import joined
from grantline.catalog.lookups.view import AsOf, Snapshots, Source, sources
from grantline.catalog.model import Kind

BATCH = 10_000


def export(
    con: duckdb.DuckDBPyConnection, snapshots: Snapshots, kind: Kind, *, as_of: AsOf = None
) -> Iterator[dict[str, Any]]:
    """Records of one kind, as `record()` of the look-ups' rows gives them; streams.

    Accounts are in the order of their ids, entitlements of their identity; grants in the order of the
    file where there is one import, in none where there are several.
    """
    chosen = sources(snapshots, as_of)
    if not chosen:
        return
    if kind == "account":
        for row in _stream(con, f"SELECT * FROM {united_accounts(chosen)} ORDER BY id"):
            yield account_of(row, snapshots).record()
        return
    columns, query = _entitlements(chosen) if kind == "entitlement" else _grants(chosen)
    for row in _stream(con, query):
        yield dict(zip(columns, row, strict=True))


def _entitlements(chosen: list[Source]) -> tuple[tuple[str, ...], str]:
    columns = (*ENTITLEMENT_KEY, *ENTITLEMENT_FIELDS)
    return columns, f"SELECT {', '.join(columns)} FROM {united_entitlements(chosen)} ORDER BY {sorting()}"


def _grants(chosen: list[Source]) -> tuple[tuple[str, ...], str]:
    columns = ("account", *ENTITLEMENT_KEY, *GRANT_FIELDS)
    rows = " UNION ALL ".join(joined(source) for source in chosen)
    if len(chosen) == 1:
        return columns, f"SELECT {', '.join(columns)} FROM ({rows}) ORDER BY x, y"
    key = ", ".join(columns[:4])
    first = ", ".join(f"arg_min_null({name}, index)" for name in GRANT_FIELDS)
    return columns, f"SELECT {key}, {first} FROM ({rows}) GROUP BY {key}"


def _stream(con: duckdb.DuckDBPyConnection, query: str) -> Iterator[tuple[Any, ...]]:
    with lake_errors("Reading a version"), con.cursor() as own:
        own.execute(query)
        while batch := own.fetchmany(BATCH):
            yield from batch
