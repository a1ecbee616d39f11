"""What the other imports of an application list: the accounts and entitlements that a file may refer to.

In: relations of the accounts and entitlements of other imports (`Others`), and the accounts that a file
names. Out: which of them are meant, by id, else by an e-mail address or username that only one account
has. Invariant: an account is taken over under the spelling of the import that lists it, so that both are
one account in the catalog; of several imports the first one's spelling counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

NAMED_TITLES = 3
"""Imports that a message names."""

MATCHED = ("names_here", "listed_ids", "listed_names")
"""Tables that `find_listed` makes; whoever calls it drops them."""


@dataclass(frozen=True)
class Others:
    """What other imports of the application list. The texts are relations of one connection.

    `accounts` (`id`, `email`, `username`, `place`: the order of the imports) and `former` (the same
    without `place`, of accounts that were listed earlier) are None where no other import lists accounts,
    `entitlements` (`ENTITLEMENT_KEY`) where none defines any; `settled` are the resource types that are
    defined. `known` (`id`) is what this import says already.
    """

    accounts: str | None = None
    account_titles: tuple[str, ...] = ()
    entitlements: str | None = None
    entitlement_titles: tuple[str, ...] = ()
    settled: tuple[str, ...] = ()
    former: str | None = None
    known: str | None = None


def titles(names: Sequence[str], word: str = "or") -> str:
    """`hr.csv`, `hr.csv or leavers.csv`, `a.csv, b.csv, c.csv or 4 more`."""
    shown = list(names[:NAMED_TITLES])
    if len(names) > NAMED_TITLES:
        shown.append(f"{len(names) - NAMED_TITLES} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} {word} {shown[-1]}"


def key_of(column: str, *, sensitive: bool) -> str:
    """What makes two ids the same account, as `accounts.key_sql` has it for one file."""
    return column if sensitive else f"lower({column})"


def is_sensitive(con: duckdb.DuckDBPyConnection, others: str) -> bool:
    """Whether some import lists two accounts whose ids differ by letter case alone."""
    twice = f"SELECT 1 FROM {others} GROUP BY place, lower(id) HAVING min(id) <> max(id) LIMIT 1"
    return con.execute(twice).fetchone() is not None


def find_listed(
    con: duckdb.DuckDBPyConnection, others: str, prefix: str, named: str, own: str, *, sensitive: bool
) -> str:
    """A query of `id`, `key`: the accounts of `others` that the file means.

    `named` is a relation of (`id`, `key`) that the file names, `own` one of (`key`, `email`, `username`)
    that it lists itself. Leaves the table `<prefix>listed_names` (`name`, `key`) of addresses and
    usernames by which it names accounts, both its own and others'.
    """
    key = key_of("id", sensitive=sensitive)
    here, ids, names = (f"{prefix}{table}" for table in MATCHED)
    con.execute(f"CREATE OR REPLACE TEMP TABLE {here} AS SELECT DISTINCT key, lower(id) AS name FROM {named}")
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {ids} AS SELECT {key} AS key, arg_min(id, (place, id)) AS id"
        f" FROM {others} WHERE {key} IN (SELECT key FROM {here}) GROUP BY 1"
    )
    con.execute(f"DELETE FROM {here} WHERE key IN (SELECT key FROM {ids} UNION ALL SELECT key FROM {own})")
    left = con.execute(f"SELECT 1 FROM {here} LIMIT 1").fetchone() is not None
    empty = "SELECT NULL::VARCHAR AS name, NULL::VARCHAR AS key WHERE false"
    con.execute(f"CREATE OR REPLACE TEMP TABLE {names} AS {_names(others, here, own, key) if left else empty}")
    if not left:
        return f"SELECT id, key FROM {ids}"
    by_name = (
        f"SELECT arg_min(id, (place, id)) AS id, {key} AS key FROM {others}"
        f" WHERE {key} IN (SELECT key FROM {names}) GROUP BY 2"
    )
    return (
        f"SELECT id, key FROM {ids} UNION ALL SELECT id, key FROM ({by_name}) WHERE key NOT IN (SELECT key FROM {ids})"
    )


def _names(others: str, here: str, own: str, key: str) -> str:
    """A query of `name`, `key`: addresses and usernames that only one account has."""
    columns = [f"SELECT lower({field}) AS name, {key} AS key FROM {others}" for field in ("email", "username")]
    columns += [f"SELECT lower({field}), key FROM {own}" for field in ("email", "username")]
    return (
        f"SELECT name, min(key) AS key FROM ({' UNION ALL '.join(columns)})"
        f" WHERE name IN (SELECT name FROM {here}) GROUP BY name HAVING min(key) = max(key)"
    )


def as_known(others: Others, doubtful: str, *, sensitive: bool) -> str:
    """A query of `id`: what this import knows already of the accounts that `doubtful` (`id`) names.

    The file may name an account by another spelling, its address or its username, and the account may
    have been listed under that until a moment ago.
    """
    key = key_of("k.id", sensitive=sensitive)
    queries = [
        f"SELECT k.id FROM {others.known} k WHERE {key} IN (SELECT {key_of('id', sensitive=sensitive)} FROM {doubtful})"
    ]
    for listed in filter(None, (others.accounts, others.former)):
        named = " OR ".join(f"lower(l.{name}) IN (SELECT lower(id) FROM {doubtful})" for name in ("email", "username"))
        queries.append(f"SELECT k.id FROM {others.known} k WHERE k.id IN (SELECT l.id FROM {listed} l WHERE {named})")
    return " UNION ".join(queries)
