from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from grantline.mapping.notation import read_text
from grantline.reading import as_mapping
from grantline.reading.schema import mapping_schema

ROOT = Path(__file__).parent.parent.parent
PUBLISHED = ROOT / "docs" / "reference" / "mapping.schema.json"
VALIDATOR = Draft202012Validator(mapping_schema())
SHOWN = sorted(ROOT.glob("tests/scenarios/*/mapping.yaml"))
REFUSED = {"unknown-column-option", "unknown-setting"}


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(mapping_schema())


def test_the_published_file_is_what_the_code_says() -> None:
    """Made by: python -m grantline.reading.schema > docs/reference/mapping.schema.json"""
    assert json.loads(PUBLISHED.read_text(encoding="utf-8")) == mapping_schema()


@pytest.mark.parametrize("path", SHOWN, ids=lambda path: path.parent.name)
def test_every_scenario_s_mapping(path: Path) -> None:
    errors = list(VALIDATOR.iter_errors(read_text(path.read_text(encoding="utf-8"))))
    assert bool(errors) == (path.parent.name in REFUSED), errors


@pytest.mark.parametrize(
    "document",
    [
        {"version": 2},
        {"version": 1, "nonsense": 1},
        {"version": 1, "columns": [{"source": "a"}]},
        {"version": 1, "columns": [{"source": "a", "to": "account.nonsense"}]},
        {"version": 1, "columns": [{"source": "a", "to": "account.id", "case": "lower"}]},
        {"version": 1, "file": {"skip_last": -1}},
        {"version": 1, "sources": [{"columns": []}]},
        {"version": 1, "where": [{"column": "a"}]},
    ],
)
def test_what_the_schema_refuses_the_reader_refuses_too(document: dict[str, Any]) -> None:
    assert not VALIDATOR.is_valid(document)
    with pytest.raises(Exception, match="."):
        as_mapping(document)
