"""The head of a delimited text: its delimiter, its header, where its data begin.

In: the first physical lines, the options, and (where the caller has one) a test whether names look
like a known header. Out: one frozen `Head`. What is declared always wins. Otherwise, in this order:
1. a first line `sep=X` names the delimiter and a first line `#TYPE …` (PowerShell) is left out;
2. the delimiter is the one of `, ; tab |` under which a row near the top is a known header;
3. else the one under which most of the first records have as many cells as the header (at least two);
   of equals the one with more cells, then the first in that order; none: a comma, one column;
4. the header is the first known row, else the first row that is not blank.
No step drops a row: every record below the header is data, whatever its width.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

from grantline.errors import FileEmpty, FileStructure, HeaderMissing
from grantline.formats.options import FileOptions
from grantline.formats.tokens import Dialect, Record, Records, RecordTooLong, UnclosedQuote

Known = Callable[[Sequence[str]], bool]

CANDIDATES = (",", ";", "\t", "|")
HEAD_RECORDS = 200
HINT = re.compile(r'"?sep=(.)"?\r?\n?', re.IGNORECASE)
TYPE_LINE = "#TYPE "
INVISIBLE = " \t\r\n\u00a0\u200b\ufeff\u2060"
DELIMITER_NAMES = {"\t": "tab"}


@dataclass(frozen=True, slots=True)
class Head:
    """What the top of the file says.

    Data are the records that start below line `data_after`. `plain` means that the lines up to there
    are one record each, so that they can be skipped by counting lines.
    """

    dialect: Dialect
    columns: tuple[str, ...]
    header_line: int | None
    data_after: int
    plain: bool
    line_end: str | None = None
    """How the header (or first) line ends: LF or CR LF; None for CR or no end."""
    notes: tuple[str, ...] = ()


def clean_name(name: str) -> str:
    """A header without the invisible characters at its ends."""
    return name.strip(INVISIBLE)


def skips(cells: Sequence[str], options: FileOptions, delimiter: str) -> bool:
    """Whether the mapping leaves this row out (`skip_rows_starting_with`)."""
    if not options.skip_rows_starting_with:
        return False
    return delimiter.join(cells).startswith(options.skip_rows_starting_with)


def stops(cells: Sequence[str], options: FileOptions, delimiter: str) -> bool:
    """Whether the data end before this row (`stop_at_row_starting_with`)."""
    stop = options.stop_at_row_starting_with
    return stop is not None and delimiter.join(cells).startswith(stop)


def read_head(lines: Sequence[str], options: FileOptions, known: Known | None) -> Head:
    """The head of a file whose first physical lines are `lines`, each with its line end.

    Raises: `FileEmpty` (only blank lines), `HeaderMissing`, `FileStructure` (the declared delimiter
    gives one column where another gives more; the number of given names is wrong).
    """
    start, hinted, notes = _hints(lines, options)
    if isinstance(options.header_row, int):
        start = options.header_row
        if start > len(lines):
            raise HeaderMissing(f"file.header_row is {start}, but the file has {len(lines)} lines.")
    attempts = [
        _attempt(lines, start, Dialect(delimiter, options.quote, options.escape, options.comment), options, known)
        for delimiter in _delimiters(options, hinted)
    ]
    best = max(attempts, key=lambda attempt: attempt.score)
    if best.header is None:
        raise FileEmpty("The file holds only blank lines." if lines else "The file holds no text.")
    if len(attempts) == 1:
        _refuse_single_column(lines, start, best, options)
    return _head(lines, start, best, options, notes)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One delimiter tried: the records it gives, which of them is the header (or first row)."""

    dialect: Dialect
    records: list[Record]
    header: Record | None
    is_known: bool

    @property
    def width(self) -> int:
        return len(self.header.cells) if self.header else 0

    @property
    def score(self) -> tuple[bool, bool, float, int, int]:
        """Greater is better: known header, several columns, share of equal width, width, order."""
        below = [r for r in self.records if self.header is not None and r.line >= self.header.line]
        share = sum(len(r.cells) == self.width for r in below) / len(below) if below else 0.0
        order = CANDIDATES.index(self.dialect.delimiter) if self.dialect.delimiter in CANDIDATES else 0
        return self.is_known, self.width > 1, share, self.width, -order


