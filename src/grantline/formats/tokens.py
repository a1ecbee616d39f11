"""Delimited text to records, exactly.

In: physical lines with their line ends, and a `Dialect`. Out: records in file order, each with the
physical line where it starts. The rules are those of RFC 4180, with these answers where it is silent:
a quote inside an unquoted cell is an ordinary character; one space before an opening quote and any
spaces behind a closing one are ignored; text behind a closing quote makes the record *stray*; a
backslash is an ordinary character unless it is the declared escape. These are also the answers of
DuckDB's strict reader, so that the fast and the exact path give the same table.
Nothing is dropped: a quote that is never closed raises `UnclosedQuote`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, islice

RECORD_CHARACTERS = 16 * 1024 * 1024
"""Longest record; a longer one is a quote that is not closed, or an attack on the memory."""

CHUNK_LINES = 512
"""Lines given to the C reader at once."""

csv.field_size_limit(RECORD_CHARACTERS)  # The module's own default, 131072, refuses honest cells.


@dataclass(frozen=True, slots=True)
class Dialect:
    """How cells are told apart. `escape` None: a quote inside quotes is doubled."""

    delimiter: str = ","
    quote: str | None = '"'
    escape: str | None = None
    comment: str | None = None


@dataclass(slots=True)  # not frozen: that would double the time to make one
class Record:
    """One record: `line` where it starts, `line_count` lines long; a blank line has no cells.

    `stray` is the index of the first cell with text behind its closing quote.
    """

    line: int
    cells: list[str]
    line_count: int = 1
    stray: int | None = None


class UnclosedQuote(Exception):
    """A quote opened in cell `cell_index` of the record at `line` is not closed."""

    def __init__(self, line: int, cell_index: int) -> None:
        super().__init__(line, cell_index)
        self.line, self.cell_index = line, cell_index


class RecordTooLong(Exception):
    """The record at `line` is longer than `RECORD_CHARACTERS`."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


@dataclass
class Records:
    """The records of `lines`, one at a time; iterate once.

    `first_line` is the number of the first of `lines`. After the last record, `comment_count` and
    `blank_count` count the lines left out and `cut_off` says that the last line has no line end.
    Raises, while iterating: `UnclosedQuote`, `RecordTooLong`.
    """

    lines: Iterator[str]
    dialect: Dialect
    first_line: int = 1
    blanks: bool = False
    """Whether blank lines are records too (with no cells)."""
    comment_count: int = field(default=0, init=False)
    blank_count: int = field(default=0, init=False)
    cut_off: bool = field(default=False, init=False)
    _last: str = field(default="", init=False, repr=False)

    def __iter__(self) -> Iterator[Record]:
        shortcut = _shortcut(self.dialect)
        number, last = self.first_line, ""
        while chunk := list(islice(self.lines, CHUNK_LINES)):
            rows = self._plain_rows(chunk, shortcut)
            if rows is not None:
                yield from map(Record, range(number, number + len(rows)), rows)
                number += len(rows)
                last = chunk[-1]
                continue
            waiting = iter(chunk)
            lines = chain(waiting, self.lines)
            for text in waiting:
                record = self._record(text, number, lines, shortcut)
                number += 1 if record is None else record.line_count
                if record is not None and (record.cells or self.blanks):
                    yield record
            last = self._last
        self.cut_off = bool(last) and not last.endswith(("\n", "\r"))

    def _plain_rows(self, chunk: list[str], shortcut: csv.Dialect | None) -> list[list[str]] | None:
        """The cells of lines that are one ordinary record each; None where one may not be."""
        if self.dialect.comment is not None or len(max(chunk, key=len)) >= RECORD_CHARACTERS:
            return None
        if shortcut is None or f" {self.dialect.quote}" in "".join(chunk):
            return None
        try:
            rows = list(csv.reader(chunk, shortcut))
        except csv.Error:
            return None
        if len(rows) != len(chunk) or min(map(len, rows)) < 2:
            return None  # a record of several lines, or a line that may be blank
        return rows

    def _record(self, text: str, number: int, lines: Iterator[str], shortcut: csv.Dialect | None) -> Record | None:
        """The record that starts with the line `text`; None for a comment."""
        self._last = text
        dialect = self.dialect
        if len(text) >= RECORD_CHARACTERS:
            raise RecordTooLong(number)
        if dialect.comment is not None and text.startswith(dialect.comment):
            self.comment_count += 1
            return None
        if text.isspace() and _is_blank(text, dialect.delimiter):
            self.blank_count += 1
            return Record(number, [])
        if dialect.quote is None or dialect.quote not in text:
            return Record(number, text.rstrip("\r\n").split(dialect.delimiter))
        if shortcut is not None and f" {dialect.quote}" not in text:
            record = _by_csv_module(text, number, shortcut)
            if record is not None:
                return record
        scanner = _Scanner(text, number, lines, dialect)
        record = scanner.record()
        self._last = scanner.text
        return record


