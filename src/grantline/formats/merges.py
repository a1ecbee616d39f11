"""Merged cells of a sheet: which cells they cover, and what a person sees in them.

In: the ranges that calamine gives. Out: for a row, the cells that are part of a merge but hold nothing
themselves, with the value of its first cell. A workbook keeps a merge's value in its first cell only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from grantline.formats.sheet_xml import column_letters

Range = tuple[tuple[int, int], tuple[int, int]]
"""First and last row and column of a merge, from 0."""


def area_name(area: Range) -> str:
    """`A2:A4`."""
    (top, left), (bottom, right) = area
    return f"{column_letters(left)}{top + 1}:{column_letters(right)}{bottom + 1}"


class Merges:
    """The merges among the data of one sheet; rows are asked for in rising order."""

    def __init__(self, areas: Iterable[Range], first_column: int) -> None:
        self.areas = sorted(areas)
        self.first_column = first_column
        self._next = 0
        self._open: list[tuple[Range, list[Any]]] = []

    def covered(self, row: int, width: int) -> dict[int, str]:
        """Cells, by index, of the sheet row `row` (from 1) that a merge covers → its area."""
        self._advance(row - 1)
        return {
            at: area_name(area)
            for area, _ in self._open
            for at in range(max(area[0][1] - self.first_column, 0), min(area[1][1] - self.first_column + 1, width))
            if (row - 1, at + self.first_column) != area[0]
        }

    def _advance(self, place: int) -> None:
        """Opens the merges that begin up to the row `place` (from 0), and closes those that ended above."""
        while self._next < len(self.areas) and self.areas[self._next][0][0] <= place:
            self._open.append((self.areas[self._next], []))
            self._next += 1
        if self._open:
            self._open = [entry for entry in self._open if entry[0][1][0] >= place]

    def filled(self, row: int, values: Sequence[Any]) -> Sequence[Any]:
        """The values of the sheet row `row` (from 1), with what merges show in it."""
        place = row - 1
        self._advance(place)
        if not self._open:
            return values
        found = list(values)
        for ((top, left), (_, right)), held in self._open:
            at = left - self.first_column
            if top == place and 0 <= at < len(values):
                held.append(values[at])
            if held:
                for column in range(max(at, 0), min(right - self.first_column + 1, len(found))):
                    found[column] = found[column] if found[column] != "" else held[0]
        return found
