"""Look-ups of people over several applications, at one moment each.

In: for each application its snapshots and, for a past moment, its version numbers; the application whose
oldest import is oldest comes first and gives the names. Out: people with their counts, or one person's
accounts. The rule is the account index's: an account is matched by its address; one without an address
by its employee ID, to whom the accounts with an address and that ID belong, if that is one person alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import duckdb

from grantline.catalog.lookups.accounts import united_accounts
from grantline.catalog.lookups.view import AsOf, Snapshots, fetch, page_size, sources
from grantline.catalog.persons import ADDRESS, EMPLOYEE, NAME, OWNER

Applications = Sequence[tuple[Snapshots, AsOf]]


class PersonThen(NamedTuple):
    """A person as of a moment: by which rule and value, and how many accounts in how many applications."""

    rule: str
    value: str
    display_name: str
    accounts: int
    applications: int


class AccountThen(NamedTuple):
    """One of a person's accounts: the application's place in what was asked, the account's id, the rule."""

    place: int
    account: str
    matched_by: str


def people(
    con: duckdb.DuckDBPyConnection,
    applications: Applications,
    *,
    search: str = "",
    after: tuple[str, str] | None = None,
    limit: int = 50,
) -> list[PersonThen]:
    """At most `limit` people by (rule, value), behind `after`; `search` is a part of a name, address or ID."""
    matched, conditions, parameters = _matched(applications), ["rule IS NOT NULL"], list[Any]()
    if matched is None:
        return []
    if after:
        conditions.append("(rule, value) > (?, ?)")
        parameters += after
    having = ""
    if search:
        names = ("value", "coalesce(name, '')", "coalesce(employee, '')")
        having = f"HAVING bool_or({' OR '.join(f'contains(lower({name}), lower(?))' for name in names)})"
        parameters += [search] * len(names)
    rows = fetch(
        con,
        f"{matched} SELECT rule, value, coalesce(arg_min(name, (place, id)), ''), count(*), count(DISTINCT place)"
        f" FROM matched WHERE {' AND '.join(conditions)} GROUP BY rule, value {having}"
        f" ORDER BY rule, value LIMIT {page_size(limit)}",
        parameters,
    )
    return [PersonThen(*row) for row in rows]


def accounts_of(con: duckdb.DuckDBPyConnection, applications: Applications, rule: str, value: str) -> list[AccountThen]:
    """A person's accounts by application and id."""
    matched = _matched(applications)
    if matched is None:
        return []
    query = f"{matched} SELECT place, id, matched_by FROM matched WHERE rule = ? AND value = ? ORDER BY place, id"
    return [AccountThen(*row) for row in fetch(con, query, [rule, value])]


def owned_by(con: duckdb.DuckDBPyConnection, applications: Applications, address: str) -> list[AccountThen]:
    """The accounts that name `address` as their owner, by application and id."""
    relation = _accounts(applications)
    if relation is None:
        return []
    query = f"SELECT place, id, 'owner' FROM ({relation}) WHERE owner = ? ORDER BY place, id"
    return [AccountThen(*row) for row in fetch(con, query, [address])]


def _matched(applications: Applications) -> str | None:
    """A query's WITH: `matched` (`place`, `id`, `name`, `employee`, `rule`, `value`, `matched_by`)."""
    relation = _accounts(applications)
    if relation is None:
        return None
    return f"""
        WITH accounts AS MATERIALIZED ({relation}),
        carriers AS (
            SELECT employee, min(address) AS address FROM accounts
            WHERE address IS NOT NULL AND employee IS NOT NULL
            GROUP BY employee HAVING count(DISTINCT address) = 1),
        matched AS (
            SELECT a.place, a.id, a.name, a.employee,
                CASE WHEN coalesce(a.address, c.address) IS NOT NULL THEN 'email'
                     WHEN a.employee IS NOT NULL THEN 'employee_id' END AS rule,
                coalesce(a.address, c.address, a.employee) AS value,
                CASE WHEN a.address IS NOT NULL THEN 'email' ELSE 'employee_id' END AS matched_by
            FROM accounts a LEFT JOIN carriers c ON a.address IS NULL AND a.employee = c.employee)
    """


def _accounts(applications: Applications) -> str | None:
    """A query of `place`, `id`, `name`, `address`, `employee`, `owner`; None where nothing was published."""
    queries = []
    for place, (snapshots, as_of) in enumerate(applications):
        if chosen := sources(snapshots, as_of):
            queries.append(
                f"SELECT {place} AS place, id, {NAME} AS name, {ADDRESS} AS address, {EMPLOYEE} AS employee,"
                f" {OWNER} AS owner FROM {united_accounts(chosen)}"
            )
    return " UNION ALL ".join(queries) or None
