"""Workbooks (XLSX, ODS): one sheet to rows of text.

In: a workbook. Out: a `Table` over a normalised copy in `scratch`; places are sheet and sheet row.
Numbers become text as a person would type them (`42`, not `42.0`), dates ISO 8601, truth values `TRUE`
and `FALSE`. A cell whose value cannot be known (a formula never calculated, an error) refuses its row:
blank would mean "cleared". Rows that are filtered away or hidden are data. Blank rows are not records.
"""

from __future__ import annotations

import datetime
import time
import zipfile
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb
import python_calamine as calamine

from grantline.errors import FileEmpty, FileStructure, HeaderMissing
from grantline.formats.dialect import HEAD_RECORDS, Known, clean_name, no_rows, skips, stops
from grantline.formats.limits import Limits
from grantline.formats.merges import Merges, area_name
from grantline.formats.normal import NormalFile, Used
from grantline.formats.ods_xml import refuse_wide
from grantline.formats.options import FileOptions
from grantline.formats.row_rules import FillDown, StatedCount
from grantline.formats.sheet_xml import Survey, column_letters, refuse_large, survey
from grantline.formats.table import Format, Place, Table
from grantline.issues import Issue, shown

EXACT = 10**15
"""Whole numbers from here on have more digits than a workbook keeps."""

BETWEEN_CELLS = "\t"


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where a sheet's table is. `first_column` is the sheet column of the first cell, from 0."""

    sheet: str
    columns: tuple[str, ...]
    header_row: int | None
    data_after: int
    first_column: int

    def cell(self, row: int, index: int) -> str:
        """`Users!C3` of the cell `index` in sheet row `row`."""
        return f"{self.sheet}!{column_letters(self.first_column + index)}{row}"


def read_workbook(
    path: Path,
    kind: str,
    options: FileOptions,
    limits: Limits,
    con: duckdb.DuckDBPyConnection,
    scratch: Path,
    known: Known | None = None,
    used: Used | None = None,
    keys: Used | None = None,
) -> Table:
    """The table of one sheet; `kind` is `xlsx` or `ods`.

    Raises: `FileStructure` (no such sheet, several to choose from, damaged, merged header),
    `HeaderMissing`, `FileEmpty`, `SourceTooLarge`.
    """
    try:
        refuse_large(path, limits)
        if kind == "ods":
            refuse_wide(path, limits)
        book = calamine.CalamineWorkbook.from_path(str(path))
        name, notes = _chosen_sheet(book, options)
        found = survey(path, name, limits) if kind == "xlsx" else Survey()
        sheet = book.get_sheet_by_name(name)
    except (calamine.CalamineError, zipfile.BadZipFile, zlib.error) as error:
        raise FileStructure(f"The workbook is damaged or not complete: {error}.") from error
    layout = _layout(sheet, name, options, limits, known)
    merges = _merges(sheet, layout)
    with NormalFile(scratch, layout.columns, limits, used) as file:
        notes += _write_all(file, sheet, layout, options, found, merges, keys)
    if file.row_count == 0:
        raise no_rows(layout.header_row)
    if merges.areas and not options.fill_merged:
        notes.append(_merged_note(merges))

    def place(row: int) -> Place:
        return Place(sheet=name, sheet_row=row, first_column=layout.first_column)

    return file.table(con, Format(kind, header_row=layout.header_row, sheet=name), place, notes)