def _hints(lines: Sequence[str], options: FileOptions) -> tuple[int, str | None, list[str]]:
    """The first line that may be a header, the delimiter named by a hint, and notes."""
    if not lines or options.header_row == 1:
        return 1, None, []
    hint = HINT.fullmatch(lines[0])
    if hint:
        return 2, hint.group(1), ['Line 1 ("sep=") names the delimiter and is left out.']
    if lines[0].startswith((TYPE_LINE, f'"{TYPE_LINE}')):
        return 2, None, ['Line 1 ("#TYPE") is left out.']
    return 1, None, []


def _delimiters(options: FileOptions, hinted: str | None) -> tuple[str, ...]:
    if options.delimiter != "auto":
        return (options.delimiter,)
    if hinted is not None:
        return (hinted,)
    return tuple(c for c in CANDIDATES if c not in (options.quote, options.escape))


def _attempt(lines: Sequence[str], start: int, dialect: Dialect, options: FileOptions, known: Known | None) -> _Attempt:
    records = _first_records(lines, start, dialect, options)
    if options.has_header and known is not None:
        for record in records if options.header_row == "auto" else records[:1]:
            if known([clean_name(cell) for cell in record.cells]):
                return _Attempt(dialect, records, record, is_known=True)
    if options.header_row == "auto" and options.has_header:
        filled = [record for record in records if any(cell.strip() for cell in record.cells)]
        return _Attempt(dialect, records, filled[0] if filled else None, is_known=False)
    return _Attempt(dialect, records, records[0] if records else None, is_known=False)


def _first_records(lines: Sequence[str], start: int, dialect: Dialect, options: FileOptions) -> list[Record]:
    found: list[Record] = []
    source = Records(iter(lines[start - 1 :]), dialect, first_line=start)
    try:
        for record in islice(source, HEAD_RECORDS):
            if not skips(record.cells, options, dialect.delimiter):
                found.append(record)
    except (UnclosedQuote, RecordTooLong):
        pass  # The head is a part of the file; the reader of the whole file says what is wrong with it.
    return found


def _refuse_single_column(lines: Sequence[str], start: int, chosen: _Attempt, options: FileOptions) -> None:
    if chosen.width != 1 or chosen.is_known:
        return
    for delimiter in CANDIDATES:
        if delimiter in (chosen.dialect.delimiter, options.quote, options.escape):
            continue
        dialect = Dialect(delimiter, options.quote, options.escape, options.comment)
        other = _attempt(lines, start, dialect, options, None)
        known, several, share, width, order = other.score
        if several and len(other.records) > 1 and share >= 0.5:
            raise FileStructure(
                f"With the delimiter {_shown(chosen.dialect.delimiter)} the file has one column only; "
                f"{_shown(delimiter)} would give {width}.",
                remedy=f"Set file.delimiter to {_shown(delimiter)} or to auto.",
                line=other.header.line if other.header else None,
            )


def _shown(delimiter: str) -> str:
    return DELIMITER_NAMES.get(delimiter, f"'{delimiter}'")


def _head(lines: Sequence[str], start: int, chosen: _Attempt, options: FileOptions, notes: list[str]) -> Head:
    header = chosen.header
    if header is None:
        raise FileEmpty
    if isinstance(options.header_row, int) and header.line != options.header_row:
        raise HeaderMissing(f"file.header_row is {options.header_row}, but that line is blank.")
    names = tuple(clean_name(cell) for cell in header.cells)
    if options.names is not None:
        if len(options.names) != len(names):
            raise FileStructure(
                f"file.names gives {len(options.names)} names, but line {header.line} has {len(names)} cells.",
                line=header.line,
                remedy="Give one name for each column, in the file's order.",
            )
        names = options.names
    if not options.has_header:
        return Head(chosen.dialect, names, None, start - 1, True, _line_end(lines, header.line), tuple(notes))
    if header.line > start:
        notes = [*notes, f"The header is line {header.line}; the lines above it are left out."]
    above = lines[: header.line - 1]
    quote = options.quote
    plain = header.line_count == 1 and not (quote and any(quote in line for line in above))
    last = header.line + header.line_count - 1
    return Head(chosen.dialect, names, header.line, last, plain, _line_end(lines, last), tuple(notes))


def _line_end(lines: Sequence[str], first: int) -> str | None:
    line = lines[first - 1]
    return next((end for end in ("\r\n", "\n") if line.endswith(end)), None)


def no_rows(header_line: int | None) -> FileEmpty:
    """The error for a file without data."""
    if header_line is None:
        return FileEmpty("The file has no data rows.")
    return FileEmpty(f"The file has a header (line {header_line}) and no data rows.")
