"""Look-ups of accounts: the list, one account, and everything that happened to one."""

from __future__ import annotations

import json
from typing import Any

import duckdb

from grantline.catalog.aliases import Aliases
from grantline.catalog.columns import ACCOUNT, ACCOUNT_FIELDS
from grantline.catalog.lookups.history import NO_ALIASES, events
from grantline.catalog.lookups.keys import packed_cursor, unpacked_cursor
from grantline.catalog.lookups.rows import Account, AccountFilters, Event, Page, Since
from grantline.catalog.lookups.view import AsOf, Snapshots, Source, fetch, found_in, page_size, rank, sources
from grantline.catalog.persons import IS_UNMATCHED
from grantline.errors import NotFound

SEARCHED = ("id", "email", "username", "display_name")
"""The columns in which a search looks."""


def accounts(
    con: duckdb.DuckDBPyConnection,
    snapshots: Snapshots,
    *,
    search: str | None = None,
    filters: AccountFilters | None = None,
    as_of: AsOf = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[Account]:
    """Accounts in the order of their ids; `search` is a part of an id, e-mail, username or name."""
    limit, after = page_size(limit), unpacked_cursor(cursor, str)
    chosen = sources(snapshots, as_of)
    if not chosen:
        return Page(())
    conditions, parameters = _conditions(search, filters or AccountFilters())
    if after:
        conditions.append("id > ?")
        parameters += after
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    rows = fetch(con, f"SELECT * FROM {united_accounts(chosen)} {where} ORDER BY id LIMIT {limit + 1}", parameters)
    items = tuple(account_of(row, snapshots) for row in rows[:limit])
    return Page(items, packed_cursor(items[-1].id) if len(rows) > limit else None)


def account(con: duckdb.DuckDBPyConnection, snapshots: Snapshots, key: str, *, as_of: AsOf = None) -> Account:
    """One account by its id, united over the imports. Raises: `NotFound`."""
    chosen = sources(snapshots, as_of)
    # The condition is put into each import's rows, where it lets DuckDB skip row groups.
    rows = fetch(con, f"SELECT * FROM {united_accounts(chosen, 'id = ?')}", [key] * len(chosen)) if chosen else []
    if not rows:
        raise NotFound("There is no such account.")
    return account_of(rows[0], snapshots)


def account_history(
    con: duckdb.DuckDBPyConnection, snapshots: Snapshots, key: str, aliases: Aliases = NO_ALIASES
) -> tuple[Event, ...]:
    """What happened to an account and its grants, newest version first, one import after another.

    Empty where there never was such an account. That an import began to name the account is no event
    where another one describes it.
    """
    found = [event for source in sources(snapshots) for event in events(con, source, key, aliases)]
    describing = {event.since.import_id for event in found if _describes(event)}
    return tuple(
        event
        for event in found
        if event.kind != "account" or _describes(event) or not describing - {event.since.import_id}
    )


def _describes(event: Event) -> bool:
    return event.kind == "account" and bool(event.before or event.after)


def united_accounts(chosen: list[Source], condition: str = "true") -> str:
    """A relation in parentheses: one row per account id, with `index` of the import that wins.

    Columns: `index`, `id`, the fields, `since`, `unconfirmed_since`. The first import that describes an
    account wins, before those whose rows only name it. A field that the winner leaves empty is taken from
    the next import that has it.
    """
    columns = ", ".join(("id", *ACCOUNT_FIELDS, "since", "unconfirmed_since"))
    rows = " UNION ALL ".join(
        f"SELECT {source.index} AS index, {columns} FROM {source.rows(ACCOUNT)} WHERE {condition}" for source in chosen
    )
    if len(chosen) == 1:
        return f"({rows})"
    merged = ", ".join(f"arg_min({name}, rank) AS {name}" for name in ACCOUNT_FIELDS)
    return (
        f"(SELECT arg_min(index, rank) AS index, id, {merged}, arg_min(since, rank) AS since, "
        f"arg_min_null(unconfirmed_since, rank) AS unconfirmed_since "
        f"FROM (SELECT *, {rank(ACCOUNT_FIELDS)} AS rank FROM ({rows})) GROUP BY id)"
    )


def account_of(row: tuple[Any, ...], snapshots: Snapshots) -> Account:
    """The account in a row of `united_accounts`."""
    index, key, *values, since, unconfirmed_since = row
    fields = dict(zip(ACCOUNT_FIELDS, values, strict=True))
    profile = fields.pop("profile")
    import_id = snapshots[index][0]
    return Account(
        id=key,
        fields=fields,
        profile=json.loads(profile) if profile else {},
        since=Since(import_id, since),
        unconfirmed_since=Since(import_id, unconfirmed_since) if unconfirmed_since else None,
    )


def _conditions(search: str | None, filters: AccountFilters) -> tuple[list[str], list[Any]]:
    conditions: list[str] = []
    parameters: list[Any] = []
    if search:
        conditions.append(found_in(SEARCHED))
        parameters += [search] * len(SEARCHED)
    for column, value in (("status", filters.status), ("type", filters.type)):
        if value is not None:
            conditions.append(f"lower({column}) = lower(?)")
            parameters.append(value)
    if filters.no_owner:
        conditions.append("owner_email IS NULL")
    if filters.never_signed_in:
        conditions.append("last_login_at IS NULL")
    if filters.unconfirmed:
        conditions.append("unconfirmed_since IS NOT NULL")
    if filters.unmatched:
        conditions.append(IS_UNMATCHED)
    return conditions, parameters
