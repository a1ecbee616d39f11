"""Parquet: every type as text, whatever zone the session has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from grantline.errors import FileEmpty, FileStructure, MappingInvalid, SourceTooLarge
from grantline.formats.limits import Limits

from .conftest import Result

Load = Callable[..., Result]


def written(tmp_path: Path, select: str) -> bytes:
    path = tmp_path / "made.parquet"
    duckdb.connect().execute(f"COPY ({select}) TO '{path}' (FORMAT parquet)")
    return path.read_bytes()


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("'00042'", "00042"),
        ("''", None),
        ("9007199254740993::BIGINT", "9007199254740993"),
        ("42.0::DOUBLE", "42"),
        ("0.1::DOUBLE", "0.1"),
        ("true", "true"),
        ("DATE '2026-01-01'", "2026-01-01"),
        ("TIMESTAMP '2026-01-07 15:30:00'", "2026-01-07T15:30:00"),
        ("TIMESTAMPTZ '2026-01-07 15:30:00+00'", "2026-01-07T15:30:00Z"),
        ("['a', 'b']", "a,b"),
        ("['a,b', 'c']", "a,b;c"),
        ("[1, 2]", "1,2"),
        ("'x'::BLOB", "x"),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo"])
def test_values_as_text(
    load: Load, con: duckdb.DuckDBPyConnection, tmp_path: Path, sql: str, expected: str | None, zone: str
) -> None:
    con.execute(f"SET TimeZone = '{zone}'")
    assert load(written(tmp_path, f"SELECT {sql} AS v")).rows == [(expected,)]


def test_structures_become_columns(load: Load, tmp_path: Path) -> None:
    result = load(written(tmp_path, "SELECT {'a': 1, 'b': {'c': 'x'}} AS s, ['p,q'] AS g"))
    assert result.table.columns == ("s.a", "s.b.c", "g")
    assert result.rows == [("1", "x", "p,q")]
    assert result.table.separators == {"g": ";"}


def test_a_nul_refuses_its_row(load: Load, tmp_path: Path) -> None:
    result = load(written(tmp_path, "SELECT 'a' || chr(0) AS id UNION ALL SELECT 'b'"))
    assert (result.rows, result.numbers) == ([("b",)], [2])
    assert result.issues == [("value_invalid", 1, None, "id")]
    assert result.doubtful == [(1, "a")]


def test_faults_of_the_whole_file(load: Load, tmp_path: Path) -> None:
    data = written(tmp_path, "SELECT range AS id FROM range(5)")
    with pytest.raises(FileStructure, match="damaged"):
        load(data[:-20])
    with pytest.raises(FileEmpty):
        load(written(tmp_path, "SELECT 1 AS id WHERE false"))
    with pytest.raises(SourceTooLarge, match="rows"):
        load(data, limits=Limits(rows=3))
    with pytest.raises(MappingInvalid, match=r"file\.delimiter"):
        load(data, {"delimiter": ";"})
