"""Keys that changed their spelling: what came under an old key is taken as come under the new one.

In: what came, and which old key is which new one. Out: an `Incoming` that names new keys only, with two
tables that say what the current version may still call by its old key, so that `diff` finds the row and
lets it keep its integer. Two rows that become one keep the attributes of the one that has the new key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import duckdb

from grantline.catalog.columns import ACCOUNT, ENTITLEMENT, GRANT_FIELDS, Shape
from grantline.catalog.dictionaries import number_of
from grantline.catalog.model import Incoming

Key = tuple[str | None, ...]


@dataclass(frozen=True)
class Aliases:
    """Old key → new key, per kind; no new key is an old one (`resolved` sees to it)."""

    accounts: Mapping[Key, Key] = field(default_factory=dict)
    entitlements: Mapping[Key, Key] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.accounts or self.entitlements)


def resolved(pairs: Mapping[Key, Key]) -> dict[Key, Key]:
    """`pairs` with every chain followed to its end. Raises: `ValueError` where one leads back to itself."""
    found = {}
    for old in pairs:
        new, seen = pairs[old], {old}
        while new in pairs and new not in seen:
            seen.add(new)
            new = pairs[new]
        if new in seen:
            raise ValueError("a key is an alias of itself")
        found[old] = new
    return found


def aliased(con: duckdb.DuckDBPyConnection, incoming: Incoming, aliases: Aliases, prefix: str = "alias") -> Incoming:
    """`incoming` under the new keys; the same object where there are no aliases."""
    if not aliases:
        return incoming
    accounts = key_table(con, ACCOUNT.key, aliases.accounts, f"{prefix}_account_keys")
    entitlements = key_table(con, ENTITLEMENT.key, aliases.entitlements, f"{prefix}_entitlement_keys")
    found = replace(incoming, account_aliases=accounts, entitlement_aliases=entitlements)
    found = replace(found, unconfirmed=_unconfirmed(con, incoming.unconfirmed, accounts, f"{prefix}_unconfirmed"))
    renamed = [
        _integers(con, ACCOUNT, incoming.accounts, accounts, f"{prefix}_account_ns"),
        _integers(con, ENTITLEMENT, incoming.entitlements, entitlements, f"{prefix}_entitlement_ns"),
    ]
    return _rewritten(con, found, prefix) if any(renamed) else found


def renamed(con: duckdb.DuckDBPyConnection, incoming: Incoming, names: str | None) -> Incoming:
    """`incoming`, of which the accounts in `names` (`old_id`, `new_id`) came under their new key already."""
    if names is None:
        return incoming
    if incoming.account_aliases is None:
        return replace(incoming, account_aliases=names)
    declared = f"SELECT old_id FROM {incoming.account_aliases}"
    con.execute(
        f"INSERT INTO {incoming.account_aliases} SELECT old_id, new_id FROM {names} WHERE old_id NOT IN ({declared})"
    )
    return incoming


def key_table(con: duckdb.DuckDBPyConnection, key: Sequence[str], pairs: Mapping[Key, Key], name: str) -> str:
    """A table of old and new keys, part by part (`old_id`, `new_id`); its name."""
    columns = [f"{side}_{part}" for side in ("old", "new") for part in key]
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} ({', '.join(f'{column} VARCHAR' for column in columns)})")
    if pairs:
        marks = ", ".join("?" for _ in columns)
        con.executemany(f"INSERT INTO {name} VALUES ({marks})", [[*old, *new] for old, new in pairs.items()])
    return name


def _integers(con: duckdb.DuckDBPyConnection, shape: Shape, came: str, keys: str, name: str) -> int:
    """The table of `n`, the new key and `kept`: the integer of the row that stays. Returns how many rows
    came under an old key."""
    new = ", ".join(f"CASE WHEN t.marked THEN t.new_{key} ELSE i.{key} END AS {key}" for key in shape.key)
    matches = " AND ".join(f"t.old_{key} IS NOT DISTINCT FROM i.{key}" for key in shape.key)
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE {name} AS
        WITH named AS (
            SELECT i.n, {new}, coalesce(t.marked, false) AS renamed
            FROM {came} i LEFT JOIN (SELECT *, true AS marked FROM {keys}) t ON {matches})
        SELECT *, first_value(n) OVER (PARTITION BY {", ".join(shape.key)} ORDER BY renamed, n) AS kept FROM named
        """
    )
    return number_of(con, f"SELECT count(*) FROM {name} WHERE renamed")


def _unconfirmed(con: duckdb.DuckDBPyConnection, came: str, keys: str, name: str) -> str:
    """Both spellings: the current version may know the account by either."""
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT id FROM {came} "
        f"UNION SELECT new_id FROM {keys} WHERE old_id IN (SELECT id FROM {came}) "
        f"UNION SELECT old_id FROM {keys} WHERE new_id IN (SELECT id FROM {came})"
    )
    return name


def _rewritten(con: duckdb.DuckDBPyConnection, incoming: Incoming, prefix: str) -> Incoming:
    names = {}
    for shape, came in ((ACCOUNT, incoming.accounts), (ENTITLEMENT, incoming.entitlements)):
        names[shape.plural] = f"{prefix}_{shape.plural}"
        keys = ", ".join(f"x.{key} AS {key}" for key in shape.key)
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE {prefix}_{shape.plural} AS SELECT i.* REPLACE ({keys}) "
            f"FROM {came} i JOIN {prefix}_{shape.kind}_ns x ON x.n = i.n WHERE x.kept = x.n"
        )
    values = ", ".join(f"max(g.{name}) AS {name}" for name in GRANT_FIELDS)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {prefix}_grants AS SELECT a.kept AS account, e.kept AS entitlement, {values} "
        f"FROM {incoming.grants} g JOIN {prefix}_account_ns a ON a.n = g.account "
        f"JOIN {prefix}_entitlement_ns e ON e.n = g.entitlement GROUP BY ALL"
    )
    removals = None
    if incoming.removals is not None:
        removals = f"{prefix}_removals"
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE {removals} AS SELECT DISTINCT a.kept AS account, e.kept AS entitlement "
            f"FROM {incoming.removals} r JOIN {prefix}_account_ns a ON a.n = r.account "
            f"LEFT JOIN {prefix}_entitlement_ns e ON e.n = r.entitlement"
        )
    return replace(
        incoming,
        accounts=names["accounts"],
        entitlements=names["entitlements"],
        grants=f"{prefix}_grants",
        removals=removals,
    )


def known_by_alias(shape: Shape, keys: str, old: str) -> str:
    """A relation in parentheses of `n` and the new key: current rows that still have an old key."""
    new = ", ".join(f"t.new_{key} AS {key}" for key in shape.key)
    matches = " AND ".join(f"t.old_{key} IS NOT DISTINCT FROM o.{key}" for key in shape.key)
    return f"(SELECT min(o.n) AS n, {new} FROM {keys} t JOIN {old} o ON {matches} GROUP BY ALL)"
