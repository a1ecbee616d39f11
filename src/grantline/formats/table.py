"""What `formats` hands on: a file as one relation of text cells, each row with its place.

Owns the frozen shapes `Format`, `Place` and `Table`. A table is lazy: `rows` and `numbered` are SQL
text that DuckDB scans again at each use, so that a large file is never held in memory or copied.
Invariant: every data record of the file is either a row of `rows` or counted in `rejected_count` with
an issue; none disappears.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from grantline.issues import Issue

LIST_SEPARATORS = (",", ";", "|", "\x1f")
"""What the values of a list may be joined with; the first that no value holds is taken."""


@dataclass(frozen=True, slots=True)
class Format:
    """What the file turned out to be; the `format` object of `grantline check`.

    `header_row` is the physical line (or sheet row) of the header, from 1; None without a header.
    """

    type: str
    delimiter: str | None = None
    encoding: str | None = None
    compression: str | None = None
    header_row: int | None = None
    sheet: str | None = None
    layout: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record starts: physical line for text, row and sheet for a workbook, path in JSON.

    `first_column` is the sheet column of the first cell, from 0.
    """

    line: int | None = None
    sheet: str | None = None
    sheet_row: int | None = None
    first_column: int = 0
    path: str | None = None


@dataclass(frozen=True)
class Table:
    """A file as rows of text.

    `columns` are the headers in file order, with invisible spaces at both ends removed. `rows` is SQL
    text usable after FROM: columns `c0` … `cN` VARCHAR in the order of `columns`, one row per data
    record, an empty cell is NULL. Blank lines (and blank rows of a sheet) are no records; a line of
    delimiters alone is one, with all cells NULL. `numbered` is the same with `row` BIGINT before them (records
    counted from 1, refused ones included); it is slower, so it is only used to find places.
    `doubtful` has the shape of `numbered` and holds the cells of records that the reader refused, as
    far as they could be told apart; None where there are none. `places` maps record numbers to where
    they start.
    """

    format: Format
    columns: tuple[str, ...]
    rows: str
    numbered: str
    places: Callable[[Iterable[int]], dict[int, Place]]
    doubtful: str | None = None
    issues: tuple[Issue, ...] = ()
    """The first 10,000; `issue_counts` counts all by code."""
    issue_counts: Mapping[str, int] = field(default_factory=dict)
    record_count: int = 0
    """Data records in the file, refused ones included; blank lines are none."""
    rejected_count: int = 0
    expected_count: Callable[[], int | None] | None = None
    """Set where the rows were not scanned yet and only promise to be clean: whoever scans them first, all
    columns of them, must find this many records and no error of DuckDB, else the promise is broken and
    the file has to be read with `lazy=False`. It answers None where the bytes alone break it."""
    original: Table | None = None
    """Set where the rows are made of another table: the file's own, whose rows have the same numbers."""
    separators: Mapping[str, str] = field(default_factory=dict)
    """Columns whose cells are lists in the file itself (JSON, Parquet) → what their values are joined
    with; it wins over any other way to split them."""
    notes: tuple[str, ...] = field(default=())
    """Sentences for the run's report: lines skipped, what was recognized and why."""