def _is_blank(text: str, delimiter: str) -> bool:
    """Whether a line of white space is blank: the delimiter may itself be white space."""
    return delimiter not in text.rstrip("\r\n")


def _shortcut(dialect: Dialect) -> csv.Dialect | None:
    """The C reader's dialect, where it agrees with ours on every well-formed line."""
    if dialect.quote is None or dialect.escape not in (None, dialect.quote):
        return None
    reader = csv.reader([], delimiter=dialect.delimiter, quotechar=dialect.quote, doublequote=True, strict=True)
    return reader.dialect  # type: ignore[return-value]


def _by_csv_module(text: str, number: int, shortcut: csv.Dialect) -> Record | None:
    try:
        return Record(number, next(csv.reader((text,), shortcut)))
    except csv.Error:
        return None


class _Scanner:
    """One record that the C reader refused: several lines, spaces around quotes, stray text, escapes."""

    def __init__(self, text: str, line: int, lines: Iterator[str], dialect: Dialect) -> None:
        self.text, self.line, self.lines, self.dialect = text, line, lines, dialect
        self.position, self.line_count, self.length = 0, 1, len(text)
        self.cells: list[str] = []
        self.stray: int | None = None

    def record(self) -> Record:
        """Reads cells up to the end of the line on which the last one ends."""
        while True:
            opening = self._opening_quote()
            self.cells.append(self._plain() if opening is None else self._quoted(opening))
            if self.position >= self._end():
                return Record(self.line, self.cells, self.line_count, self.stray)
            self.position += 1  # the delimiter
            if self.position >= self._end():
                self.cells.append("")
                return Record(self.line, self.cells, self.line_count, self.stray)

    def _end(self) -> int:
        return len(self.text.rstrip("\r\n"))

    def _opening_quote(self) -> int | None:
        quote = self.dialect.quote or ""
        if self.text.startswith(quote, self.position):
            return self.position
        if self.dialect.delimiter != " " and self.text.startswith(" " + quote, self.position):
            return self.position + 1
        return None

    def _plain(self) -> str:
        start, end = self.position, self._end()
        found = self.text.find(self.dialect.delimiter, start, end)
        self.position = end if found < 0 else found
        return self.text[start : self.position]

    def _quoted(self, opening: int) -> str:
        quote, escape = self.dialect.quote or "", self.dialect.escape
        parts: list[str] = []
        position = opening + 1
        while True:
            found = self._next_mark(position, quote, escape)
            if found < 0:
                parts.append(self.text[position:])
                self._more()
                position = 0
                continue
            parts.append(self.text[position:found])
            following = self.text[found + 1 : found + 2]
            if self.text[found] == quote and following != quote:
                return "".join(parts) + self._behind(found + 1)
            if self.text[found] == quote or following in (quote, escape):
                parts.append(following)
                position = found + 2
            else:  # an escape before any other character is an ordinary character
                parts.append(self.text[found])
                position = found + 1

    def _next_mark(self, position: int, quote: str, escape: str | None) -> int:
        found = self.text.find(quote, position)
        if escape is None or escape == quote:
            return found
        escaped = self.text.find(escape, position)
        return escaped if found < 0 or 0 <= escaped < found else found

    def _more(self) -> None:
        text = next(self.lines, None)
        if text is None or self.length + len(text) > RECORD_CHARACTERS:
            raise UnclosedQuote(self.line, len(self.cells))
        self.text = text
        self.length += len(text)
        self.line_count += 1

    def _behind(self, position: int) -> str:
        """Moves to the delimiter; returns what stands before it, which should be nothing."""
        end = self._end()
        found = self.text.find(self.dialect.delimiter, position, end)
        self.position = end if found < 0 else found
        rest = self.text[position : self.position]
        if not rest.strip(" "):
            return ""
        if self.stray is None:
            self.stray = len(self.cells)
        return rest
