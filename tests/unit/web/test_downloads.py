"""Downloads: no cell that a spreadsheet would run, whatever the customer's text."""

from __future__ import annotations

import csv
import io

import pytest

from grantline.web.downloads import csv_response, safe_cell


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "＝1"])
def test_safe_cell_marks_what_a_spreadsheet_takes_for_a_formula(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize(("value", "text"), [(None, ""), (12, "12"), (-3, "-3"), ("plain", "plain"), ("a=b", "a=b")])
def test_safe_cell_leaves_the_rest_as_it_is(value: object, text: str) -> None:
    assert safe_cell(value) == text


def test_safe_cell_shows_what_no_file_can_hold() -> None:
    assert safe_cell("a\x00b\ud800") == "a␀b?"


def test_csv_response_is_read_back_as_it_was_written() -> None:
    rows = [[f"k{number}", 'quote " and, comma'] for number in range(1201)]
    response = csv_response("changes of <Payroll>/x", ("key", "value"), rows)
    text = b"".join(response).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(text))) == [["key", "value"], *rows]


def test_csv_response_has_a_harmless_file_name() -> None:
    response = csv_response('a"; filename="evil.exe\r\nX: y', ("a",), [])
    assert response["Content-Disposition"] == 'attachment; filename="a-filename-evil.exe-X-y.csv"'
