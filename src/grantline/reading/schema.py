"""The JSON Schema of a mapping (draft 2020-12), made from the same lists that check one.

In: nothing. Out: the schema as plain data, for editors, the API and the documentation. What it accepts
is a little more than `mapping.document.load` does: options that contradict each other, or have no effect
where they stand, are only told apart there. What it refuses is refused there too.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from grantline.formats.options import FORMATS, HEADER_ROW_LIMIT, FileOptions
from grantline.mapping.dates import KINDS
from grantline.mapping.document import (
    COLUMN_OPTIONS,
    COLUMNS_LIMIT,
    OPTIONS,
    SOURCE_OPTIONS,
    SOURCES_LIMIT,
    WHERE_OPTIONS,
)
from grantline.mapping.targets import PROFILE, TARGETS
from grantline.reading.schema_words import COLUMN_WORDS, FILE_WORDS, OPTION_WORDS, SOURCE_WORDS, WHERE_WORDS

DRAFT = "https://json-schema.org/draft/2020-12/schema"
ID = "https://grantline.example.com/schemas/mapping.schema.json"

WORD = {"type": ["string", "integer", "boolean"]}
"""A text, or what YAML and JSON make of one: it is compared as text."""
WORDS = {"type": "array", "items": WORD, "maxItems": 10_000}
TEXT = {"type": "string", "minLength": 1}
OPTIONAL_TEXT = {"type": ["string", "null"], "minLength": 1}
CHARACTER = {"type": ["string", "null"], "minLength": 1, "maxLength": 1}


def mapping_schema() -> dict[str, Any]:
    """The whole schema."""
    return {
        "$schema": DRAFT,
        "$id": ID,
        "title": "Grantline mapping",
        "description": "What the columns of a file become. YAML or JSON.",
        **_group(OPTIONS, OPTION_WORDS, _options()),
        "$defs": {
            "file": _group([field.name for field in fields(FileOptions)], FILE_WORDS, _file()),
            "column": _group(COLUMN_OPTIONS, COLUMN_WORDS, _column()) | {"required": ["source", "to"]},
            "columns": {"type": ["array", "null"], "items": {"$ref": "#/$defs/column"}, "maxItems": COLUMNS_LIMIT},
            "condition": _group(WHERE_OPTIONS, WHERE_WORDS, _condition())
            | {"required": ["column"], "minProperties": 2},
            "where": {"type": ["array", "null"], "items": {"$ref": "#/$defs/condition"}},
            "source": _group(SOURCE_OPTIONS, SOURCE_WORDS, _source())
            | {"oneOf": [{"required": ["match"]}, {"required": ["sheet"]}]},
            "target": _target(),
            "constants": {
                "type": ["object", "null"],
                "propertyNames": {"$ref": "#/$defs/target"},
                "additionalProperties": WORD,
            },
        },
    }


def _group(names: Any, words: dict[str, str], properties: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """An object with exactly these properties, in the order of the code's list, each with its words."""
    return {
        "type": "object",
        "properties": {name: {"description": words[name], **properties[name]} for name in names},
        "additionalProperties": False,
    }


def _options() -> dict[str, dict[str, Any]]:
    return {
        "version": {"enum": [1, "1"]},
        "file": {"anyOf": [{"$ref": "#/$defs/file"}, {"type": "null"}]},
        "mode": {"enum": ["full", "delta"], "default": "full"},
        "columns": {"$ref": "#/$defs/columns"},
        "constants": {"$ref": "#/$defs/constants"},
        "where": {"$ref": "#/$defs/where"},
        "sources": {
            "type": ["array", "null"],
            "items": {"$ref": "#/$defs/source"},
            "minItems": 1,
            "maxItems": SOURCES_LIMIT,
        },
        "ready": OPTIONAL_TEXT,
    }


def _source() -> dict[str, dict[str, Any]]:
    whole = _options()
    return {
        "match": TEXT,
        "sheet": TEXT,
        **{name: whole[name] for name in ("file", "columns", "constants", "where")},
    }


def _target() -> dict[str, Any]:
    return {
        "anyOf": [
            {"enum": list(TARGETS)},
            {"type": "string", "pattern": f"^(account\\.)?{PROFILE.removesuffix('.')}\\.[^\\s.].{{0,99}}$"},
        ]
    }


def _column() -> dict[str, dict[str, Any]]:
    separator = {"type": ["string", "integer", "null"], "minLength": 1, "maxLength": 10}
    return {
        "source": WORD,
        "to": {"$ref": "#/$defs/target"},
        "resource_type": {"type": ["string", "integer", "boolean", "null"]},
        "split": separator,
        "parts": separator,
        "date": {"anyOf": [{"enum": ["auto", *KINDS, None]}, {"type": "string", "pattern": "%"}]},
        "zone": {"type": ["string", "null"], "minLength": 1},
        "serials": {"type": ["boolean", "null"]},
        "pattern": {"type": ["string", "integer", "null"]},
        "nulls": WORDS | {"type": ["array", "null"]},
        "map": {"type": ["object", "null"], "additionalProperties": WORD, "minProperties": 1, "maxProperties": 10_000},
        "case": {"enum": ["sensitive", "insensitive", None]},
    }


def _condition() -> dict[str, dict[str, Any]]:
    return {
        "column": WORD,
        "is": {"enum": ["empty", "filled", "not_empty", "not empty"]},
        "equals": WORD,
        "differs": WORD,
        "in": WORDS,
        "not_in": WORDS,
    }


def _file() -> dict[str, dict[str, Any]]:
    texts = {"type": "array", "items": TEXT}
    return {
        "format": {"enum": list(FORMATS), "default": "auto"},
        "encoding": {"type": "string", "minLength": 1, "default": "auto"},
        "delimiter": {"type": "string", "minLength": 1, "default": "auto"},
        "quote": CHARACTER | {"default": '"'},
        "escape": CHARACTER,
        "header_row": {
            "anyOf": [{"enum": ["auto", None]}, {"type": "integer", "minimum": 1, "maximum": HEADER_ROW_LIMIT}],
            "default": "auto",
        },
        "names": {"type": ["array", "null"], "items": TEXT, "minItems": 1},
        "skip_rows_starting_with": texts,
        "stop_at_row_starting_with": OPTIONAL_TEXT,
        "skip_last": {"type": "integer", "minimum": 0, "maximum": 10_000, "default": 0},
        "comment": OPTIONAL_TEXT,
        "count_row": OPTIONAL_TEXT,
        "sheet": OPTIONAL_TEXT,
        "fill_merged": {"type": "boolean", "default": False},
        "fill_down": texts,
        "displayed_text": {"type": "boolean", "default": False},
        "protective_prefix": {"anyOf": [CHARACTER, {"const": "formulas"}]},
        "records": OPTIONAL_TEXT,
        "items": {"type": "object", "additionalProperties": TEXT, "minProperties": 1},
        "member": OPTIONAL_TEXT,
    }


if __name__ == "__main__":
    import json
    import sys

    sys.stdout.write(json.dumps(mapping_schema(), indent=2) + "\n")
