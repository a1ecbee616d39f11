"""The mapping editor: a preview becomes fields, fields become a mapping document again."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from django.template.loader import render_to_string

from grantline.errors import InputInvalid
from grantline.formats.options import UNUSED, FileOptions
from grantline.mapping.document import COLUMN_OPTIONS, load
from grantline.web.imports.editor import Editor, editor_of
from grantline.web.imports.fields import CONDITIONS
from grantline.web.imports.mapping_form import button_words, document_of, sent_mapping
from tests.forms import fields_of

MAPPING: dict[str, Any] = {
    "version": 1,
    "file": {"delimiter": ";"},
    "columns": [
        {"source": "Id", "to": "account.id"},
        {"source": "Login", "to": "account.last_login_at", "date": "%d.%m.%Y", "zone": "Europe/Berlin"},
        {"source": "Groups", "to": "entitlements", "resource_type": "group", "split": ",", "parts": ":"},
    ],
    "constants": {"resource.type": "role"},
}


def preview(**more: Any) -> dict[str, Any]:
    names = ("Id", "Login", "Groups", "Left out")
    columns = [
        {"name": name, "samples": ["x", None], "filled_share": 0.5, "target": None, "reason": ""} for name in names
    ]
    return {
        "format": {"type": "csv", "delimiter": ";", "header_row": 1},
        "columns": columns,
        "mapping": MAPPING,
        **more,
    }


def sent_by(editor: Editor) -> dict[str, str]:
    """What the browser sends for an editor, as its template shows it."""
    context = {"editor": editor, "view": "columns", "action": "/", "conditions": CONDITIONS, "preview": preview()}
    return fields_of(render_to_string("imports/_editor.html", context), "mapping")


def posted(**more: str) -> dict[str, str]:
    """What the browser sends for an editor in which nothing was changed, and `more`."""
    return sent_by(editor_of(preview(), None, None)) | {name.replace("__", "."): value for name, value in more.items()}


def test_document_of_an_unchanged_editor_is_the_mapping_shown() -> None:
    assert load(document_of(posted())) == load(MAPPING)


def test_document_of_a_chosen_target_adds_the_column() -> None:
    columns = document_of(posted(to__3="profile.Left out"))["columns"]
    assert columns[-1] == {"source": "Left out", "to": "profile.Left out"}


def test_document_of_a_column_left_out_has_no_rule_for_it() -> None:
    assert [rule["source"] for rule in document_of(posted(to__1=""))["columns"]] == ["Id", "Groups"]


def test_document_of_another_target_drops_options_that_would_not_fit() -> None:
    document = document_of(posted(to__1="account.username", to__2="account.email"))
    assert document["columns"][1:] == [
        {"source": "Login", "to": "account.username"},
        {"source": "Groups", "to": "account.email"},
    ]
    load(document)


def test_document_of_a_list_takes_type_and_separator_and_keeps_the_rest() -> None:
    rule = document_of(posted(resource_type__2=" role ", split__2="|"))["columns"][2]
    assert rule == {"source": "Groups", "to": "entitlements", "resource_type": "role", "split": "|", "parts": ":"}


def test_document_of_an_emptied_separator_has_none() -> None:
    assert "split" not in document_of(posted(split__2=""))["columns"][2]


def test_document_of_another_delimiter_forgets_the_columns() -> None:
    assert document_of(posted(file__delimiter="tab")) == {"version": 1, "file": {"delimiter": "\t"}}


def test_document_of_no_header_numbers_the_columns() -> None:
    file = document_of(posted(file__header_row="none"))["file"]
    assert file == {
        "delimiter": ";",
        "header_row": None,
        "names": ["Column 1", "Column 2", "Column 3", "Column 4"],
    }


def test_document_of_a_header_again_forgets_the_numbers() -> None:
    base = json.dumps({"version": 1, "file": {"header_row": None, "names": ["Column 1"]}, "columns": []})
    document = document_of({"base": base, "names": '["Column 1"]', "file.header_row": "2"})
    assert document["file"] == {"header_row": 2}


@pytest.mark.parametrize("fields", [{"base": "[]"}, {"names": "{}"}, {"base": "no"}])
def test_document_of_fields_that_are_not_ours_is_refused(fields: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="not what the editor sends|Expecting value"):
        document_of(fields)


def test_names_survive_every_character() -> None:
    columns = [{"name": 'a"\r\n\x00\ud800ä'}]
    editor = editor_of({"columns": columns, "mapping": {}}, None, None)
    assert editor.names.isascii()
    assert json.loads(editor.names) == ['a"\r\n\x00\ud800ä']


def test_error_stands_at_the_column_it_is_about() -> None:
    editor = editor_of(preview(error={"code": "header_duplicate", "message": "Twice.", "column": "Login"}), None, None)
    assert [column.error for column in editor.columns] == ["", "Twice.", "", ""]
    assert editor.error == ""


def test_error_about_a_numbered_rule_stands_at_its_column() -> None:
    error = {"code": "mapping_invalid", "message": "columns[2].split: must be 1 to 10 characters."}
    editor = editor_of(preview(), MAPPING, error)
    assert editor.columns[2].error == error["message"]


def test_error_about_the_file_stands_at_the_fact() -> None:
    error = {"code": "file_structure", "message": "One column only.", "remedy": "Set file.delimiter to ';'."}
    editor = editor_of(preview(error=error), None, None)
    assert [fact.name for fact in editor.facts if fact.error] == ["file.delimiter"]


def test_error_about_neither_stands_above() -> None:
    editor = editor_of(preview(error={"code": "file_empty", "message": "No rows."}), None, None)
    assert editor.error == "No rows."


def test_refused_mapping_is_shown_as_it_was_chosen() -> None:
    chosen = {"version": 1, "columns": [{"source": "Login", "to": "account.id"}]}
    editor = editor_of(preview(), chosen, {"code": "mapping_invalid", "message": "No."})
    assert [column.target for column in editor.columns] == ["", "account.id", "", ""]


@pytest.mark.parametrize(
    ("counts", "words"),
    [({"grants": 3, "accounts": 2}, (3, "grant")), ({"accounts": 2}, (2, "account")), ({}, (0, "account"))],
)
def test_button_words_name_what_is_imported(counts: dict[str, int], words: tuple[int, str]) -> None:
    assert button_words(counts) == words


EVERY_OPTION: dict[str, Any] = {
    "version": 1,
    "mode": "delta",
    "ready": "_SUCCESS",
    "file": {
        "format": "csv",
        "encoding": "windows-1252",
        "delimiter": "\t",
        "quote": None,
        "header_row": None,
        "names": ["Id", "Login", "Groups", "Left out"],
        "skip_rows_starting_with": ["# ", "--"],
        "stop_at_row_starting_with": "Total",
        "skip_last": 2,
        "comment": "#",
        "count_row": "EOF|",
        "fill_down": ["Id"],
        "protective_prefix": "formulas",
        "member": "*.csv",
    },
    "columns": [
        {"source": "Id", "to": "account.id", "case": "sensitive", "pattern": "U[0-9]+ ?", "nulls": ["-", " n/a"]},
        {"source": "Id", "to": "account.username"},
        {
            "source": "Login",
            "to": "account.last_login_at",
            "date": "%d/%m/%Y",
            "zone": "Europe/Berlin",
            "serials": True,
            "nulls": ["00000000", "never"],
        },
        {
            "source": "Groups",
            "to": "entitlements",
            "resource_type": "group",
            "split": " | ",
            "parts": ":",
            "map": {"a": "b", "x → y": "<z>"},
        },
        {"source": "Left out", "to": "row.op"},
        {"source": "Gone", "to": "profile.Gone", "map": {"1": "one"}},
    ],
    "constants": {"account.type": "service", "profile.site": "North"},
    "where": [
        {"column": "Id", "is": "filled"},
        {"column": "Login", "is": "empty"},
        {"column": "Groups", "equals": "a b"},
        {"column": "Groups", "differs": "c"},
        {"column": "Left out", "in": ["x", "y"]},
        {"column": "Elsewhere", "not_in": ["z"]},
    ],
}


def test_every_option_of_the_language_comes_back_from_its_field() -> None:
    shown = preview(mapping=EVERY_OPTION)
    for editor in (editor_of({}, EVERY_OPTION, None), editor_of(shown, None, None)):
        assert load(document_of(sent_by(editor))) == load(EVERY_OPTION)


def test_every_option_of_a_column_has_a_field() -> None:
    names = {name.partition(".")[0] for name in sent_by(editor_of(preview(mapping=EVERY_OPTION), None, None))}
    assert set(COLUMN_OPTIONS) - {"source"} <= names


@pytest.mark.parametrize("kind", ["csv", "xlsx", "ods", "json", "jsonl", "parquet"])
def test_every_option_of_the_file_that_a_format_knows_has_a_field(kind: str) -> None:
    editor = editor_of(preview(format={"type": kind}, mapping={}), None, None)
    names = {name.removeprefix("file.") for name in sent_by(editor) if name.startswith("file.")}
    assert names == {field.name for field in dataclasses.fields(FileOptions)} - set(UNUSED[kind])


@pytest.mark.parametrize(
    "file",
    [
        {"format": "json", "records": "data.items", "items": {"groups": "id", "a: b": "name"}},
        {"format": "xlsx", "sheet": "Users", "fill_merged": True, "displayed_text": True},
        {"quote": "'", "escape": "\\"},
    ],
)
def test_file_section_comes_back_from_its_fields(file: dict[str, Any]) -> None:
    mapping = {"version": 1, "file": file, "columns": []}
    assert document_of(sent_by(editor_of({"mapping": mapping}, None, None)))["file"] == file


@pytest.mark.parametrize(
    "rule",
    [
        {"nulls": ["two\nlines"]},
        {"nulls": [str(number) for number in range(300)]},
        {"map": {"a\nb": "c"}},
        {"map": {str(number): "x" for number in range(60)}},
        {"pattern": "a\nb"},
    ],
)
def test_what_no_field_can_hold_stays_as_it_is(rule: dict[str, Any]) -> None:
    columns = [{"source": "Id", "to": "account.id", **rule}]
    shown = preview(mapping={"version": 1, "columns": columns, "where": [{"column": "Id", "equals": "a\nb"}]})
    fields = sent_by(editor_of(shown, None, None))
    assert not {"where.0.values", *(f"{option}.0" for option in rule)} & set(fields)
    document = document_of(fields)
    assert document["columns"] == columns
    assert document["where"] == [{"column": "Id", "equals": "a\nb"}]


def test_fields_are_offered_where_the_target_can_use_them() -> None:
    fields = set(posted(to__3=""))
    assert {"date.1", "zone.1", "serials.1", "nulls.0", "case.0", "parts.2"} <= fields
    assert not {"date.0", "zone.2", "case.1", "parts.0", "nulls.3"} & fields


def test_option_that_has_no_effect_is_refused_at_its_column() -> None:
    sent = sent_mapping(posted(zone__1="", date__1="serial", serials__1="true"))
    assert sent.error is not None
    assert sent.error.message == "columns[1].serials: only works with dates that are not numbers already."
    editor = editor_of(preview(), sent.document, sent.error.document())
    assert [column.error for column in editor.columns] == ["", sent.error.message, "", ""]
    assert [field.name for field in editor.columns[1].options if field.error] == ["serials.1"]
    assert editor.columns[1].is_open
    assert editor.line == 5


def test_rows_are_added_and_removed() -> None:
    condition = {"where.0.column": "0", "where.0.operator": "filled"}
    added = document_of(posted(map__1__0__from="A", map__1__0__to="B") | condition)
    assert added["columns"][1]["map"] == {"A": "B"}
    assert added["where"] == [{"column": "Id", "is": "filled"}]
    fields = sent_by(editor_of(preview(mapping=added), None, None))
    assert "map" not in document_of(fields | {"remove": "map.1.0"})["columns"][1]
    assert "where" not in document_of(fields | {"remove": "where.0"})
    assert "constants" not in document_of(fields | {"remove": "constants.0"})


def test_column_becomes_something_else_as_well() -> None:
    document = document_of(posted(also__0="account.username"))
    assert document["columns"][:2] == [
        {"source": "Id", "to": "account.id"},
        {"source": "Id", "to": "account.username"},
    ]


@pytest.mark.parametrize(
    ("more", "message", "place"),
    [
        ({"map.1.0.from": "A", "map.1.0.to": "B", "map.1.1.from": "A"}, "columns[1].map: 'A' is given twice.", 1),
        ({"map.1.0.from": "A", "map.1.0.to": ""}, "columns[1].map.A: must be a text, not ''.", 1),
        ({"date.1": "dd.mm"}, "columns[1].date: 'dd.mm' is not a date pattern", 1),
        ({"pattern.0": "("}, "columns[0].pattern: '(' is not a regular expression (RE2).", 0),
        ({"split.2": "\\"}, "columns[2].split: must be 1 to 10 characters", 2),
    ],
)
def test_faults_of_a_column_stand_at_it(more: dict[str, str], message: str, place: int) -> None:
    sent = sent_mapping(posted() | more)
    assert sent.error is not None
    assert sent.error.message.startswith(message)
    editor = editor_of(preview(), sent.document, sent.error.document())
    assert [column.index for column in editor.columns if column.error] == [place]
    assert editor.error == ""


@pytest.mark.parametrize(
    "more",
    [
        {"where.0.column": "0", "where.0.operator": "in", "where.0.values": ""},
        {"constants.1.to": "account.type", "constants.1.value": ""},
        {"mode": "half"},
        {"file.quote": "long"},
    ],
)
def test_faults_beside_the_columns_stand_at_their_fields(more: dict[str, str]) -> None:
    sent = sent_mapping(posted() | more)
    assert sent.error is not None
    editor = editor_of(preview(), sent.document, sent.error.document())
    assert editor.error == ""
    facts = [field.error for field in (*editor.facts, *editor.more_facts, editor.mode) if field.error]
    rows = [row.error for row in (*editor.conditions, *editor.constants) if row.error]
    assert facts + rows == [sent.error.message]


def test_what_has_no_effect_in_the_file_stands_at_its_column() -> None:
    error = {"message": "account.last_login_at is mapped, but nothing is mapped to entitlement.name."}
    assert [column.error for column in editor_of(preview(error=error), None, None).columns][1] == error["message"]


def test_problems_of_values_stand_at_their_column() -> None:
    issue = {"column": "Login", "code": "value_invalid", "severity": "error", "message": "Not a date."}
    issues = [issue | {"row": 1, "count": 3}, issue | {"row": None, "count": 1}]
    editor = editor_of(preview(column_issues=issues), None, None)
    found = [[(problem.count, problem.is_of_rows) for problem in column.problems] for column in editor.columns]
    assert found == [[], [(3, True), (1, False)], [], []]


def test_names_that_are_edited_rename_their_columns() -> None:
    file = {"header_row": None, "names": ["A", "B"]}
    mapping = {"version": 1, "file": file, "columns": [{"source": "A", "to": "account.id"}]}
    fields = sent_by(editor_of({"mapping": mapping, "columns": [{"name": "A"}, {"name": "B"}]}, None, None))
    document = document_of(fields | {"file.names": "Key\r\nB"})
    assert document["file"]["names"] == ["Key", "B"]
    assert document["columns"] == [{"source": "Key", "to": "account.id"}]


def test_mapping_of_several_sources_is_kept_by_the_form() -> None:
    mapping = {"version": 1, "sources": [{"sheet": "Users", "columns": [{"source": "Id", "to": "account.id"}]}]}
    assert document_of(sent_by(editor_of(preview(mapping=mapping), None, None))) == mapping


def test_yaml_that_was_sent_is_the_document_or_says_its_line() -> None:
    assert sent_mapping({"yaml": editor_of(preview(), None, None).text}).document == load(MAPPING).to_document()
    assert sent_mapping({"yaml": " \r\n"}).document == {}
    for text, line in (("version: 1\ncolumns: [\n", 3), ("version: 1\nfile:\n  delimiter: long\n", 3)):
        sent = sent_mapping({"yaml": text})
        assert sent.error is not None
        assert editor_of(preview(), None, sent.error.document(), text=text).line == line


def test_form_that_is_not_ours_is_refused() -> None:
    for fields in ({"base": "["}, {"slots": "[null]", "names": "[1]"}, {"base": '{"columns": [1]}', "names": '["a"]'}):
        with pytest.raises(InputInvalid):
            sent_mapping(fields)
