from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from grantline.catalog.connection import connect
from grantline.errors import FileEmpty, FileStructure, HeaderMissing, MappingInvalid
from grantline.mapping.apply import apply
from grantline.mapping.document import COLUMNS_LIMIT
from grantline.reading import as_mapping, read_records, read_table

TEXT = "Report of users\n\nuser;right\nA1;reader\nA2;\n"
MAPPING = {
    "version": 1,
    "columns": [{"source": "user", "to": "account.id"}, {"source": "right", "to": "entitlement.name"}],
    "constants": {"resource.type": "role"},
}


SCENARIOS = Path(__file__).parents[1] / "scenarios"


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = connect(memory_limit_mb=256)
    yield connection
    connection.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "users.csv"
    path.write_text(TEXT)
    return path


def test_a_mapping_finds_its_header_below_titles(con: duckdb.DuckDBPyConnection, file: Path, tmp_path: Path) -> None:
    reading = read_records(file, MAPPING, con, tmp_path)
    assert reading.table.format.header_row == 3
    assert reading.table.format.layout is None
    assert reading.proposal is None
    assert con.execute(f"SELECT count(*) FROM {reading.records.accounts}").fetchone() == (2,)


def test_without_columns_the_header_is_recognized(con: duckdb.DuckDBPyConnection, file: Path, tmp_path: Path) -> None:
    file.write_text("user_id;roles\nA1;a|b\n")
    reading = read_records(file, {"version": 1, "file": {"delimiter": ";"}}, con, tmp_path)
    assert reading.table.format.layout == "accounts"
    assert reading.mapping.file == {"delimiter": ";"}
    assert reading.proposal is not None


def test_two_files_live_on_one_connection(con: duckdb.DuckDBPyConnection, file: Path, tmp_path: Path) -> None:
    one = read_records(file, MAPPING, con, tmp_path, prefix="one_")
    other = read_records(file, MAPPING, con, tmp_path, prefix="other_")
    assert one.records.grants != other.records.grants
    assert con.execute(f"SELECT * FROM {one.records.grants}").fetchall()
    assert con.execute(f"SELECT * FROM {other.records.grants}").fetchall()


def test_a_header_that_nobody_knows_is_refused(con: duckdb.DuckDBPyConnection, file: Path, tmp_path: Path) -> None:
    file.write_text("foo,bar\n1,2\n")
    with pytest.raises(HeaderMissing):
        read_records(file, None, con, tmp_path)


def test_an_empty_file_is_refused(con: duckdb.DuckDBPyConnection, file: Path, tmp_path: Path) -> None:
    file.write_text("")
    with pytest.raises(FileEmpty):
        read_records(file, None, con, tmp_path)


def test_a_mapping_is_checked_with_its_file_section() -> None:
    with pytest.raises(MappingInvalid, match="file.encodign"):
        as_mapping({"version": 1, "file": {"encodign": "utf-8"}})
    assert as_mapping(None).columns == ()


HEADER = b"User ID,Email Address,Note\n"
CLEAN = HEADER + b"".join(b"U%d,u%d@example.com,n\n" % (number, number) for number in range(50))
DIRTY = {
    "line break in a cell that nothing maps": CLEAN + b'U90,u90@example.com,"two\nlines"\n',
    "row of another width": CLEAN + b"U90,u90@example.com\nU91,u91@example.com,n\n",
    "blank line": CLEAN + b"\nU91,u91@example.com,n\n",
    "NUL in a mapped cell": CLEAN + b"U9\x000,u90@example.com,n\nU91,u91@example.com,n\n",
    "NUL in another cell": CLEAN + b"U90,u90@example.com,\x00\n",
    "mixed line ends": CLEAN + b"U90,u90@example.com,n\r\nU91,u91@example.com,n\n",
    "no line end at the end": CLEAN + b"U90,u90@example.com,n",
    "text behind a closing quote": CLEAN + b'U90,"u90@example.com" x,n\nU91,u91@example.com,n\n',
    "nothing wrong": CLEAN,
}


@pytest.mark.parametrize("name", DIRTY)
def test_a_broken_promise_is_read_exactly(con: duckdb.DuckDBPyConnection, tmp_path: Path, name: str) -> None:
    """What is found never depends on whether the file looked clean."""
    file = tmp_path / "f.csv"
    file.write_bytes(DIRTY[name])
    found = read_records(file, None, con, tmp_path, prefix="lazy_")
    table, mapping, _ = read_table(file, as_mapping(None), con, tmp_path)
    exact = apply(con, table, mapping, "eager_")
    ids = [
        con.execute(f"SELECT id, email FROM {rows} ORDER BY id").fetchall()
        for rows in (found.records.accounts, exact.accounts)
    ]
    assert ids[0] == ids[1]
    assert found.records.issues == exact.issues
    assert (found.records.rows_read, found.records.rows_rejected) == (exact.rows_read, exact.rows_rejected)


def test_a_clean_file_is_not_scanned_before_it_is_mapped(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    file = tmp_path / "f.csv"
    file.write_bytes(CLEAN)
    reading = read_records(file, None, con, tmp_path)
    assert reading.table.expected_count is not None
    assert reading.table.expected_count() == 50
    file.write_bytes(DIRTY["row of another width"])
    assert read_records(file, None, con, tmp_path).table.expected_count is None


def test_a_fault_beyond_the_mapped_columns_is_still_found(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    file = tmp_path / "f.csv"
    file.write_bytes(CLEAN + b'U90,u90@example.com,"open\n')
    with pytest.raises(FileStructure):
        read_records(file, None, con, tmp_path)


def test_a_list_of_the_file_itself_is_split_where_it_was_joined(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    file = tmp_path / "users.json"
    file.write_text('[{"User ID":"U1","Groups":["sales, north","admins"]},{"User ID":"U2","Groups":[]}]')
    records = read_records(file, None, con, tmp_path).records
    rows = con.execute(f"SELECT resource FROM {records.entitlements} ORDER BY 1").fetchall()
    assert rows == [("admins",), ("sales, north",)]


@pytest.mark.parametrize("name", ["file-connector-csv", "file-connector-workbook"])
def test_a_file_connector_s_file_lists_accounts_for_other_imports(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, name: str
) -> None:
    (path,) = (one for one in (SCENARIOS / name).iterdir() if one.stem == "input")
    found = read_records(path, None, con, tmp_path).records.references
    assert (found.lists_accounts, found.describes_accounts) == (True, True)
    assert found.defines


def test_a_file_as_wide_as_a_mapping_may_be_needs_little_memory(tmp_path: Path) -> None:
    """DuckDB made joins of the constants that each cell is compared with, and ran out of twice this memory."""
    names = [f"Column {number}" for number in range(COLUMNS_LIMIT - 1)]
    path = tmp_path / "wide.csv"
    path.write_text(",".join(["User ID", *names]) + "\n" + ",".join(["U1", *names]) + "\n")
    rules = [{"source": name, "to": f"profile.{name}"} for name in names]
    mapping = {"version": 1, "columns": [{"source": "User ID", "to": "account.id"}, *rules]}
    con = connect(memory_limit_mb=256)
    records = read_records(path, mapping, con, tmp_path).records
    (profile,) = con.execute(f"SELECT profile FROM {records.accounts}").fetchall()[0]
    assert json.loads(profile) == {name: name for name in names}
