"""Workbooks: values as text, the right sheet, cells that cannot be known, hostile sheets."""

from __future__ import annotations

import datetime
import io
import zipfile
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from openpyxl.styles import Font
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from grantline.errors import FileEmpty, FileStructure, HeaderMissing, MappingInvalid, SourceTooLarge
from grantline.formats.limits import Limits
from grantline.formats.sheet_values import text

from .conftest import Result

Load = Callable[..., Result]


def saved(book: openpyxl.Workbook) -> bytes:
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def workbook(*rows: list[Any], sheet: str = "Users") -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    book.active.title = sheet
    for row in rows:
        book.active.append(row)
    return book


def rewritten(data: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """The workbook with its first sheet's XML changed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as original, zipfile.ZipFile(buffer, "w") as archive:
        for member in original.infolist():
            part = original.read(member)
            archive.writestr(member.filename, change(part) if member.filename.endswith("/sheet1.xml") else part)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (42.0, "42"),
        (-1.0, "-1"),
        (0.1, "0.1"),
        (1234567.891, "1234567.891"),
        (1.5e-7, "0.00000015"),
        (123456789012345.0, "123456789012345"),
        (1e20, "100000000000000000000"),
        (True, "TRUE"),
        (datetime.date(2026, 1, 1), "2026-01-01"),
        (datetime.datetime.fromisoformat("2026-01-01T12:30"), "2026-01-01T12:30:00"),
        (datetime.time(8, 5), "08:05:00"),
        (datetime.timedelta(hours=26), "26:00:00"),
        ("00042", "00042"),
    ],
)
def test_a_value_as_text(value: Any, expected: str) -> None:
    assert text(value) == expected


def test_a_sheet_is_read_with_its_places(load: Load) -> None:
    result = load(saved(workbook(["id", "hired"], [42, datetime.date(2026, 1, 1)], [], ["00043", None])), name="u.xlsx")
    assert result.table.columns == ("id", "hired")
    assert result.rows == [("42", "2026-01-01"), ("00043", None)]
    assert result.lines == [2, 4]
    place = result.table.places([2])[2]
    assert (place.sheet, place.sheet_row) == ("Users", 4)
    assert (result.table.format.type, result.table.format.sheet) == ("xlsx", "Users")


def test_dates_of_the_1904_system(load: Load) -> None:
    book = workbook(["id", "hired"], ["U1", datetime.date(2026, 1, 2)])
    book.epoch = CALENDAR_MAC_1904
    assert load(saved(book)).rows == [("U1", "2026-01-02")]


def test_a_format_that_shows_zeros_is_warned_of(load: Load) -> None:
    book = workbook(["id"], [42])
    book.active["A2"].number_format = "00000"
    result = load(saved(book))
    assert result.rows == [("42",)]
    assert (result.table.issues[0].severity, result.table.issues[0].cell) == ("warning", "Users!A2")


def test_a_long_number_is_warned_of(load: Load) -> None:
    result = load(saved(workbook(["id"], [1234567890123456789])))
    assert result.issues == [("value_invalid", 1, None, "id")]
    assert len(result.rows) == 1


def test_a_formula_without_a_result_refuses_its_row(load: Load) -> None:
    result = load(saved(workbook(["id", "mail"], ["U1", '=A2&"@example.com"'], ["U2", "b"])))
    assert result.rows == [("U2", "b")]
    assert result.issues == [("value_invalid", 1, None, "mail")]
    assert result.table.issues[0].cell == "Users!B2"
    assert result.doubtful == [(1, "U1", None)]


def test_an_error_refuses_its_row(load: Load) -> None:
    book = workbook(["id", "mail"], ["U1", "#N/A"])
    book.active["B2"].data_type = "e"
    result = load(saved(book))
    assert (result.rows, result.issues) == ([], [("value_invalid", 1, None, "mail")])


def test_the_only_visible_sheet_is_read(load: Load) -> None:
    book = workbook(["code"], ["x"], sheet="lists")
    book.active.sheet_state = "hidden"
    users = book.create_sheet("Users")
    users.append(["id"])
    users.append(["U1"])
    users.append(["U2"])
    users.row_dimensions[3].hidden = True
    result = load(saved(book))
    assert result.rows == [("U1",), ("U2",)]
    assert result.table.format.sheet == "Users"
    assert load(saved(book), {"sheet": "lists"}).rows == [("x",)]
    with pytest.raises(FileStructure, match=r'no sheet "People" \(found: lists \[hidden\], Users\)'):
        load(saved(book), {"sheet": "People"})


def test_several_filled_sheets_need_a_name(load: Load) -> None:
    book = workbook(["id"], ["U1"])
    book.create_sheet("Groups").append(["id"])
    with pytest.raises(FileStructure, match=r"one must be named \(found: Users, Groups\)"):
        load(saved(book))


def test_titles_blank_rows_and_columns_around_the_table(load: Load) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet["B2"], sheet["B4"], sheet["C4"], sheet["B5"], sheet["C5"] = "Report", "id", "n", "U1", "x"
    data = saved(book)
    for more in ({"document": {"header_row": 4}}, {"known": lambda names: "id" in names}):
        result = load(data, **more)
        assert (result.table.columns, result.rows, result.lines) == (("id", "n"), [("U1", "x")], [5])
    with pytest.raises(HeaderMissing):
        load(data, {"header_row": 3})


def test_row_rules_hold_for_sheets(load: Load) -> None:
    data = saved(workbook(["id", "n"], ["#x", 1], ["U1", 2], ["Total", 3]))
    assert load(data, {"comment": "#", "skip_last": 1}).rows == [("U1", "2")]
    assert load(data, {"skip_rows_starting_with": ["#"], "stop_at_row_starting_with": "Total"}).rows == [("U1", "2")]
    with pytest.raises(MappingInvalid, match=r"file\.delimiter"):
        load(data, {"delimiter": ";"})


def test_a_merged_header_is_refused(load: Load) -> None:
    book = workbook(["id", None, "n"], ["U1", "x", "y"])
    book.active.merge_cells("A1:B1")
    with pytest.raises(FileStructure, match="merged cells"):
        load(saved(book))


def test_a_row_that_a_merge_leaves_empty_is_refused_and_noted(load: Load) -> None:
    """Empty would mean "none", and whoever looks at the sheet sees a value."""
    book = workbook(["group", "member"], ["g-a", "U1"], [None, "U2"])
    book.active.merge_cells("A2:A3")
    result = load(saved(book))
    assert result.rows == [("g-a", "U1")]
    assert [issue.cell for issue in result.table.issues] == ["Users!A3"]
    assert any("A2:A3" in note for note in result.table.notes)


@pytest.mark.parametrize(
    ("area", "rows"),
    [
        ("A2:A4", [("g-a", "U1"), ("g-a", "U2"), ("g-a", "U3")]),
        ("A3:B3", [("g-a", "U1"), ("g-b", "g-b"), ("g-c", "U3")]),
        ("A3:A4", [("g-a", "U1"), ("g-b", "U2"), ("g-b", "U3")]),
    ],
)
def test_merged_cells_are_filled_where_it_is_asked(load: Load, area: str, rows: list[tuple[str, str]]) -> None:
    book = workbook(["group", "member"], ["g-a", "U1"], ["g-b", "U2"], ["g-c", "U3"])
    book.active.merge_cells(area)
    assert load(saved(book), {"fill_merged": True}).rows == rows


CONTENT = """<?xml version="1.0"?><office:document-content
 xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0">
<office:body><office:spreadsheet><table:table table:name="Users">
<table:table-row><table:table-cell office:value-type="string"><text:p>id</text:p></table:table-cell></table:table-row>
<table:table-row><table:table-cell office:value-type="float" office:value="42"><text:p>42</text:p></table:table-cell>
</table:table-row></table:table></office:spreadsheet></office:body></office:document-content>"""


def ods(content: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr("content.xml", content.replace("\n", ""))
    return buffer.getvalue()


def test_an_ods_sheet_is_read(load: Load) -> None:
    result = load(ods(CONTENT), name="users.ods")
    assert (result.table.format.type, result.rows) == ("ods", [("42",)])


def test_an_ods_cell_repeated_too_often_is_refused(load: Load) -> None:
    repeated = CONTENT.replace(
        'office:value-type="float"', 'office:value-type="float" table:number-columns-repeated="90000000"'
    )
    with pytest.raises(SourceTooLarge, match="workbook_cells"):
        load(ods(repeated))


def test_empty_sheets(load: Load) -> None:
    with pytest.raises(FileEmpty):
        load(saved(workbook()))
    with pytest.raises(FileEmpty, match=r"header \(line 1\)"):
        load(saved(workbook(["id", "n"])))


def test_a_far_formatted_empty_cell_changes_nothing(load: Load) -> None:
    book = workbook(["id"], ["U1"], ["U2"])
    book.active["XFD200000"].font = Font(bold=True)
    assert load(saved(book)).rows == [("U1",), ("U2",)]


def test_a_far_filled_cell_is_refused_before_it_fills_the_memory(load: Load) -> None:
    book = workbook(["id"], ["U1"])
    book.active["XFD200000"] = "x"
    with pytest.raises(SourceTooLarge, match="workbook_cells"):
        load(saved(book))


@pytest.mark.parametrize(
    "far",
    [
        b'<c r="XFD200000"><v>1</v></c>',
        b"<c r='XFD200000'><v>1</v></c>",
        b'<c r = "xfd200000"><v>1</v></c>',
        b'<c\tr="XFD0000200000"><v>1</v></c>',
        b'<x:c xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main" r="XFD200000"><v>1</v></x:c>',
        b'<c r="AAAAAAAAAAA2"><v>1</v></c>',
    ],
)
def test_a_far_cell_that_hides_in_a_near_row_is_refused(load: Load, far: bytes) -> None:
    data = rewritten(saved(workbook(["id"], ["U1"])), lambda sheet: sheet.replace(b"</row>", far + b"</row>", 1))
    with pytest.raises(SourceTooLarge, match="workbook_cells"):
        load(data)


def test_a_far_cell_of_a_sheet_that_is_not_chosen_is_refused_before_it_is_read(load: Load) -> None:
    book = workbook(["id"], ["U1"])
    book.create_sheet("Other")["XFD200000"] = "x"
    with pytest.raises(SourceTooLarge, match="workbook_cells"):
        load(saved(book))


def test_two_parts_of_the_same_name_are_refused(load: Load) -> None:
    buffer = io.BytesIO(saved(workbook(["id"], ["U1"])))
    with zipfile.ZipFile(buffer, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("xl/worksheets/sheet1.xml", archive.read("xl/worksheets/sheet1.xml"))
    with pytest.raises(FileStructure, match="two parts of the same name"):
        load(buffer.getvalue())


@pytest.mark.parametrize("columns", [3, 40])
def test_wide_and_narrow_sheets_are_read_alike(load: Load, columns: int) -> None:
    names = [f"n{place}" for place in range(columns)]
    book = workbook(names, *([f"{row}.{place}" for place in range(columns)] for row in range(3)))
    assert load(saved(book)).rows == [tuple(f"{row}.{place}" for place in range(columns)) for row in range(3)]


def test_a_block_with_a_cell_to_look_at_is_read_row_by_row(load: Load) -> None:
    rows = [[f"U{row}", row, 'a "quoted" one' if row == 9000 else "plain"] for row in range(9500)]
    rows[100][1] = 10**15
    rows[5000] = [None, None, None]
    rows[5001][2] = "x" * 20_000
    result = load(saved(workbook(["id", "n", "note"], *rows)), limits=Limits(cell_bytes=15_000))
    assert len(result.rows) == 9499
    assert result.rows[100] == ("U100", "1000000000000000", "plain")
    assert result.rows[8999] == ("U9000", "9000", 'a "quoted" one')
    assert result.lines[5000] == 5003
    assert [(issue.code, issue.row, issue.cell) for issue in result.table.issues] == [
        ("value_invalid", 101, "Users!B102"),
        ("value_invalid", 5001, "Users!C5003"),
    ]
    assert "Blank rows left out: 1." in result.table.notes


def test_a_workbook_that_unpacks_to_too_much_is_refused(load: Load) -> None:
    with pytest.raises(SourceTooLarge, match="workbook_bytes"):
        load(saved(workbook(["id"], ["U1"])), limits=Limits(workbook_bytes=1000))


def test_a_declared_size_that_lies_is_not_believed(load: Load) -> None:
    original = zipfile.ZipFile(io.BytesIO(saved(workbook(["id"], ["U1"]))))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for member in original.infolist():
            archive.writestr(member.filename, original.read(member))
        archive.writestr("xl/media/bomb", b"a" * 3_000_000)
        archive.infolist()[-1].file_size = 10
    with pytest.raises(SourceTooLarge, match="workbook_bytes"):
        load(buffer.getvalue(), limits=Limits(workbook_bytes=1_000_000))


def test_entities_are_refused(load: Load) -> None:
    data = saved(workbook(["id"], ["=1"]))
    with pytest.raises(FileStructure, match="entities"):
        load(rewritten(data, lambda sheet: b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + sheet))


def test_a_cut_workbook_is_refused(load: Load) -> None:
    data = saved(workbook(["id"], ["U1"]))
    with pytest.raises(FileStructure, match="damaged or cut off"):
        load(data[:-200])
