from __future__ import annotations

import duckdb
import pytest

from grantline.formats.table import Place
from grantline.mapping.apply import apply
from grantline.mapping.document import load
from grantline.mapping.findings import cell_name

from .conftest import table_of


@pytest.mark.parametrize(
    ("place", "column", "cell"),
    [
        (Place(sheet="Users", sheet_row=3), 2, "Users!C3"),
        (Place(sheet_row=3), 0, "A3"),
        (Place(sheet="S", sheet_row=1), 25, "S!Z1"),
        (Place(sheet="S", sheet_row=1), 26, "S!AA1"),
        (Place(sheet="S", sheet_row=1), 702, "S!AAA1"),
        (Place(line=5), 2, None),
        (Place(sheet="S", sheet_row=1), None, None),
        (None, 2, None),
    ],
)
def test_cell_names(place: Place | None, column: int | None, cell: str | None) -> None:
    assert cell_name(place, column) == cell


@pytest.mark.parametrize("count", [70])
def test_a_file_of_very_many_columns_is_checked_in_all_of_them(con: duckdb.DuckDBPyConnection, count: int) -> None:
    names = [f"P{number}" for number in range(count)]
    rules = [{"source": name, "to": f"profile.{name}", "pattern": "[a-z]+"} for name in names]
    mapping = load({"version": 1, "columns": [{"source": "User ID", "to": "account.id"}, *rules]})
    good = ["x"] * count
    rows = [["A", *good], ["B", "1", *good[1:]], ["C", *good[1:], "2"], ["D", *good[1:], "x" * 70_000], ["E", *good]]
    records = apply(con, table_of(con, ["User ID", *names], rows), mapping)
    found = [(issue.severity, issue.row, issue.column, issue.value) for issue in records.issues]
    assert found[:2] == [("error", 2, names[0], "1"), ("error", 3, names[-1], "2")]
    assert [(severity, row, column) for severity, row, column, _ in found[2:]] == [("warning", 4, names[-1])]
    assert (records.rows_rejected, records.issue_counts) == (2, {"value_invalid": 3})
    accounts = con.execute(f"SELECT id FROM {records.accounts} ORDER BY id").fetchall()
    assert [row[0] for row in accounts] == ["A", "D", "E"]
