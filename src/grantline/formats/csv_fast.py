"""The fast path of delimited text: DuckDB scans the file itself, nothing is copied.

In: a UTF-8 file, its `Head`. Out: a `Table`, or None where the file is not proven clean; the exact
path then reads it. The proof is one scan by DuckDB in strict mode that touches every column (it raises
on a row of the wrong width, text behind a closing quote, an unclosed quote, a bad byte, mixed line
ends, a line over the cell limit), beside one pass over the bytes (NUL, mixed line ends, number of
lines). Where records and lines agree in number, each record is one line. Where they do not (blank
lines, line ends inside cells), threads that begin in the middle of the file could be misled, so it is
scanned again, and from then on, by one thread. `promise_fast` leaves that scan to the reader of the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import duckdb

from grantline.formats.census import Census, scan
from grantline.formats.dialect import Head, no_rows
from grantline.formats.limits import Limits
from grantline.formats.lines import open_lines
from grantline.formats.options import FileOptions
from grantline.formats.relation import cell_names, csv_relation, safe_path
from grantline.formats.table import Format, Place, Table
from grantline.formats.tokens import Records

MINIMUM_COLUMNS = 2
"""DuckDB reads a blank line of a file with one column as a row."""


def suits(head: Head, options: FileOptions) -> bool:
    """Whether the options leave the file to DuckDB: no rule that looks at single rows, no escape."""
    return (
        head.plain
        and head.line_end is not None
        and len(head.columns) >= MINIMUM_COLUMNS
        and options.escape in (None, options.quote)
        and options.comment is None
        and not options.skip_rows_starting_with
        and options.stop_at_row_starting_with is None
        and options.skip_last == 0
        and options.count_row is None
        and not options.fill_down
        and all(c is None or (c.isascii() and c.isprintable()) or c == "\t" for c in _characters(options, head))
    )


def read_fast(
    path: Path, head: Head, limits: Limits, con: duckdb.DuckDBPyConnection, scratch: Path, format: Format
) -> Table | None:
    """The table of a clean file; None: not proven clean.

    Raises: `FileEmpty` for a header alone, `SourceTooLarge` for more records than `limits.rows`.
    """
    path = safe_path(path, scratch)
    with ThreadPoolExecutor(1) as pool:
        counting = pool.submit(scan, path)
        row_count = _proven(con, _relation(path, head, limits, parallel=True), len(head.columns))
        census = counting.result()
    if row_count is None or census.has_nul or not _consistent(census, head):
        return None
    one_line_each = row_count + head.data_after == census.lines
    relation = _relation(path, head, limits, parallel=one_line_each)
    if not one_line_each:
        row_count = _proven(con, relation, len(head.columns))
        if row_count is None:
            return None
    if row_count == 0:
        raise no_rows(head.header_line)
    if row_count > limits.rows:
        raise limits.too_large("rows", f"The file has {row_count:,} records")
    return _table(path, head, relation, format, row_count, one_line_each)


def promise_fast(path: Path, head: Head, limits: Limits, scratch: Path, format: Format) -> Table:
    """The table of a file that looks clean, before any row of it was scanned.

    The first pass of the mapping is the proof, so that a clean file is parsed once less; the bytes are
    counted beside it. See `Table.expected_count`.
    """
    path = safe_path(path, scratch)
    pool = ThreadPoolExecutor(1, thread_name_prefix="census")
    counting = pool.submit(scan, path)
    pool.shutdown(wait=False)

    def expected() -> int | None:
        census = counting.result()
        count = census.lines - head.data_after
        clean = not census.has_nul and _consistent(census, head) and 0 < count <= limits.rows
        return count if clean else None

    relation = _relation(path, head, limits, parallel=True)
    return replace(_table(path, head, relation, format, 0, True), expected_count=expected)


def _consistent(census: Census, head: Head) -> bool:
    """Whether lines can all end as the header does; DuckDB raises on one that ends otherwise.

    A file of CR LF lines may hold bare LFs inside quotes, as spreadsheet programs write them.
    """
    return census.returns <= census.line_ends if head.line_end == "\r\n" else census.returns == 0


def _characters(options: FileOptions, head: Head) -> tuple[str | None, ...]:
    return head.dialect.delimiter, options.quote


def _relation(path: Path, head: Head, limits: Limits, *, parallel: bool) -> str:
    return csv_relation(
        path,
        head.dialect,
        [(name, "VARCHAR") for name in cell_names(len(head.columns))],
        skip=head.data_after,
        record_bytes=limits.cell_bytes,
        parallel=parallel,
        line_feeds=head.line_end == "\n",
    )


def _proven(con: duckdb.DuckDBPyConnection, relation: str, width: int) -> int | None:
    """The number of rows, where DuckDB takes every row of every column."""
    counts = ", ".join(f"count({name})" for name in cell_names(width))
    try:
        found = con.execute(f"SELECT count(*), {counts} FROM {relation}").fetchone()
    except duckdb.Error:
        return None
    return int(found[0]) if found else None


def _table(path: Path, head: Head, relation: str, format: Format, row_count: int, one_line_each: bool) -> Table:
    cells = ", ".join(cell_names(len(head.columns)))
    return Table(
        format=format,
        columns=head.columns,
        rows=relation,
        numbered=f"(SELECT row_number() OVER () AS row, {cells} FROM {relation})",
        places=_same_line(head) if one_line_each else _searched(path, head),
        record_count=row_count,
        notes=head.notes,
    )


def _same_line(head: Head) -> Callable[[Iterable[int]], dict[int, Place]]:
    return lambda rows: {row: Place(line=row + head.data_after) for row in rows}


def _searched(path: Path, head: Head) -> Callable[[Iterable[int]], dict[int, Place]]:
    """Places by reading the file again, exactly, up to the last record asked for."""

    def places(rows: Iterable[int]) -> dict[int, Place]:
        wanted = set(rows)
        found: dict[int, Place] = {}
        with open_lines(path, head.data_after) as lines:
            records = Records(lines, head.dialect, first_line=head.data_after + 1)
            for row, record in enumerate(records, 1):
                if row in wanted:
                    found[row] = Place(line=record.line)
                    if len(found) == len(wanted):
                        break
        return found

    return places
