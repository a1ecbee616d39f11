"""Random and damaged files through every reader: a table or a coded error, never a crash or a hang."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tempfile
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import openpyxl
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grantline.errors import FileError, SourceError
from grantline.formats.c1z_write import Sync, write_c1z
from grantline.formats.limits import Limits
from grantline.reading import read_records

CSV = b'user_id,email,groups\nA1,p1@example.com,"g-a,g-b"\nA2,p2@example.com,"two\nlines"\n'
JSON = b'{"Users": [{"id": "A1", "email": "p1@example.com", "groups": ["a", "b"]}, {"id": "A2"}], "next": null}'
SMALL = Limits(
    unpacked_bytes=4 << 20, rows=1_000, columns=100, workbook_bytes=8 << 20, workbook_cells=100_000, seconds=5
)


def workbook() -> bytes:
    book, data = openpyxl.Workbook(), io.BytesIO()
    for row in (["user_id", "email"], ["A1", "p1@example.com"], [42, None]):
        book.active.append(row)
    book.save(data)
    return data.getvalue()


def parquet() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.parquet"
        duckdb.connect().execute(f"COPY (SELECT 'A1' AS user_id, now() AS last_login, [1, 2] AS groups) TO '{path}'")
        return path.read_bytes()


def c1z() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.c1z"
        at = datetime(2026, 1, 7, tzinfo=UTC)
        role = {"resource_type": "app", "resource": "a", "entitlement": "r"}
        write_c1z(path, [Sync("v", at, at, [{"id": "A1"}], [role], [{"account": "A1", **role}])])
        return path.read_bytes()


def zipped() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("users.csv", CSV)
    return data.getvalue()


SEEDS: dict[str, bytes] = {
    "csv": CSV,
    "utf-16": CSV.decode().encode("utf-16"),
    "json": JSON,
    "json lines": b'{"id": "A1"}\n{"id": "A2"}\n',
    "xlsx": workbook(),
    "parquet": parquet(),
    "c1z": c1z(),
    "zip": zipped(),
    "gzip": gzip.compress(CSV),
    "bzip2": bz2.compress(CSV),
    "xz": lzma.compress(JSON),
    "zstd": zstandard.compress(CSV),
}
SIGNATURES = [
    b"",
    b"PK\x03\x04",
    b"PAR1",
    b"\x1f\x8b\x08\x00",
    b"C1ZF\x00",
    b"C1Z3\x00",
    b"[{",
    b"{",
    b"BZh9",
    b"\xff\xfe",
]
QUIET = settings(deadline=None, suppress_health_check=list(HealthCheck), database=None, derandomize=True)


def read(data: bytes) -> None:
    """Reads and maps `data`; only errors of the tree may come out."""
    with tempfile.TemporaryDirectory() as folder:
        path, con = Path(folder) / "input", duckdb.connect(config={"threads": 1, "memory_limit": "256MB"})
        path.write_bytes(data)
        try:
            records = read_records(path, None, con, Path(folder), limits=SMALL).records
            assert records.rows_read >= records.rows_rejected
        except (FileError, SourceError) as error:
            said = (error.code, error.message)
        else:
            said = ("", "")
        finally:
            con.close()
    assert folder not in said[1], "a message names a path of this machine"


def mutated(seed: bytes) -> st.SearchStrategy[bytes]:
    """The seed with some bytes changed, a piece cut out or put in, or cut off."""
    places = st.integers(0, max(0, len(seed) - 1))

    def change(changes: list[tuple[int, int]], cut: tuple[int, int], piece: bytes, end: int | None) -> bytes:
        data = bytearray(seed)
        for place, value in changes:
            data[place] = value
        first, length = cut
        data[first : first + length] = piece
        return bytes(data[:end])

    changes = st.lists(st.tuples(places, st.integers(0, 255)), max_size=6)
    return st.builds(change, changes, st.tuples(places, st.integers(0, 8)), st.binary(max_size=8), st.none() | places)


@pytest.mark.parametrize("name", SEEDS)
def test_the_seed_itself_is_read(name: str) -> None:
    read(SEEDS[name])


@pytest.mark.parametrize("name", SEEDS)
def test_damaged_files(name: str) -> None:
    attempt: Callable[[], None] = settings(QUIET, max_examples=5 if name == "parquet" else 20)(
        given(mutated(SEEDS[name]))(read)
    )
    attempt()


@settings(QUIET, max_examples=60)
@given(st.sampled_from(SIGNATURES), st.binary(max_size=300))
def test_random_bytes(start: bytes, rest: bytes) -> None:
    read(start + rest)


@settings(QUIET, max_examples=40)
@given(st.text(alphabet="A1,;\t|\"'\n\r\\ \x00é\ufeff{}[]:", max_size=120))
def test_random_text_that_looks_like_a_table(text: str) -> None:
    read(("user_id,email\n" + text).encode())
