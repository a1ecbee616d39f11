"""JSON: arrays, lines and nested lists; keys twice; cut documents."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from grantline.errors import FileEmpty, FileEncoding, FileStructure, SourceTooLarge

from .conftest import Result

Load = Callable[..., Result]


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ('[{"id":"U1"},\n{"id":"U2"}]', "json"),
        ('{"id":"U1"}\n{"id":"U2"}\n', "jsonl"),
        ('{"Users":[{"id":"U1"},\n{"id":"U2"}],"next":null}', "json"),
        ('{\n "total": 2,\n "Users": [{"id":"U1"}, {"id":"U2"}]}', "json"),
    ],
)
def test_both_shapes_and_a_list_inside(load: Load, data: str, kind: str) -> None:
    result = load(data, name="users.json")
    assert result.rows == [("U1",), ("U2",)]
    assert result.table.format.type == kind


def test_a_path_names_the_list(load: Load) -> None:
    data = '{"meta":[{"x":1}],"data":{"items":[{"id":"U1"}]}}'
    assert load(data, {"records": "data.items"}).rows == [("U1",)]
    with pytest.raises(FileStructure, match='no list under "data.users"'):
        load(data, {"records": "data.users"})


def test_two_lists_of_objects_need_a_path(load: Load) -> None:
    with pytest.raises(FileStructure, match="a and b"):
        load('{"a":[{"x":1}],"b":[{"y":1}]}')


def test_more_pages_are_noted(load: Load) -> None:
    result = load('{"Users":[{"id":"U1"}],"next":"abc"}')
    assert any("more pages" in note for note in result.table.notes)


def test_values_keep_their_text(load: Load) -> None:
    result = load('[{"a":9007199254740993,"b":1.50,"c":true,"d":null,"e":{"f":"x"}}]')
    assert result.table.columns == ("a", "b", "c", "d", "e.f")
    assert result.rows == [("9007199254740993", "1.50", "true", None, "x")]


def test_keys_that_come_later_are_columns_too(load: Load) -> None:
    assert load('[{"a":1},{"b":2}]').rows == [("1", None), (None, "2")]


def test_lists_are_joined_with_what_none_of_their_values_holds(load: Load) -> None:
    result = load('[{"g":["a","b"],"dn":["CN=x,DC=y","CN=z"]}]')
    assert result.rows == [("a,b", "CN=x,DC=y;CN=z")]
    assert result.table.separators == {"g": ",", "dn": ";"}


def test_a_list_of_objects_refuses_its_row(load: Load) -> None:
    result = load('[{"id":"U1","g":[{"id":"x"}]},{"id":"U2","g":["y"]}]')
    assert result.rows == [("U2", "y")]
    assert result.issues == [("value_invalid", 1, 1, "g")]
    assert result.doubtful == [(1, "U1", None)]


def test_a_key_twice_refuses_its_row(load: Load) -> None:
    result = load('[{"id":"U1","id":"U2"},\n{"id":"U3"}]')
    assert (result.rows, result.lines) == ([("U3",)], [2])
    assert result.table.issues[0].message == 'The key "id" occurs twice.'


@pytest.mark.parametrize(
    "data",
    [
        '[{"id":"U1"},',
        '[{"id":"U1"',
        '{"id":"U1"}\n{"id":"U',
        '[{"id":"U1"} {"id":"U2"}]',
        '[{"id":"U1"}] x',
        '[{"a":NaN}]',
    ],
)
def test_a_cut_or_damaged_document_is_refused(load: Load, data: str) -> None:
    with pytest.raises(FileStructure, match=r"cut off|damaged"):
        load(data)


def test_no_records_are_empty(load: Load) -> None:
    with pytest.raises(FileEmpty):
        load("[]")


@pytest.mark.parametrize("data", ['[{"a":' * 100_000, '[{"a":' + '{"a":' * 70 + "1" + "}" * 70 + "}]"])
def test_deep_nesting_is_a_limit(load: Load, data: str) -> None:
    with pytest.raises(SourceTooLarge, match="nesting"):
        load(data)


def test_encodings_hold_for_json(load: Load) -> None:
    assert load('[{"id":"Zoë"}]'.encode("utf-16")).rows == [("Zoë",)]
    with pytest.raises(FileEncoding, match="offset 20"):
        load(b'[{"id":"a"},\n{"id":"\xff"}]')


@pytest.mark.parametrize("escape", ["\\u0000", "\\ud800"])
def test_characters_that_cannot_be_stored_refuse_their_row(load: Load, escape: str) -> None:
    result = load(f'[{{"id":"a{escape}"}},{{"id":"b"}}]')
    assert (result.rows, result.doubtful) == ([("b",)], [(1, "a")])


def test_a_document_larger_than_a_chunk_is_read_whole(load: Load) -> None:
    rows = ",\n".join(f'{{"id":"U{n}","name":"{"x" * 100}"}}' for n in range(30_000))
    result = load(f'{{"total":30000,"Users":[{rows}]}}')
    assert len(result.rows) == 30_000
    assert result.table.places([30_000])[30_000].line == 30_000
