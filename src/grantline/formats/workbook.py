"""Workbooks (XLSX, ODS): one sheet to rows of text.

In: a workbook. Out: a `Table` over a normalised copy in `scratch`; places are sheet and sheet row.
Numbers become text as a person would type them (`42`, not `42.0`), dates ISO 8601, truth values `TRUE`
and `FALSE`. A cell whose value cannot be known (a formula never calculated, an error) refuses its row:
blank would mean "cleared". Rows that are filtered away or hidden are data. Blank rows are not records.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb
import python_calamine as calamine

from grantline.errors import FileEmpty, FileStructure, HeaderMissing
from grantline.formats.dialect import HEAD_RECORDS, Known, clean_name, no_rows, skips
from grantline.formats.limits import Limits
from grantline.formats.merges import Merges, area_name
from grantline.formats.normal import NormalFile, Used
from grantline.formats.ods_xml import refuse_wide
from grantline.formats.options import FileOptions
from grantline.formats.sheet_doubts import Layout
from grantline.formats.sheet_rows import BETWEEN_CELLS, SheetRows
from grantline.formats.sheet_values import text
from grantline.formats.sheet_xml import Survey, column_letters, glance, survey
from grantline.formats.table import Format, Place, Table


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
        plain = glance(path, limits)
        if kind == "ods":
            refuse_wide(path, limits)
        book = calamine.CalamineWorkbook.from_path(str(path))
        look = partial(survey, path, limits=limits, plain=plain) if kind == "xlsx" else _nothing
        name, notes = _chosen_sheet(book, options, look)
        found = look(name)  # before calamine holds the sheet in memory
        sheet = book.get_sheet_by_name(name)
    except (calamine.CalamineError, zipfile.BadZipFile, zlib.error) as error:
        raise FileStructure(f"The workbook is damaged or not complete: {error}.") from error
    layout = _layout(sheet, name, options, limits, known)
    merges = _merges(sheet, layout)
    with NormalFile(scratch, layout.columns, limits, used) as file:
        key_columns = frozenset(keys(layout.columns) if keys else ())
        notes += SheetRows(file, layout, options, found, merges, key_columns).write(sheet)
    if file.row_count == 0:
        raise no_rows(layout.header_row)
    if merges.areas and not options.fill_merged:
        notes.append(_merged_note(merges))

    def place(row: int) -> Place:
        return Place(sheet=name, sheet_row=row, first_column=layout.first_column)

    return file.table(con, Format(kind, header_row=layout.header_row, sheet=name), place, notes)


def _nothing(_: str) -> Survey:
    """The survey of an ODS sheet, whose extent is known already."""
    return Survey()


def _chosen_sheet(book: Any, options: FileOptions, look: Callable[[str], Survey]) -> tuple[str, list[str]]:
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
    for name in visible:
        look(name)
    filled = [name for name in visible if book.get_sheet_by_name(name).height > 0]
    if len(filled) == 1:
        return filled[0], [f'The sheet "{filled[0]}" was read; it is the only visible one with cells.']
    raise FileStructure(
        f"The workbook has {len(visible)} visible sheets, so one must be named (found: {found}).",
        remedy="Name the sheet in the mapping (file.sheet).",
    )


def _layout(sheet: Any, name: str, options: FileOptions, limits: Limits, known: Known | None) -> Layout:
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
        return Layout(name, names, number, number, first_column)
    return Layout(name, names, None, 0, first_column)


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


def _merges(sheet: Any, layout: Layout) -> Merges:
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
