"""The relations that look-ups read: the rows of an import that were true at one version.

In: snapshots and, maybe, earlier version numbers. Out: `Source`s, whose `rows` is a piece of SQL with
the columns of the files. The current version is read from its own files alone; an earlier one is the
union of the rows that are still true and those that ended later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from grantline.catalog.columns import BY_ENTITLEMENT_FILE, GRANT, Shape, listed
from grantline.catalog.connection import lake_errors, path_literal
from grantline.catalog.lake import existing, needed
from grantline.catalog.model import Snapshot
from grantline.errors import InputInvalid

Snapshots = Sequence[tuple[str, Snapshot]]
AsOf = Mapping[str, int] | None

LARGEST_PAGE = 1000
ONLY_NAMED = 1_000_000
"""What puts a row without attributes behind those of every import that has some."""


@dataclass(frozen=True)
class Source:
    """One import at one version. `index` is its place among the application's imports: the first wins."""

    index: int
    import_id: str
    snapshot: Snapshot
    number: int

    @property
    def is_current(self) -> bool:
        """Whether the version asked about is the current one."""
        return self.number >= self.snapshot.number

    def rows(self, shape: Shape, *, by_entitlement: bool = False) -> str:
        """A relation in parentheses: the rows of a kind that were true, with the columns of its file.

        `by_entitlement` reads grants from the file that is sorted by entitlement, where there is one.
        """
        file = self.snapshot.folder / BY_ENTITLEMENT_FILE
        if not (shape is GRANT and by_entitlement and file.exists()):
            file = needed(self.snapshot.folder / shape.file)
        columns, current = listed(shape.columns), f"read_parquet({path_literal(file)})"
        if self.is_current:
            return f"(SELECT {columns} FROM {current})"
        number = int(self.number)
        then = f"(SELECT {columns} FROM {current} WHERE since <= {number}"
        if ended := self.ended(shape):
            then += f" UNION ALL SELECT {columns} FROM {ended} WHERE since <= {number} AND until > {number}"
        return then + ")"

    def ever(self, shape: Shape) -> str:
        """A relation in parentheses: every row of a kind there ever was; `until` is NULL where current."""
        current = path_literal(needed(self.snapshot.folder / shape.file))
        columns = listed(shape.columns)
        ever = f"(SELECT {columns}, CAST(NULL AS UINTEGER) AS until FROM read_parquet({current})"
        if ended := self.ended(shape):
            ever += f" UNION ALL SELECT {columns}, until FROM {ended}"
        return ever + ")"

    def ended(self, shape: Shape) -> str | None:
        """The table function over the files of ended rows; None where there are none."""
        files = existing(self.snapshot.history, shape.ended_file)
        return f"read_parquet({path_literal(*files)})" if files else None


def sources(snapshots: Snapshots, as_of: AsOf = None) -> list[Source]:
    """The imports to read; those that had no version yet at `as_of` are left out.

    With `as_of`, an import that it does not name is left out as well.
    """
    chosen = []
    for index, (import_id, snapshot) in enumerate(snapshots):
        number = snapshot.number if as_of is None else as_of.get(import_id, 0)
        if number >= 1:
            chosen.append(Source(index, import_id, snapshot, number))
    return chosen


def fetch(con: duckdb.DuckDBPyConnection, query: str, parameters: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
    """All rows of a query. Raises: `LakeUnavailable` where a file cannot be read."""
    with lake_errors("Reading a version"):
        return con.execute(query, list(parameters)).fetchall()


def rank(fields: Iterable[str]) -> str:
    """The expression by which rows of several imports win: the first import does, but one that describes
    what it names before all that only name it."""
    return f"(CASE WHEN coalesce({', '.join(fields)}) IS NULL THEN {ONLY_NAMED} ELSE 0 END + index)"


def page_size(limit: int) -> int:
    """`limit`, checked. Raises: `InputInvalid` outside 1 to `LARGEST_PAGE`."""
    if not 1 <= limit <= LARGEST_PAGE:
        raise InputInvalid(f"limit must be from 1 to {LARGEST_PAGE}, not {limit}.", field="limit")
    return limit


def found_in(columns: Iterable[str]) -> str:
    """The condition that a text (one parameter per column) occurs in a column, ignoring case.

    `contains` knows no wildcards, so `%` and `_` mean themselves.
    """
    return "(" + " OR ".join(f"contains(lower({column}), lower(?))" for column in columns) + ")"
