"""The `file:` section: each option is taken as it is meant, or refused with its name."""

from __future__ import annotations

from typing import Any

import pytest

from grantline.errors import MappingInvalid
from grantline.formats.options import FileOptions, refuse_unused


def test_no_document_gives_the_defaults() -> None:
    assert FileOptions.from_document(None) == FileOptions() == FileOptions.from_document({})


def test_the_documented_defaults_are_the_defaults() -> None:
    document = {
        "format": "auto",
        "encoding": "auto",
        "delimiter": "auto",
        "quote": '"',
        "escape": None,
        "header_row": "auto",
        "names": None,
        "skip_rows_starting_with": [],
        "stop_at_row_starting_with": None,
        "skip_last": 0,
        "comment": None,
        "sheet": None,
        "records": None,
    }
    assert FileOptions.from_document(document) == FileOptions()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("unknown_opt", 1, "not an option"),
        ("format", "doc", "one of auto, csv"),
        ("encoding", "klingon", "not an encoding"),
        ("encoding", "base64", "not an encoding"),
        ("delimiter", ",,", "one character"),
        ("delimiter", "\n", "one character"),
        ("quote", "", "one character"),
        ("escape", 1, "one character"),
        ("header_row", 0, "line number from 1"),
        ("header_row", True, "line number from 1"),
        ("names", [], "at least one"),
        ("names", "a,b", "list of texts"),
        ("skip_rows_starting_with", "x", "list of texts"),
        ("skip_last", -1, "whole number"),
        ("skip_last", "1", "whole number"),
        ("comment", "", "must be a text"),
        ("sheet", 1, "must be a text"),
        ("records", [], "must be a text"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_with_its_name(name: str, value: Any, words: str) -> None:
    with pytest.raises(MappingInvalid) as caught:
        FileOptions.from_document({name: value})
    assert f"file.{name}" in caught.value.message
    assert words in caught.value.message


def test_no_header_needs_names() -> None:
    with pytest.raises(MappingInvalid, match=r"file\.names"):
        FileOptions.from_document({"header_row": None})


def test_names_alone_mean_no_header() -> None:
    assert not FileOptions.from_document({"names": ["a"]}).has_header
    assert FileOptions.from_document({"names": ["a"], "header_row": 1}).has_header


def test_a_tab_can_be_written_as_a_word() -> None:
    assert FileOptions.from_document({"delimiter": "tab"}).delimiter == "\t"
    assert FileOptions.from_document({"delimiter": "\\t"}).delimiter == "\t"


def test_an_option_without_meaning_for_the_format_is_refused() -> None:
    with pytest.raises(MappingInvalid, match=r"file\.sheet"):
        refuse_unused(FileOptions(sheet="Users"), "csv")
    refuse_unused(FileOptions(sheet="Users"), "xlsx")
