"""The state of one mapping: connection, file, plan, and the names of its temporary tables.

Owns `Work`, which the passes hand from one to the next. All tables of one mapping share a prefix, so
that several files can be mapped on one connection and be dropped together.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import duckdb

from grantline.issues import Issue
from grantline.mapping.checks import Check
from grantline.mapping.dates import Order
from grantline.mapping.plan import Plan
from grantline.mapping.source import Source


@dataclass
class Work:
    """One mapping in progress. `live` collects the checks that found something."""

    con: duckdb.DuckDBPyConnection
    source: Source
    plan: Plan
    prefix: str
    orders: dict[int, Order] = field(default_factory=dict)
    live: list[Check] = field(default_factory=list)
    loose: list[Issue] = field(default_factory=list)
    """Issues about the whole file, or about a record that several rows make."""
    notes: list[str] = field(default_factory=list)
    views: list[str] = field(default_factory=list)
    checked: bool = True
    """Off only to measure what checking costs: then no cell is looked at."""
    conflicts: bool = False
    """Whether rows of one account contradict each other (table `conflicts`)."""
    defines_some: bool = False
    """Whether some of its rows may define entitlements (table `defined`) and others give them."""

    def name(self, table: str) -> str:
        """The full name of a temporary table."""
        return f"{self.prefix}{table}"

    def create(self, table: str, query: str) -> str:
        """Makes a temporary table of `query` and returns its name."""
        self.con.execute(f"CREATE OR REPLACE TEMP TABLE {self.name(table)} AS {query}")
        return self.name(table)

    def view(self, table: str, query: str) -> str:
        """Makes a temporary view of `query` and returns its name."""
        self.con.execute(f"CREATE OR REPLACE TEMP VIEW {self.name(table)} AS {query}")
        self.views.append(table)
        return self.name(table)

    @contextmanager
    def sides_as_written(self) -> Iterator[None]:
        """Joins in the block keep the left side streaming and hold the right one in memory.

        DuckDB takes every CSV file whose dialect is declared for 42 rows (as of 2.0.1), and would hold
        the whole file. A locked connection keeps its settings: there the joins are right, but slower.
        """
        (usual,) = self.one("SELECT current_setting('disabled_optimizers')")
        more = ",".join(filter(None, (usual, "join_order,build_side_probe_side")))
        try:
            self.con.execute(f"SET disabled_optimizers = '{more}'")
        except duckdb.InvalidInputException:
            yield
            return
        try:
            yield
        finally:
            self.con.execute(f"SET disabled_optimizers = '{usual}'")

    def one(self, query: str) -> tuple[Any, ...]:
        """The first row of `query`."""
        row = self.con.execute(query).fetchone()
        assert row is not None, "an aggregate gives one row"  # noqa: S101
        return row

    def rows(self) -> str:
        """The file's rows that `where` keeps."""
        return self._kept(self.source.rows)

    def numbered(self) -> str:
        """The same, numbered."""
        return self._kept(self.source.numbered)

    def _kept(self, relation: str) -> str:
        test = self.plan.where_sql()
        return f"(SELECT * FROM {relation} WHERE {test})" if test else relation

    def drop(self, *tables: str) -> None:
        """Drops temporary tables and views that are no longer needed."""
        for table in tables:
            kind = "VIEW" if table in self.views else "TABLE"
            self.con.execute(f"DROP {kind} IF EXISTS {self.name(table)}")
