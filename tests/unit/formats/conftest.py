"""A file's bytes to a table, as the caller of the room gets it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from grantline.formats.limits import Limits
from grantline.formats.options import FileOptions
from grantline.formats.read import read
from grantline.formats.table import Table


@dataclass(frozen=True)
class Result:
    """A table with its rows fetched."""

    table: Table
    rows: list[tuple[str | None, ...]]
    numbers: list[int]
    doubtful: list[tuple[Any, ...]]

    @property
    def lines(self) -> list[int | None]:
        """Physical line (sheet row) of each accepted row."""
        places = self.table.places(self.numbers)
        return [places[number].line or places[number].sheet_row for number in self.numbers]

    @property
    def issues(self) -> list[tuple[str, int | None, int | None, str | None]]:
        """Code, row, line and column of each issue."""
        return [(issue.code, issue.row, issue.line, issue.column) for issue in self.table.issues]


def fetch(con: duckdb.DuckDBPyConnection, table: Table) -> Result:
    """Scans a table; asserts that `rows` and `numbered` say the same."""
    rows = con.execute(f"SELECT * FROM {table.rows}").fetchall()
    numbered = con.execute(f"SELECT * FROM {table.numbered}").fetchall()
    assert [row[1:] for row in numbered] == rows
    doubtful = con.execute(f"SELECT * FROM {table.doubtful}").fetchall() if table.doubtful else []
    assert len(rows) + table.rejected_count == table.record_count
    assert len(doubtful) == table.rejected_count
    return Result(table, rows, [row[0] for row in numbered], doubtful)


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect()
    yield connection
    connection.close()


@pytest.fixture
def load(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> Callable[..., Result]:
    """`load(data, {file options}, name=…, limits=…, known=…)`."""

    def load(
        data: bytes | str,
        document: dict[str, Any] | None = None,
        *,
        name: str = "users.csv",
        limits: Limits | None = None,
        known: Any = None,
    ) -> Result:
        path = tmp_path / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        options = FileOptions.from_document(document)
        return fetch(con, read(path, options, limits or Limits(), con, tmp_path, known=known))

    return load