def _chosen_sheet(book: Any, options: FileOptions) -> tuple[str, list[str]]:
    sheets = [m for m in book.sheets_metadata if m.typ == calamine.SheetTypeEnum.WorkSheet]
    visible = [m.name for m in sheets if m.visible == calamine.SheetVisibleEnum.Visible]
    found = ", ".join(m.name if m.name in visible else f"{m.name} [hidden]" for m in sheets)
    if options.sheet is not None:
        if options.sheet not in [m.name for m in sheets]:
            raise FileStructure(
                f'There is no sheet "{options.sheet}" (found: {found}).',
                remedy="Correct file.sheet in the mapping, or rename the sheet.",
            )
        return options.sheet, []
    if len(visible) == 1:
        note = [f'The sheet "{visible[0]}" was read; it is the only visible one.'] if len(sheets) > 1 else []
        return visible[0], note
    filled = [name for name in visible if book.get_sheet_by_name(name).height > 0]
    if len(filled) == 1:
        return filled[0], [f'The sheet "{filled[0]}" was read; it is the only visible one with cells.']
    raise FileStructure(
        f"The workbook has {len(visible)} visible sheets, so one must be named (found: {found}).",
        remedy="Name the sheet in the mapping (file.sheet).",
    )


def _layout(sheet: Any, name: str, options: FileOptions, limits: Limits, known: Known | None) -> _Layout:
    if sheet.start is None:
        raise FileEmpty(f'The sheet "{name}" is empty.')
    if sheet.width > limits.columns:
        raise limits.too_large("columns", f'The sheet "{name}" has {sheet.width:,} columns')
    first_column = sheet.start[1]
    number, cells = _header(sheet, options, known)
    names = tuple(clean_name(cell) for cell in cells)
    if options.names is not None:
        if len(options.names) != len(names):
            raise FileStructure(
                f"file.names gives {len(options.names)} names, but the sheet has {len(names)} columns.",
                remedy="Give one name for each column, in the sheet's order.",
            )
        names = options.names
    if options.has_header:
        return _Layout(name, names, number, number, first_column)
    return _Layout(name, names, None, 0, first_column)


def _header(sheet: Any, options: FileOptions, known: Known | None) -> tuple[int, list[str]]:
    """The sheet row and the texts of the header, or of the first row where there is none."""
    wanted = options.header_row
    rows = enumerate(sheet.iter_rows(), 1)
    if isinstance(wanted, int):
        cells = next(([text(v) for v in values] for number, values in rows if number == wanted), [])
        if not any(cells):
            raise HeaderMissing(f"file.header_row is {wanted}, but that row of the sheet is blank.")
        return wanted, cells
    first: tuple[int, list[str]] | None = None
    filled = ((number, cells) for number, values in rows if any(cells := [text(v) for v in values]))
    for number, cells in islice(filled, HEAD_RECORDS):
        if skips(cells, options, BETWEEN_CELLS):
            continue
        first = first or (number, cells)
        if known is None or not options.has_header:
            break
        if known([clean_name(cell) for cell in cells]):
            return number, cells
    if first is None:
        raise FileEmpty("The sheet holds only blank rows.")
    return first


def _merges(sheet: Any, layout: _Layout) -> Merges:
    """The merged cells among the data. Raises: `FileStructure` where the header has some."""
    areas = []
    for area in sheet.merged_cell_ranges or ():
        (top, left), (bottom, _) = area
        if top >= layout.data_after:
            areas.append(area)
        elif layout.header_row is not None and top < layout.header_row <= bottom + 1:
            raise FileStructure(
                f'The header of the sheet "{layout.sheet}" has merged cells ({area_name(area)}).',
                remedy="Unmerge the header so that each column has its own name.",
                cell=f"{layout.sheet}!{column_letters(left)}{top + 1}",
            )
    return Merges(areas, layout.first_column)


def _merged_note(merges: Merges) -> str:
    shown_areas = ", ".join(map(area_name, merges.areas[:5])) + (" and more" if len(merges.areas) > 5 else "")
    return (
        f"Merged cells hold their value in the first cell only, the others are empty: {shown_areas}."
        " Set file.fill_merged to give every row its value."
    )


