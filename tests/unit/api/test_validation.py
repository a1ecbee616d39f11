"""Findings of the schema, in words."""

from __future__ import annotations

from typing import Any

from grantline.api.validation import explained


def finding(kind: str, *loc: str, msg: str = "pydantic says so") -> dict[str, Any]:
    return {"type": kind, "loc": loc, "msg": msg}


def test_a_field_of_the_body_is_named_without_our_parameter() -> None:
    error = explained([finding("missing", "body", "body", "name")])
    assert error.fields == {"name": "This field is required."}
    assert error.message == "name: This field is required."


def test_a_place_deep_in_the_body_is_named() -> None:
    assert list(explained([finding("int_type", "body", "body", "days", "0")]).fields) == ["days.0"]


def test_the_whole_body_is_named() -> None:
    assert list(explained([finding("missing", "body", "body")]).fields) == ["body"]


def test_a_query_parameter_is_named() -> None:
    assert list(explained([finding("int_parsing", "query", "limit")]).fields) == ["limit"]


def test_several_are_counted_and_named() -> None:
    error = explained([finding("missing", "body", "body", "key"), finding("string_type", "body", "body", "name")])
    assert error.message == "2 fields are not valid: key, name."


def test_what_is_not_known_is_told_as_pydantic_words_it() -> None:
    error = explained([finding("literal_error", "query", "format", msg="Input should be 'json' or 'cli'")])
    assert error.fields["format"] == "Input should be 'json' or 'cli'."


def test_an_external_id_has_a_remedy_of_its_own() -> None:
    assert "never taken" in explained([finding("extra_forbidden", "body", "body", "external_id")]).remedy
