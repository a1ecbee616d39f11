"""Accounts that may only have changed their id: one went and one came, and they share a name.

In: a diff. Out: pairs of old and new id, for a person to look at; nothing is joined by it. Where the key of
an application is an address or a login, a marriage looks like a leaver and a joiner.
"""

from __future__ import annotations

import duckdb

from grantline.catalog.columns import ACCOUNT
from grantline.catalog.diff import Diff

SHOWN = 20
NAME = "lower(coalesce(employee_id, display_name, first_name || ' ' || last_name))"


def possible_renames(con: duckdb.DuckDBPyConnection, diff: Diff) -> list[tuple[str, str]]:
    """(old id, new id) of accounts whose name, or employee id, one that went and one that came share."""
    accounts = diff.changes.accounts
    if not accounts.added or not accounts.removed:
        return []
    came = (
        f"SELECT {NAME} AS name, min(id) AS id FROM {diff.current(ACCOUNT)} i WHERE since = {diff.number}"
        f" AND n NOT IN (SELECT n FROM {diff.ended(ACCOUNT)}) GROUP BY 1 HAVING count(*) = 1"
    )
    gone = (
        f"SELECT {NAME} AS name, min(id) AS id FROM {diff.ended(ACCOUNT)} o"
        f" WHERE n NOT IN (SELECT n FROM {diff.current(ACCOUNT)}) GROUP BY 1 HAVING count(*) = 1"
    )
    return con.execute(
        f"SELECT g.id, c.id FROM ({gone}) g JOIN ({came}) c USING (name) WHERE name IS NOT NULL"
        f" ORDER BY ALL LIMIT {SHOWN}"
    ).fetchall()


def rename_notes(con: duckdb.DuckDBPyConnection, diff: Diff) -> list[str]:
    """The same in words, for the run's report."""
    return [
        f"1 removed, 1 added, same name: was {old!r} renamed to {new!r}?" for old, new in possible_renames(con, diff)
    ]
