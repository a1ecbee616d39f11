"""The fast and the exact path give the same table for every file that the fast one accepts."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from grantline.errors import GrantlineError
from grantline.formats.csv_exact import read_exact
from grantline.formats.csv_fast import read_fast, suits
from grantline.formats.dialect import read_head
from grantline.formats.limits import Limits
from grantline.formats.lines import head_lines
from grantline.formats.options import FileOptions
from grantline.formats.read import read
from grantline.formats.table import Format

from .conftest import fetch

LIMITS = Limits(cell_bytes=200)
CON = duckdb.connect()

GOOD = ["a", "é", "", " ", " b ", '"a"', '""', '"a,b"', '"a""b"', '"\u2028"', "\ufeff", "\\", "#", "'", "NULL"]
ODD = [' "a"', '"a" ', '  "a"', 'a"b', '"a\nb"', '"a\n,b\n"', '" "" "', "\t", "a;b", '"\n"', '""""']
BAD = ['"a"b', '"', "\0", "a,b", "\r", '"\r"', "\n", "c" * 300, '"a"\t']

cell = st.one_of(*[st.sampled_from(GOOD)] * 8, *[st.sampled_from(ODD)] * 3)
row = st.lists(cell, min_size=2, max_size=2).map(",".join)
blank = st.sampled_from(["", "", " ", ",", ",,", "a,b,", "a,b,,", "a,b,c", "a"])
lines = st.lists(
    st.one_of(row, row, row, row, blank, st.lists(st.sampled_from(BAD), min_size=2, max_size=2).map(",".join)),
    max_size=8,
)
clean_lines = st.lists(st.one_of(row, row, row, st.just("")), max_size=8)
soup = st.one_of(lines, clean_lines, clean_lines)

characters = st.characters(exclude_categories=("Cs",), exclude_characters="\0")
cells = st.one_of(st.text(characters, max_size=8), st.sampled_from(["", " ", '"', '""', "a\nb", " x", "#", "\ufeff"]))


def outcome(path: Path, fast: bool) -> object:
    """Everything a caller can see of one path, or the error's code."""
    options = FileOptions(delimiter=",")
    try:
        head = read_head(head_lines(path), options, None)
        format = Format("csv")
        if fast:
            if not suits(head, options):
                return None
            table = read_fast(path, head, LIMITS, CON, path.parent, format)
        else:
            table = read_exact(path, head, options, LIMITS, CON, path.parent, format)
    except GrantlineError as error:
        return error.code
    if table is None:
        return None
    result = fetch(CON, table)
    return table.columns, result.rows, result.numbers, result.lines, table.record_count


@settings(max_examples=300, deadline=None)
@given(
    head=st.sampled_from(["a,b", '"a","b"', "a, b", '\ufeff"a",b', "x,y,,"]),
    body=soup,
    line_end=st.sampled_from(["\n", "\n", "\r\n"]),
    finished=st.booleans(),
)
def test_any_text_accepted_by_the_fast_path_reads_the_same_on_the_exact_path(
    head: str, body: list[str], line_end: str, finished: bool
) -> None:
    text = line_end.join([head, *body]) + (line_end if finished else "")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.csv"
        path.write_bytes(text.encode())
        quick = outcome(path, fast=True)
        if quick is not None:
            assert quick == outcome(path, fast=False)


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(st.lists(cells, min_size=3, max_size=3), min_size=1, max_size=12),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    quote=st.sampled_from(['"', "'"]),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-be"]),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
)
def test_a_written_table_comes_back_cell_for_cell(
    rows: list[list[str]], delimiter: str, quote: str, line_end: str, encoding: str, quoting: int
) -> None:
    if any("\r" in cell or "\n" in cell for row in rows for cell in row):
        quoting = csv.QUOTE_ALL  # the csv module leaves a CR bare when lines end in LF
    buffer = io.StringIO()
    writer = csv.writer(
        buffer,
        delimiter=delimiter,
        quotechar=quote,
        lineterminator=line_end,
        quoting=quoting,  # type: ignore[arg-type]
    )
    writer.writerow(["id", "name", "note"])
    writer.writerows(["k", *row[1:]] for row in rows)
    declared = encoding if encoding == "utf-16-be" else "auto"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.csv"
        path.write_bytes(buffer.getvalue().encode(encoding))
        options = FileOptions(delimiter=delimiter, quote=quote, encoding=declared)
        table = read(path, options, Limits(), CON, Path(folder))
        expected = [("k", *((cell or None) for cell in row[1:])) for row in rows]
        assert fetch(CON, table).rows == expected
