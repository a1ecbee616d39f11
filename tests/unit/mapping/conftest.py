"""A source for the mapping's tests: rows of text as `formats` hands them on, without a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pytest

from grantline.catalog.connection import connect
from grantline.formats.table import Format, Place, Table
from grantline.mapping.apply import apply
from grantline.mapping.document import Mapping, load
from grantline.mapping.records import Records

Rows = Sequence[Sequence[str | None]]


@dataclass
class Mapped:
    """Records, and what is in their tables."""

    con: duckdb.DuckDBPyConnection
    records: Records
    accounts: list[dict[str, Any]] = field(default_factory=list)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.con.execute(query).fetchall()

    def column(self, name: str) -> dict[str, Any]:
        """A field of the accounts, by id."""
        return dict(self.rows(f"SELECT id, {name} FROM {self.records.accounts}"))

    def grants(self) -> set[tuple[str, str, str, str]]:
        return set(
            self.rows(
                f"SELECT a.id, e.resource_type, e.resource, e.entitlement FROM {self.records.grants} g"
                f" JOIN {self.records.accounts} a ON a.n = g.account"
                f" JOIN {self.records.entitlements} e ON e.n = g.entitlement"
            )
        )

    def entitlements(self) -> set[tuple[str, str, str]]:
        return set(self.rows(f"SELECT resource_type, resource, entitlement FROM {self.records.entitlements}"))

    def unconfirmed(self) -> set[str]:
        return {row[0] for row in self.rows(f"SELECT id FROM {self.records.unconfirmed}")}

    def found(self) -> list[tuple[str, str, int | None]]:
        """Code, severity and row of each issue."""
        return [(issue.code, issue.severity, issue.row) for issue in self.records.issues]


def table_of(con: duckdb.DuckDBPyConnection, columns: Sequence[str], rows: Rows) -> Table:
    cells = ", ".join(f"c{index} VARCHAR" for index in range(len(columns)))
    con.execute(f'CREATE OR REPLACE TEMP TABLE raw ("row" BIGINT, {cells})')
    for number, row in enumerate(rows, 1):
        marks = ", ".join("?" * (len(columns) + 1))
        con.execute(f"INSERT INTO raw VALUES ({marks})", [number, *(cell or None for cell in row)])

    def places(numbers: Iterable[int]) -> dict[int, Place]:
        return {number: Place(line=number + 1) for number in numbers}

    return Table(Format("csv"), tuple(columns), '(SELECT * EXCLUDE ("row") FROM raw)', "raw", places)


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = connect(memory_limit_mb=512)
    yield connection
    connection.close()


@pytest.fixture
def mapped(con: duckdb.DuckDBPyConnection) -> Callable[..., Mapped]:
    """Maps rows: `mapped({"User ID": "account.id"}, [["A1"]])`; a target may be a rule's options."""

    def run(columns: dict[str, Any], rows: Rows, **document: Any) -> Mapped:
        rules = [
            {"source": source, **(rule if isinstance(rule, dict) else {"to": rule})}
            for source, rule in columns.items()
            if rule is not None
        ]
        mapping: Mapping = load({"version": 1, "columns": rules, **document})
        return Mapped(con, apply(con, table_of(con, list(columns), rows), mapping))

    return run
