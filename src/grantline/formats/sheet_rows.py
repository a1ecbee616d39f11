"""The rows of a sheet, from calamine to the normalised file.

In: a sheet, where its table is, the options, what the survey has found. Out: every row below the header in
the file, and notes on what was left out. Rows are written in blocks: a block without a cell that has to be
looked at goes through as a whole, any other one row by row. Blank rows are not records.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any

from grantline.formats.dialect import skips, stops
from grantline.formats.merges import Merges
from grantline.formats.normal import NormalFile
from grantline.formats.options import FileOptions
from grantline.formats.row_rules import FillDown, StatedCount
from grantline.formats.sheet_doubts import Layout, as_displayed, refuse_covered, refuse_special, warn_long_numbers
from grantline.formats.sheet_values import DIGITS, EXACT, text
from grantline.formats.sheet_xml import Survey

BETWEEN_CELLS = "\t"
BLOCK_ROWS = 4096

Row = tuple[int, Sequence[Any]]
"""The number of a sheet row, from 1, and its values."""


@dataclass
class SheetRows:
    """Writes the rows of one sheet."""

    file: NormalFile
    layout: Layout
    options: FileOptions
    found: Survey
    merges: Merges
    keys: frozenset[int]
    notes: list[str] = field(default_factory=list)
    blank_count: int = 0
    skipped_count: int = 0

    def __post_init__(self) -> None:
        self._special = {row + 1 for row, _ in (*self.found.formulas, *self.found.errors, *self.found.padded)}
        self._count = StatedCount(self.options.count_row)
        self._fill = FillDown(self.options.fill_down, self.layout.columns)

    def write(self, sheet: Any) -> list[str]:
        """Writes all rows below the header; notes on what was left out.

        Raises: `SourceTooLarge`; `FileStructure` where the stated number of records is another one.
        """
        deadline = time.monotonic() + self.file.limits.seconds
        rows: Iterator[Row] = islice(enumerate(sheet.iter_rows(), 1), self.layout.data_after, None)
        if self._has_rules:
            rows = self._ruled(rows)
        while block := list(islice(rows, BLOCK_ROWS)):
            self._write(block)
            if time.monotonic() > deadline:
                raise self.file.limits.too_large("seconds", f"Reading was stopped at row {block[-1][0]:,}")
        self._count.check(self.file.row_count)
        self._note("Blank rows left out", self.blank_count)
        self._note("Rows left out by skip_rows_starting_with or comment", self.skipped_count)
        return self.notes

    def _note(self, what: str, count: int) -> None:
        if count:
            self.notes.append(f"{what}: {count:,}.")

    @property
    def _has_rules(self) -> bool:
        """Whether some rows are left out for what they say, or for where they stand."""
        options = self.options
        return bool(
            options.skip_rows_starting_with
            or options.stop_at_row_starting_with
            or options.comment
            or options.count_row is not None
            or options.skip_last
        )

    def _ruled(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows that the options' rules keep."""
        options = self.options
        waiting: deque[Row] = deque()
        for number, values in rows:
            cells = [text(value) for value in values]
            if not any(cells):
                self.blank_count += 1
                continue
            if self._count.is_met(BETWEEN_CELLS.join(cells), number):
                break
            if stops(cells, options, BETWEEN_CELLS):
                self.notes.append(f"The data end before row {number:,} (stop_at_row_starting_with).")
                break
            comment = options.comment is not None and cells[0].startswith(options.comment)
            if comment or skips(cells, options, BETWEEN_CELLS):
                self.skipped_count += 1
                continue
            waiting.append((number, values))
            if len(waiting) > options.skip_last:
                yield waiting.popleft()
        self._note("Rows left out at the end by skip_last", len(waiting))

    def _write(self, block: Sequence[Row]) -> None:
        """Writes a block as a whole where it can be, else row by row."""
        texts = None if self._needs_looking(block) else _texts([values for _, values in block])
        if texts is not None:
            filled = [(number, cells) for (number, _), cells in zip(block, texts, strict=True) if any(cells)]
            if self.file.accept_plain(filled):
                self.blank_count += len(block) - len(filled)
                return
        for number, values in block:
            if values.count("") == len(values):
                self.blank_count += 1
            else:
                self._write_row(number, values)

    def _needs_looking(self, block: Sequence[Row]) -> bool:
        """Whether the block has special cells, or cells that are filled from others."""
        return bool(
            self.merges.areas
            or self.options.fill_down
            or (self._special and not self._special.isdisjoint(number for number, _ in block))
        )

    def _write_row(self, number: int, values: Sequence[Any]) -> None:
        file, layout = self.file, self.layout
        if self.options.fill_merged:
            values = self.merges.filled(number, values)
        cells = self._fill.filled([text(value) for value in values])
        if number in self._special:
            if self.options.displayed_text:
                cells = as_displayed(number, cells, layout, self.found)
            if refuse_special(file, number, cells, layout, self.found):
                return
        if (
            self.merges.areas
            and not self.options.fill_merged
            and refuse_covered(file, number, cells, layout, self.merges, self.keys)
        ):
            return
        warn_long_numbers(file, number, values, layout)
        file.checked(number, cells, partial(layout.cell, number))


def _texts(rows: Sequence[Sequence[Any]]) -> Sequence[Sequence[str]] | None:
    """The rows as text, column by column; None where a number has more digits than a workbook keeps."""
    columns: list[Sequence[str]] = []
    for column in zip(*rows, strict=True):
        kinds = set(map(type, column))
        if kinds == {str}:
            columns.append(column)
            continue
        texts = [value if type(value) is str else text(value) for value in column]
        is_long = float in kinds and max(map(len, texts)) > DIGITS
        if is_long and any(type(value) is float and abs(value) >= EXACT for value in column):
            return None
        columns.append(texts)
    return list(zip(*columns, strict=True))
