"""The exact path of delimited text: every record looked at, in Python, streaming.

In: a UTF-8 file, its `Head`, the options. Out: a `Table` over a normalised copy in `scratch`. Used for
every file that is not proven clean: rows of the wrong width, mixed line ends, NULs, cells over the
limit, rules that leave rows out. A refused row keeps its number and its cells (`Table.doubtful`).
Whole-file faults raise: a quote that is never closed, a file cut off in its last row, bytes that are
not text, more than the limits allow. About 300,000 rows a second.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from grantline.errors import FileStructure
from grantline.formats.dialect import Head, no_rows, skips, stops
from grantline.formats.limits import Limits
from grantline.formats.lines import open_lines
from grantline.formats.normal import NormalFile, Used
from grantline.formats.options import FileOptions
from grantline.formats.row_rules import FillDown, StatedCount
from grantline.formats.table import Format, Place, Table
from grantline.formats.tokens import Record, Records, RecordTooLong, UnclosedQuote
from grantline.issues import Issue, shown

CLOCK_EVERY = 8192
"""Records between two looks at the clock."""

BLOCK_RECORDS = 1024
"""Records that are written at once where none of them has to be looked at."""


@dataclass
class _Tally:
    """What was left out of the data, for the run's report."""

    skipped: int = 0
    stopped_line: int | None = None
    footers: int = 0
    count: StatedCount = field(default_factory=lambda: StatedCount(None))


def read_exact(
    path: Path,
    head: Head,
    options: FileOptions,
    limits: Limits,
    con: duckdb.DuckDBPyConnection,
    scratch: Path,
    format: Format,
    used: Used | None = None,
) -> Table:
    """The table of any delimited UTF-8 file.

    Raises: `FileStructure`, `SourceTooLarge`, `UnicodeDecodeError` (the caller knows the encoding).
    """
    tally = _Tally(count=StatedCount(options.count_row))
    with NormalFile(scratch, head.columns, limits, used) as file, open_lines(path, head.data_after) as lines:
        records = Records(lines, head.dialect, first_line=head.data_after + 1)
        try:
            _write_all(file, records, head, options, tally)
        except UnclosedQuote as fault:
            raise unclosed(fault, head, file.row_count + 1) from fault
        except RecordTooLong as fault:
            raise FileStructure(
                f"Line {fault.line} is longer than 16 MiB: this is not a table of rows.",
                line=fault.line,
            ) from fault
    if file.row_count == 0:
        raise no_rows(head.header_line)
    return file.table(con, format, lambda line: Place(line=line), [*head.notes, *_notes(tally, records)])


def unclosed(fault: UnclosedQuote, head: Head, row: int) -> FileStructure:
    """The error for a quote that is never closed."""
    column = head.columns[fault.cell_index] if fault.cell_index < len(head.columns) else None
    where = f"column {column}" if column else f"cell {fault.cell_index + 1}"
    return FileStructure(
        f"A quote is opened in line {fault.line} (record {row}), {where}, and not closed before the end.",
        row=row,
        line=fault.line,
        column=column,
        remedy="Close the quote, or double quotes that belong to the text, and put the file in again.",
    )


def _write_all(file: NormalFile, records: Records, head: Head, options: FileOptions, tally: _Tally) -> None:
    deadline = time.monotonic() + file.limits.seconds
    held: Record | None = None
    fill = FillDown(options.fill_down, head.columns)
    with _Blocks(file) as blocks:
        for count, record in enumerate(_data(records, head, options, tally)):
            if held is not None:
                _write(blocks, held, head)
            record.cells = fill.filled(record.cells)
            held = record
            if count % CLOCK_EVERY == 0 and time.monotonic() > deadline:
                raise file.limits.too_large("seconds", f"Reading was stopped at record {count:,}")
        if held is not None:
            whole = tally.footers or tally.count.stated is not None or tally.stopped_line is not None
            if records.cut_off and len(held.cells) < len(head.columns) and not whole:
                raise _truncated(held, head, blocks.written().row_count + 1)
            _write(blocks, held, head)
    tally.count.check(file.row_count)


