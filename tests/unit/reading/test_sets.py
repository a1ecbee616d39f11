"""Several files read as one: what is said of them, and what makes a whole set wrong."""

from __future__ import annotations

import io
from pathlib import Path

import duckdb
import openpyxl
import pytest

from grantline.errors import FileEmpty, FileStructure, HeaderMissing, SourceIncompleteSet
from grantline.reading import Reading, read_records

USERS = "User ID,Email Address\nA1,ada@example.com\n"
GRANTS = "User ID,Resource Type,Resource Name,Entitlement\nA1,app,Billing,read\n"


def read(con: duckdb.DuckDBPyConnection, tmp_path: Path, **files: str) -> Reading:
    folder = tmp_path / "set"
    folder.mkdir()
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    return read_records(folder, None, con, tmp_path)


def book(tmp_path: Path, **sheets: list[list[str]]) -> Path:
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, rows in sheets.items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(row)
    buffer = io.BytesIO()
    made.save(buffer)
    path = tmp_path / "book.xlsx"
    path.write_bytes(buffer.getvalue())
    return path


def test_files_of_different_shape_are_one_reading(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    found = read(con, tmp_path, users_csv=USERS, grants_csv=GRANTS)
    assert found.records.rows_read == 2
    assert con.execute(f"SELECT id, email FROM {found.records.accounts}").fetchall() == [("A1", "ada@example.com")]
    assert con.execute(f"SELECT count(*) FROM {found.records.grants}").fetchall() == [(1,)]


def test_a_file_with_a_header_alone_is_noted(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    found = read(con, tmp_path, a_csv=USERS, b_csv="User ID,Email Address\n")
    assert found.table.notes[-1] == "Files with a header and no rows: b.csv."


def test_headers_alone_are_an_empty_set(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    with pytest.raises(FileEmpty, match="None of the files"):
        read(con, tmp_path, a_csv="User ID,Email Address\n", b_csv="User ID,Email Address\n")


def test_a_fault_names_the_file(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    with pytest.raises(HeaderMissing) as error:
        read(con, tmp_path, a_csv=USERS, b_csv="foo,bar\n1,2\n")
    assert error.value.message.startswith("b.csv: ")


def test_an_issue_names_the_file(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    found = read(con, tmp_path, a_csv=USERS, b_csv=USERS.replace("A1,ada", "B1,@@"))
    assert [(issue.file, issue.row) for issue in found.records.issues] == [("b.csv", 1)]


def test_a_manifest_that_promises_more_records_holds_the_set_back(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    with pytest.raises(SourceIncompleteSet, match="promises 3 records, but the files hold 2"):
        read(con, tmp_path, a_csv=USERS, b_csv=GRANTS, manifest_json='{"rows": 3}')


def test_sheets_without_a_known_header_are_left_out(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    rows = [line.split(",") for line in USERS.splitlines()]
    grants = [line.split(",") for line in GRANTS.splitlines()]
    path = book(tmp_path, Users=rows, Grants=grants, Readme=[["About", "this"], ["x", "y"]])
    found = read_records(path, None, con, tmp_path)
    assert found.table.format.sheet == "Users, Grants"
    assert "Sheets whose header is not known, left out: Readme." in found.table.notes
    assert [rule.sheet for rule in found.mapping.sources] == ["Users", "Grants"]


def test_two_sheets_of_the_same_shape_must_be_named(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    rows = [line.split(",") for line in USERS.splitlines()]
    path = book(tmp_path, This=rows, Last=rows)
    with pytest.raises(FileStructure, match='"This" and "Last" both hold accounts'):
        read_records(path, None, con, tmp_path)