def _write_all(
    file: NormalFile,
    sheet: Any,
    layout: _Layout,
    options: FileOptions,
    found: Survey,
    merges: Merges,
    keys: Used | None,
) -> list[str]:
    deadline = time.monotonic() + file.limits.seconds
    notes: list[str] = []
    special = {row for row, _ in (*found.formulas, *found.errors, *found.padded)}
    key_columns = frozenset(keys(layout.columns) if keys else ())
    count, fill = StatedCount(options.count_row), FillDown(options.fill_down, layout.columns)
    for number, values in _data(sheet, layout, options, notes, count):
        if options.fill_merged:
            values = merges.filled(number, values)
        cells = [value if type(value) is str else text(value) for value in values]
        cells = fill.filled(cells)
        if number - 1 in special:
            if options.displayed_text:
                cells = _as_displayed(number, cells, layout, found)
            if _refuse_special(file, number, cells, layout, found):
                continue
        if (
            merges.areas
            and not options.fill_merged
            and _refuse_covered(file, number, cells, layout, merges, key_columns)
        ):
            continue
        if cells != values:
            _warn_long_numbers(file, number, values, layout)
        file.checked(number, cells, partial(layout.cell, number))
        if number % 8192 == 0 and time.monotonic() > deadline:
            raise file.limits.too_large("seconds", f"Reading was stopped at row {number:,}")
    count.check(file.row_count)
    return notes


def _refuse_covered(
    file: NormalFile, number: int, cells: list[str], layout: _Layout, merges: Merges, keys: frozenset[int]
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


def _as_displayed(number: int, cells: list[str], layout: _Layout, found: Survey) -> list[str]:
    """The cells of a sheet row with the leading zeros that their formats show."""
    return [
        cell.zfill(found.padded.get((number - 1, layout.first_column + index), 0)) if cell else cell
        for index, cell in enumerate(cells)
    ]


def _data(
    sheet: Any, layout: _Layout, options: FileOptions, notes: list[str], count: StatedCount
) -> Iterator[tuple[int, Sequence[Any]]]:
    """The rows below the header that are not blank, with the options' rules applied."""
    waiting: deque[tuple[int, Sequence[Any]]] = deque()
    blank = skipped = 0
    rules = (
        options.skip_rows_starting_with
        or options.stop_at_row_starting_with
        or options.comment
        or options.count_row is not None
    )
    for number, values in enumerate(sheet.iter_rows(), 1):
        if number <= layout.data_after:
            continue
        if values.count("") == len(values):
            blank += 1
            continue
        if rules:
            cells = [text(value) for value in values]
            if count.is_met(BETWEEN_CELLS.join(cells), number):
                break
            if stops(cells, options, BETWEEN_CELLS):
                notes.append(f"The data end before row {number:,} (stop_at_row_starting_with).")
                break
            comment = options.comment is not None and cells[0].startswith(options.comment)
            if comment or skips(cells, options, BETWEEN_CELLS):
                skipped += 1
                continue
        waiting.append((number, values))
        if len(waiting) > options.skip_last:
            yield waiting.popleft()
    if blank:
        notes.append(f"Blank rows left out: {blank:,}.")
    if skipped:
        notes.append(f"Rows left out by skip_rows_starting_with or comment: {skipped:,}.")
    if waiting:
        notes.append(f"Rows left out at the end by skip_last: {len(waiting):,}.")


def _refuse_special(file: NormalFile, number: int, cells: list[str], layout: _Layout, found: Survey) -> bool:
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


def _warn_padded(file: NormalFile, number: int, index: int, cell: str, digits: int, layout: _Layout) -> None:
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


def _warn_long_numbers(file: NormalFile, number: int, values: Sequence[Any], layout: _Layout) -> None:
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


def text(value: Any) -> str:
    """A cell's value as text."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        seconds = int(value.total_seconds())
        return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return "" if value is None else str(value)


def _number(value: float) -> str:
    """Whole numbers without a decimal point, others with the 15 digits that a workbook keeps."""
    if value.is_integer():
        return str(int(value))
    return format(Decimal(format(value, ".15g")), "f")
