"""The mapping editor: a preview becomes fields, fields become a mapping document again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from grantline.mapping.document import load
from grantline.web.imports.mapping_form import button_words, document_of, editor_of

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


def posted(**more: str) -> dict[str, str]:
    """What the browser sends for an editor in which nothing was changed, and `more`."""
    editor = editor_of(preview(), None, None)
    fields = {"base": editor.base, "names": editor.names}
    fields |= {f"file.{fact.name}": fact.value for fact in editor.facts}
    for column in editor.columns:
        fields[f"to.{column.index}"] = column.target
        if column.is_list:
            fields |= {f"resource_type.{column.index}": column.resource_type, f"split.{column.index}": column.split}
    return fields | {name.replace("__", "."): value for name, value in more.items()}


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
    assert [fact.name for fact in editor.facts if fact.error] == ["delimiter"]


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