class _Blocks:
    """Records of the right width, written many at a time; on leaving, whatever happened, those that wait."""

    def __init__(self, file: NormalFile) -> None:
        self._file = file
        self._waiting: list[tuple[int, list[str]]] = []

    def __enter__(self) -> _Blocks:
        return self

    def __exit__(self, *exception: object) -> None:
        self.written()

    def add(self, line: int, cells: list[str]) -> None:
        """Takes the next record."""
        self._waiting.append((line, cells))
        if len(self._waiting) == BLOCK_RECORDS:
            self.written()

    def written(self) -> NormalFile:
        """The file, with every record in it that was added so far."""
        if not self._file.accept_plain(self._waiting):
            for line, cells in self._waiting:
                self._file.checked(line, cells)
        self._waiting.clear()
        return self._file


def _data(records: Records, head: Head, options: FileOptions, tally: _Tally) -> Iterator[Record]:
    """The data records: rules applied, footers held back."""
    delimiter = head.dialect.delimiter
    has_rules = bool(options.skip_rows_starting_with or options.stop_at_row_starting_with or options.count_row)
    waiting: deque[Record] = deque()
    for record in records:
        if has_rules:
            if options.count_row and tally.count.is_met(delimiter.join(record.cells), record.line):
                break
            if stops(record.cells, options, delimiter):
                tally.stopped_line = record.line
                break
            if skips(record.cells, options, delimiter):
                tally.skipped += 1
                continue
        if not options.skip_last:
            yield record
            continue
        waiting.append(record)
        if len(waiting) > options.skip_last:
            yield waiting.popleft()
    tally.footers = len(waiting)


def _write(blocks: _Blocks, record: Record, head: Head) -> None:
    width, cells = len(head.columns), record.cells
    if len(cells) > width and not any(cells[width:]):
        cells = cells[:width]
    if record.stray is not None:
        _refuse_stray(blocks.written(), record, cells, head)
    elif len(cells) != width:
        file = blocks.written()
        file.refuse(record.line, cells, _wrong_width(file.row_count + 1, record.line, cells, head))
    else:
        blocks.add(record.line, cells)


def _wrong_width(row: int, line: int, cells: list[str], head: Head) -> Issue:
    count = len(cells)
    return Issue(
        "row_width",
        f"The row has {count} {'cell' if count == 1 else 'cells'}, {len(head.columns)} expected.",
        row=row,
        line=line,
        value=shown(head.dialect.delimiter.join(cells)),
        remedy="Put cells that hold the delimiter in quotes; give every row the header's columns.",
    )


def _refuse_stray(file: NormalFile, record: Record, cells: list[str], head: Head) -> None:
    index = record.stray or 0
    column = head.columns[index] if index < len(head.columns) else None
    if record.line_count > 1:
        # The quote may have opened rows above and swallowed their keys: no row here can be trusted.
        raise FileStructure(
            f"A quote is opened in line {record.line}, column {column}, and closed in the middle of "
            f"text {record.line_count - 1} lines below: a quote is missing or too many.",
            row=file.row_count + 1,
            line=record.line,
            column=column,
        )
    issue = Issue(
        "value_invalid",
        f"{column or 'A cell'} has text behind its closing quote.",
        row=file.row_count + 1,
        line=record.line,
        column=column,
        value=shown(cells[index] if index < len(cells) else None),
        remedy="Double the quotes that belong to the text.",
    )
    file.refuse(record.line, cells, issue)


def _truncated(record: Record, head: Head, row: int) -> FileStructure:
    return FileStructure(
        f"The file is cut off: its last line, line {record.line} (record {row}), has "
        f"{len(record.cells)} of {len(head.columns)} cells and no line end.",
        row=row,
        line=record.line,
        remedy="Check the job that writes the file and put the whole file in again.",
    )


def _notes(tally: _Tally, records: Records) -> Iterator[str]:
    if records.blank_count:
        yield f"Blank lines left out: {records.blank_count:,}."
    if records.comment_count:
        yield f"Comment lines left out: {records.comment_count:,}."
    if tally.skipped:
        yield f"Rows left out by skip_rows_starting_with: {tally.skipped:,}."
    if tally.stopped_line is not None:
        yield f"The data end before line {tally.stopped_line:,} (stop_at_row_starting_with)."
    if tally.footers:
        yield f"Rows left out at the end by skip_last: {tally.footers:,}."
