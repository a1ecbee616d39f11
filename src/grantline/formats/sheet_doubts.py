"""Cells of a workbook that are not what they seem: what refuses a row of a sheet, and what is warned of.

In: one row of a sheet with what the survey of its XML has found. Out: issues in the normalised file, and
whether the row was refused. A cell whose value cannot be known (a formula never calculated, an error, a
cell that a merge covers) refuses its row: blank would mean "cleared".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from grantline.formats.merges import Merges
from grantline.formats.normal import NormalFile
from grantline.formats.sheet_values import EXACT, text
from grantline.formats.sheet_xml import Survey, column_letters
from grantline.issues import Issue, shown


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a sheet's table is. `first_column` is the sheet column of the first cell, from 0."""

    sheet: str
    columns: tuple[str, ...]
    header_row: int | None
    data_after: int
    first_column: int

    def cell(self, row: int, index: int) -> str:
        """`Users!C3` of the cell `index` in sheet row `row`."""
        return f"{self.sheet}!{column_letters(self.first_column + index)}{row}"


def refuse_covered(
    file: NormalFile, number: int, cells: list[str], layout: Layout, merges: Merges, keys: frozenset[int]
) -> bool:
    """Refuses a row with a cell that is only empty because it is part of a merge: empty would mean
    "none", and the person who reads the sheet sees a value."""
    for index, area in merges.covered(number, len(cells)).items():
        if index not in file.used or cells[index]:
            continue
        name, place = layout.columns[index], layout.cell(number, index)
        issue = Issue(
            "row_key_missing" if index in keys else "value_invalid",
            f"{name} is empty, because the cell {place} is part of the merged cells {area}.",
            row=file.row_count + 1,
            cell=place,
            column=name,
            remedy="Set file.fill_merged to give every row its value, or unmerge the cells.",
        )
        file.refuse(number, cells, issue)
        return True
    return False


def as_displayed(number: int, cells: list[str], layout: Layout, found: Survey) -> list[str]:
    """The cells of a sheet row with the leading zeros that their formats show."""
    return [
        cell.zfill(found.padded.get((number - 1, layout.first_column + index), 0)) if cell else cell
        for index, cell in enumerate(cells)
    ]


def refuse_special(file: NormalFile, number: int, cells: list[str], layout: Layout, found: Survey) -> bool:
    """Refuses a row with a cell whose value cannot be known; warns of formats that show zeros."""
    for index, cell in enumerate(cells):
        if index not in file.used:
            continue
        place = (number - 1, layout.first_column + index)
        name = layout.columns[index]
        if place in found.formulas:
            message = f"{name} holds a formula without a saved result."
            remedy = "Open the workbook in a spreadsheet program and save it, or export values."
        elif place in found.errors:
            message = f"{name} holds the error {found.errors[place]}."
            remedy = "Correct the formula in the workbook."
        else:
            if place in found.padded and len(cell) < found.padded[place]:
                _warn_padded(file, number, index, cell, found.padded[place], layout)
            continue
        issue = Issue(
            "value_invalid",
            message,
            row=file.row_count + 1,
            cell=layout.cell(number, index),
            column=name,
            value=found.errors.get(place),
            remedy=remedy,
        )
        file.refuse(number, cells, issue)
        return True
    return False


def _warn_padded(file: NormalFile, number: int, index: int, cell: str, digits: int, layout: Layout) -> None:
    file.report(
        Issue(
            "value_invalid",
            f"{layout.columns[index]} is the number {cell}; only its format shows {cell.zfill(digits)}.",
            severity="warning",
            row=file.row_count + 1,
            cell=layout.cell(number, index),
            column=layout.columns[index],
            value=shown(cell),
            remedy="Format the column as text and type the zeros, if they belong to the value.",
        )
    )


def warn_long_numbers(file: NormalFile, number: int, values: Sequence[Any], layout: Layout) -> None:
    for index, value in enumerate(values):
        if index in file.used and type(value) is float and abs(value) >= EXACT:
            file.report(
                Issue(
                    "value_invalid",
                    f"{layout.columns[index]} is a number with 16 or more digits; a workbook keeps 15.",
                    severity="warning",
                    row=file.row_count + 1,
                    cell=layout.cell(number, index),
                    column=layout.columns[index],
                    value=text(value),
                    remedy="Format the column as text before the numbers are put in.",
                )
            )
