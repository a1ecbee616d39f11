"""Rules of a mapping that need the rows above or the end of the file: fill down, and the stated count.

In: the cells of one record after the other. Out: cells with blanks filled from the row above
(`FillDown`), and the number of records that the file says it has (`StatedCount`). A count that is not
there, or not what was read, refuses the file: rows are missing, and importing the rest would remove
people.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from grantline.errors import FileStructure, HeaderMissing

NUMBER = re.compile(r"\d{1,12}")


class FillDown:
    """Fills the blank cells of some columns with the last value above them."""

    def __init__(self, names: Sequence[str], columns: Sequence[str]) -> None:
        for name in names:
            if name not in columns:
                raise HeaderMissing(f"file.fill_down names the column {name!r}, which is not there.", column=name)
        self._last = {place: "" for place, column in enumerate(columns) if column in names}

    def filled(self, cells: list[str]) -> list[str]:
        """The cells, with blanks filled; they become what the next row is filled from."""
        if not self._last:
            return cells
        cells = list(cells)
        for place, above in self._last.items():
            if place < len(cells):
                cells[place] = cells[place] or above
                self._last[place] = cells[place]
        return cells


class StatedCount:
    """The row that ends the data and says how many records there are (`EOF|2`)."""

    def __init__(self, start: str | None) -> None:
        self.start = start
        self.stated: int | None = None
        self.line: int | None = None

    def is_met(self, text: str, line: int) -> bool:
        """Whether the row `text` is the one that states the count; remembers what it says."""
        if self.start is None or not text.startswith(self.start):
            return False
        numbers = NUMBER.findall(text[len(self.start) :])
        if len(numbers) != 1:
            raise FileStructure(f"The row in line {line} should state the number of records and does not.", line=line)
        self.stated, self.line = int(numbers[0]), line
        return True

    def check(self, row_count: int) -> None:
        """Raises: `FileStructure` where the count is missing or is not `row_count`."""
        if self.start is None:
            return
        if self.stated is None:
            raise FileStructure(
                f"No row begins with {self.start!r} (file.count_row): the end of the file is missing.",
                remedy="Check the job that writes the file and put the whole file in again.",
            )
        if self.stated != row_count:
            raise FileStructure(
                f"The file says that it has {self.stated:,} records, but {row_count:,} are there.",
                line=self.line,
                remedy="Check the job that writes the file and put the whole file in again.",
            )
