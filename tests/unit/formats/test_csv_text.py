"""Delimited files that broke an import somewhere, from bytes to table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from grantline.errors import FileEmpty, FileEncoding, FileStructure, HeaderMissing, SourceTooLarge
from grantline.formats.limits import Limits

from .conftest import Result

Load = Callable[..., Result]


def refused(load: Load, error: type[Exception], data: bytes | str, document: Any = None, **more: Any) -> Any:
    with pytest.raises(error) as caught:
        load(data, document, **more)
    return caught.value


def test_a_clean_file_is_scanned_where_it_lies(load: Load) -> None:
    result = load("id,name\nU1,Ann\nU2,\n")
    assert result.rows == [("U1", "Ann"), ("U2", None)]
    assert "users.csv" in result.table.rows
    assert result.lines == [2, 3]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_clean_file_of_either_line_end_is_not_copied(load: Load, end: str) -> None:
    result = load(end.join(["id,name", '"U1","Ann, B"', "U2,Bo", ""]))
    assert "users.csv" in result.table.rows
    assert result.rows == [("U1", "Ann, B"), ("U2", "Bo")]


def test_a_file_cut_off_in_its_last_row_is_refused(load: Load) -> None:
    error = refused(load, FileStructure, "id,mail,name\nU1,a,b\nU2,c")
    assert (error.row, error.line) == (2, 3)
    assert "cut off" in error.message


def test_empty_and_header_only_are_told_apart(load: Load) -> None:
    assert "0 bytes" in refused(load, FileEmpty, b"").message
    assert "header (line 1)" in refused(load, FileEmpty, "id,name\n").message
    assert "header (line 1)" in refused(load, FileEmpty, "id,name").message
    assert "blank" in refused(load, FileEmpty, "\n\n").message


@pytest.mark.parametrize("header", ["id,name", '"id","name"'])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_byte_order_mark_is_no_part_of_the_header(load: Load, header: str, end: str) -> None:
    result = load(b"\xef\xbb\xbf" + end.join([header, "U1,Ann", ""]).encode())
    assert result.table.columns == ("id", "name")
    assert result.rows == [("U1", "Ann")]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig"])
def test_a_byte_order_mark_decides_the_encoding(load: Load, encoding: str) -> None:
    result = load("id\tname\r\nU1\tZoë\r\n".encode(encoding))
    assert result.rows == [("U1", "Zoë")]
    assert result.table.format.delimiter == "\t"


def test_bare_utf16_is_suspected_and_read_where_it_is_declared(load: Load) -> None:
    data = "id,name\nU1,Ann\n".encode("utf-16-le")
    assert "UTF-16" in refused(load, FileEncoding, data).message
    assert load(data, {"encoding": "utf-16-le"}).rows == [("U1", "Ann")]


def test_bytes_that_are_not_utf8_are_named_by_offset_row_and_column(load: Load) -> None:
    data = "id,name\nU1,Ann\nU2,Zoë\n".encode("cp1252")
    error = refused(load, FileEncoding, data)
    assert (error.facts["offset"], error.row, error.line, error.column) == (20, 2, 3, "name")
    assert load(data, {"encoding": "windows-1252"}).rows[1] == ("U2", "Zoë")


def test_a_declared_encoding_that_does_not_fit_is_refused(load: Load) -> None:
    error = refused(load, FileEncoding, b"id,name\nU1,\x81\n", {"encoding": "windows-1252"})
    assert (error.facts["offset"], error.row, error.column) == (11, 1, "name")
    assert "byte order mark" in refused(load, FileEncoding, b"\xef\xbb\xbfid,x\n1,2\n", {"encoding": "cp1252"}).message


def test_a_nul_refuses_its_row_alone(load: Load) -> None:
    result = load(b"id,name\nU1,An\0n\nU2,Bo\n")
    assert result.rows == [("U2", "Bo")]
    assert result.issues == [("value_invalid", 1, 2, "name")]
    assert result.doubtful == [(1, "U1", "Ann")]


def test_a_powershell_type_line_is_left_out(load: Load) -> None:
    result = load('#TYPE Example.Group\n"id","name"\n"U1","Ann"\n')
    assert (result.table.columns, result.rows, result.lines) == (("id", "name"), [("U1", "Ann")], [3])


def test_a_separator_hint_names_the_delimiter_and_is_no_data(load: Load) -> None:
    result = load("sep=;\nid;name\nU1;a,b\n")
    assert (result.table.columns, result.rows, result.lines) == (("id", "name"), [("U1", "a,b")], [3])


TITLED = "Report;;\nOf today;;\n\nId;Name;Until\nU1;Ann;2026\n"


def test_the_header_is_found_by_line_or_by_known_names(load: Load) -> None:
    for more in ({"document": {"header_row": 4}}, {"known": lambda names: "Id" in names}):
        result = load(TITLED, **more)
        assert result.table.columns == ("Id", "Name", "Until")
        assert (result.rows, result.lines) == ([("U1", "Ann", "2026")], [5])
        assert result.table.format.header_row == 4


def test_a_header_line_that_is_not_there_is_missing(load: Load) -> None:
    refused(load, HeaderMissing, TITLED, {"header_row": 3})
    refused(load, HeaderMissing, TITLED, {"header_row": 30})


def test_no_row_is_dropped_for_an_odd_one(load: Load) -> None:
    expected = [("U1",), ("U2",), ("U3;x",)]
    assert load("id\nU1\nU2\nU3;x\n", {"delimiter": ","}).rows == expected
    assert load("id\nU1\nU2\nU3;x\n").rows == expected


TOTALS = "id,name,n\nU1,Ann,1\nU2,Bo,1\nTotal,,2\n"


@pytest.mark.parametrize(
    "document",
    [{"skip_last": 1}, {"stop_at_row_starting_with": "Total"}, {"skip_rows_starting_with": ["Total,"]}],
)
def test_a_footer_rule_leaves_the_total_out(load: Load, document: dict[str, Any]) -> None:
    result = load(TOTALS, document)
    assert [row[0] for row in result.rows] == ["U1", "U2"]
    assert result.table.notes
    assert len(load(TOTALS).rows) == 3


def test_names_are_given_where_there_is_no_header(load: Load) -> None:
    result = load("U1,Ann\nU2,Bo\n", {"header_row": None, "names": ["id", "name"]})
    assert (result.table.columns, len(result.rows), result.lines) == (("id", "name"), 2, [1, 2])
    assert result.table.format.header_row is None
    refused(load, FileStructure, "U1,Ann\n", {"names": ["id"]})


def test_given_names_replace_a_header(load: Load) -> None:
    result = load("a,b\nU1,Ann\n", {"header_row": 1, "names": ["id", "name"]})
    assert (result.table.columns, result.rows) == (("id", "name"), [("U1", "Ann")])


def test_duplicate_headers_stay_for_the_mapping_to_judge(load: Load) -> None:
    assert load("id,role,role\nU1,reader,admin\n").table.columns == ("id", "role", "role")


SEMICOLONS = 'id;mail;groups\nU1;a;"g-a,g-b"\nU2;b;g-a\n'


def test_a_wrong_declared_delimiter_is_refused_with_the_right_one(load: Load) -> None:
    error = refused(load, FileStructure, SEMICOLONS, {"delimiter": ","})
    assert "';' would give 3" in error.message


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(load: Load, delimiter: str) -> None:
    result = load(SEMICOLONS.replace(";", delimiter))
    assert result.table.format.delimiter == delimiter
    assert result.rows[0] == ("U1", "a", "g-a,g-b")


def test_a_line_break_inside_quotes_is_one_row_wherever_it_falls(load: Load) -> None:
    rows = "".join(f'U{n},"two\nlines ""{n}""",g-a\n' for n in range(60_000))
    result = load("id,title,groups\n" + rows)
    assert len(result.rows) == 60_000
    assert result.rows[59_999] == ("U59999", 'two\nlines "59999"', "g-a")
    assert result.table.places([1, 60_000])[60_000].line == 120_000


