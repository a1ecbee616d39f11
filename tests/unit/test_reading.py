from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from grantline.catalog.connection import connect
from grantline.errors import FileEmpty, HeaderMissing, MappingInvalid
from grantline.reading import as_mapping, read_records

TEXT = "Report of users\n\nuser;right\nA1;reader\nA2;\n"
MAPPING = {
    "version": 1,
    "columns": [{"source": "user", "to": "account.id"}, {"source": "right", "to": "entitlement.name"}],
    "constants": {"resource.type": "role"},
}


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
