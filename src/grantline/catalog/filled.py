"""How far the attributes that a file states are filled, before and after.

In: a diff and the names that the file states. Out: one `Fill` per attribute. Only the rows that ended and
began are counted anew: what stays is as filled as it was. The current rows are counted in their file,
where DuckDB reads one column and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from grantline.catalog.columns import ACCOUNT, GRANT, SHAPES, Shape
from grantline.catalog.connection import lake_errors
from grantline.catalog.diff import Diff
from grantline.catalog.model import KindChanges
from grantline.catalog.stated import is_stated, stated_profile_keys


@dataclass(frozen=True)
class Fill:
    """One attribute: in how many of how many rows it has a value, before and after."""

    of: str
    rows_before: int
    filled_before: int
    rows_after: int
    filled_after: int

    @property
    def share_before(self) -> float:
        """The filled share of the current version."""
        return self.filled_before / self.rows_before if self.rows_before else 0.0

    @property
    def share_after(self) -> float:
        """The filled share of the new version."""
        return self.filled_after / self.rows_after if self.rows_after else 0.0

    @property
    def expected(self) -> int:
        """How many rows would be filled if the share had stayed."""
        return round(self.share_before * self.rows_after)

    @property
    def missing(self) -> int:
        """How many of these are not."""
        return max(self.expected - self.filled_after, 0)


def fills(con: duckdb.DuckDBPyConnection, diff: Diff, stated: frozenset[str]) -> tuple[Fill, ...]:
    """The attributes whose filled share this diff may change; none for the first version."""
    if diff.before is None:
        return ()
    before = {"account": diff.before.accounts, "entitlement": diff.before.entitlements, "grant": diff.before.grants}
    after = {"account": diff.counts.accounts, "entitlement": diff.counts.entitlements, "grant": diff.counts.grants}
    kinds: dict[str, KindChanges] = {
        "account": diff.changes.accounts,
        "entitlement": diff.changes.entitlements,
        "grant": diff.changes.grants,
    }
    found = []
    with lake_errors("Comparing with the current version"):
        for shape in SHAPES:
            values = _values(shape, stated) if kinds[shape.kind] != KindChanges() else {}
            for name, was, change in _counted(con, diff, shape, values):
                found.append(Fill(name, before[shape.kind], was, after[shape.kind], was + change))
    return tuple(found)


def _values(shape: Shape, stated: frozenset[str]) -> dict[str, str]:
    """The SQL expression of each stated attribute, by its public name."""
    values = {
        f"{shape.kind}.{field}": field
        for field in shape.fields
        if field != "profile" and is_stated(shape, field, stated)
    }
    if shape is ACCOUNT:
        for key in sorted(stated_profile_keys(stated)):
            quoted = key.replace("'", "''")
            values[f"account.profile.{key}"] = f"(CAST(profile AS JSON) -> ['{quoted}'])[1]"
    return values


def _counted(
    con: duckdb.DuckDBPyConnection, diff: Diff, shape: Shape, values: dict[str, str]
) -> list[tuple[str, int, int]]:
    """(name, how many rows have it now, how many more will)."""
    if not values:
        return []
    counts = ", ".join(f"count({value})" for value in values.values())
    old = _row(con, f"SELECT {counts} FROM {diff.prefix}_old_{shape.plural}")
    gone = _row(con, f"SELECT {counts} FROM {diff.ended(shape)}")
    come = _row(con, f"SELECT {counts} FROM {_begun(diff, shape)}")
    return [(name, old[place], come[place] - gone[place]) for place, name in enumerate(values)]


def _begun(diff: Diff, shape: Shape) -> str:
    """The rows that begin with this diff."""
    if shape is GRANT:
        return f"(SELECT * FROM {diff.prefix}_pairs WHERE op <> 'removed')"
    return f"(SELECT * FROM {diff.prefix}_{shape.plural}_came WHERE since = {diff.number:d})"


def _row(con: duckdb.DuckDBPyConnection, query: str) -> tuple[int, ...]:
    return con.execute(query).fetchall()[0]