def test_a_quote_that_is_never_closed_refuses_the_file(load: Load) -> None:
    error = refused(load, FileStructure, 'id,name,g\nU1,"Ann,x\nU2,Bo,x\n')
    assert (error.row, error.line, error.column) == (1, 2, "name")


def test_a_quote_closed_in_the_wrong_row_refuses_the_file(load: Load) -> None:
    error = refused(load, FileStructure, 'id,name,g\nU1,"Ann,x\nU2,"Bo",x\n')
    assert (error.line, error.column) == (2, "name")


def test_text_behind_a_closing_quote_refuses_its_row(load: Load) -> None:
    result = load('id,name\nU1,"Ann" B\nU2,Bo\n')
    assert (result.rows, result.issues) == ([("U2", "Bo")], [("value_invalid", 1, 2, "name")])


def test_rows_of_another_width_are_refused_and_stay_in_doubt(load: Load) -> None:
    result = load("id,name,g\nU1,Ann,a\nU2,Bo, B,b\nU3,Cy\nU4,Di,d\n")
    assert [row[0] for row in result.rows] == ["U1", "U4"]
    assert result.issues == [("row_width", 2, 3, None), ("row_width", 3, 4, None)]
    assert result.doubtful == [(2, "U2", "Bo", " B"), (3, "U3", "Cy", None)]
    assert (result.numbers, result.lines) == ([1, 4], [2, 5])


