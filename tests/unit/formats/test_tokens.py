"""Lines to records: quotes, line ends, places."""

from __future__ import annotations

import pytest

from grantline.formats.tokens import Dialect, Records, UnclosedQuote


def cells(text: str, dialect: Dialect | None = None) -> list[list[str]]:
    lines = iter(text.splitlines(keepends=True))
    return [record.cells for record in Records(lines, dialect or Dialect())]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a,b\n", ["a", "b"]),
        ('"a,b",c\n', ["a,b", "c"]),
        ('"a""b",c\n', ['a"b', "c"]),
        ('a"b,c\n', ['a"b', "c"]),
        ('"a" ,c\n', ["a", "c"]),
        (' "a",c\n', ["a", "c"]),
        ('  "a",c\n', ['  "a"', "c"]),
        ('"a\nb",c\n', ["a\nb", "c"]),
        ('"a",\n', ["a", ""]),
        ("CORP\\user,g\n", ["CORP\\user", "g"]),
        ('"CORP\\",g\n', ["CORP\\", "g"]),
    ],
)
def test_cells_of_one_record(text: str, expected: list[str]) -> None:
    assert cells(text) == [expected]


def test_an_escape_works_where_it_is_declared() -> None:
    dialect = Dialect(escape="\\")
    assert cells('"a\\"b","c\\d"\n', dialect) == [['a"b', "c\\d"]]


def test_without_a_quote_character_quotes_are_text() -> None:
    assert cells('"a,b"\n', Dialect(quote=None)) == [['"a', 'b"']]


def test_records_know_the_line_where_they_start() -> None:
    records = Records(iter(['a,"x\n', 'y"\n', "\n", "b,c\n"]), Dialect(), first_line=5)
    assert [(record.line, record.line_count) for record in records] == [(5, 2), (8, 1)]
    assert records.blank_count == 1


def test_text_behind_a_closing_quote_is_marked_and_kept() -> None:
    (record,) = Records(iter(['x,"a"b,c\n']), Dialect())
    assert (record.cells, record.stray) == (["x", "ab", "c"], 1)


def test_a_quote_that_is_never_closed_names_line_and_cell() -> None:
    with pytest.raises(UnclosedQuote) as caught:
        list(Records(iter(["a,b\n", 'c,"d\n', "e,f\n"]), Dialect()))
    assert (caught.value.line, caught.value.cell_index) == (2, 1)


def test_a_comment_inside_quotes_is_data() -> None:
    records = Records(iter(["#no,x\n", 'a,"\n', '#yes"\n']), Dialect(comment="#"))
    assert [record.cells for record in records] == [["a", "\n#yes"]]
    assert records.comment_count == 1


def test_multi_line_records_across_a_block_of_lines_stay_whole() -> None:
    lines = [line for _ in range(2000) for line in ('u,"x\n', 'y"\n')]
    found = list(Records(iter(lines), Dialect()))
    assert len(found) == 2000
    assert {tuple(record.cells) for record in found} == {("u", "x\ny")}
    assert found[-1].line == 3999


def test_a_missing_last_line_end_is_noticed() -> None:
    for text, expected in (("a,b\nc", True), ("a,b\n", False), ('a,"b\nc"', True), ("a,b\r", False)):
        records = Records(iter(text.splitlines(keepends=True)), Dialect())
        assert (list(records), records.cut_off)[1] is expected