def test_empty_cells_beyond_the_header_are_no_fault(load: Load) -> None:
    assert load("id,name\nU1,Ann,\nU2,Bo,,\n").rows == [("U1", "Ann"), ("U2", "Bo")]


def test_a_backslash_is_text_unless_it_is_the_escape(load: Load) -> None:
    data = 'id,g\nCORP\\u1,a\n"CORP\\u2\\",b\n'
    assert [row[0] for row in load(data).rows] == ["CORP\\u1", "CORP\\u2\\"]
    assert load('id,g\n"a\\"b",c\n', {"escape": "\\"}).rows == [('a"b', "c")]


def test_comments_are_data_unless_declared(load: Load) -> None:
    data = "id,m\n#temp,a\nU1,b\n"
    assert len(load(data).rows) == 2
    result = load(data, {"comment": "#"})
    assert result.rows == [("U1", "b")]
    assert any("Comment" in note for note in result.table.notes)


def test_another_quote_character(load: Load) -> None:
    data = "id,name\nU1,'Zoë, A'\n".encode("cp1252")
    assert load(data, {"encoding": "windows-1252", "quote": "'"}).rows == [("U1", "Zoë, A")]


def test_mixed_line_ends_are_read(load: Load) -> None:
    result = load(b'a,b\r\n1,2\n3,"4\r\n5"\r6,7\r\n')
    assert result.rows == [("1", "2"), ("3", "4\r\n5"), ("6", "7")]
    assert result.lines == [2, 3, 5]


def test_blank_lines_are_no_records_but_lines(load: Load) -> None:
    result = load('id,note,mail\nU1,"two\nlines",a\n\nU2,x,b\n')
    assert (result.numbers, result.lines) == ([1, 2], [2, 5])


def test_text_stays_text(load: Load) -> None:
    values = ["00042", "104E02", "1.23457E+14", "NA", "Null", "\\N", "TRUE", "05/03/2026", "9007199254740993"]
    result = load("id,v\n" + "".join(f"k,{value}\n" for value in values))
    assert [row[1] for row in result.rows] == values


def test_a_cell_over_the_limit_becomes_empty_and_its_row_stays(load: Load) -> None:
    result = load("id,note\nU1," + "a" * 200_000 + "\nU2,b\n")
    assert result.rows == [("U1", None), ("U2", "b")]
    assert result.issues == [("value_invalid", 1, 2, "note")]
    assert result.table.issues[0].severity == "warning"


@pytest.mark.parametrize(
    ("limits", "name"),
    [(Limits(rows=2), "rows"), (Limits(columns=1), "columns")],
)
def test_limits_name_themselves(load: Load, limits: Limits, name: str) -> None:
    for data in ("id,n\n1,2\n3,4\n5,6\n", "id,n\n1,2\n3,4,x\n5,6\n"):
        assert refused(load, SourceTooLarge, data, limits=limits).facts["limit"] == name


def test_a_ranged_attribute_is_a_cut_list(load: Load) -> None:
    error = refused(load, FileStructure, "DN,member;range=0-1499\na,b\n", {"delimiter": ","})
    assert "1500" in error.message
    assert load("DN,member;range=0-*\na,b\n", {"delimiter": ","}).rows == [("a", "b")]


def test_a_fault_in_a_column_that_is_not_used_refuses_no_row(con: Any, tmp_path: Any) -> None:
    from grantline.formats.options import FileOptions
    from grantline.formats.read import read

    path = tmp_path / "x.csv"
    path.write_bytes(b"id,note\nU1,a\0b\n")
    table = read(path, FileOptions(), Limits(), con, tmp_path, used=lambda columns: [columns.index("id")])
    assert con.execute(f"SELECT * FROM {table.rows}").fetchall() == [("U1", "ab")]


def test_a_name_with_glob_characters_is_one_file(load: Load) -> None:
    load("id,n\n1,2\n", name="report1.csv")
    assert load("id,n\n3,4\n", name="report[1]*.csv").rows == [("3", "4")]
