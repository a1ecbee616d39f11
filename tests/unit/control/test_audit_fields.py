"""Every field that the code records is classified, so that none is hidden by mistake."""

from __future__ import annotations

import ast
from pathlib import Path

from grantline.control.audit.fields import DOCUMENTS, HIDDEN, PUBLIC, readable

ROOT = Path(__file__).parents[3] / "src" / "grantline"
NEVER_PUBLIC = ("password", "secret", "token", "digest", "hash", "credential", "session_key", "sealed", "recovery")


def recorded_fields() -> dict[str, str]:
    """The keys of every document written out in a call of `record`, or given a name just before it."""
    found: dict[str, str] = {}
    for path in ROOT.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for function in ast.walk(tree):
            if not isinstance(function, ast.FunctionDef):
                continue
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "record":
                    for keyword in node.keywords:
                        if keyword.arg in ("before", "after"):
                            for key in _keys(function, keyword.value):
                                found[key] = f"{path.relative_to(ROOT)}:{node.lineno}"
    return found


def _keys(function: ast.FunctionDef, value: ast.expr) -> list[str]:
    if isinstance(value, ast.Dict):
        return [key.value for key in value.keys if isinstance(key, ast.Constant)]
    if isinstance(value, ast.Name):
        return [
            key
            for node in ast.walk(function)
            if isinstance(node, ast.Assign) and any(getattr(target, "id", "") == value.id for target in node.targets)
            if isinstance(node.value, ast.Dict)
            for key in _keys(function, node.value)
        ]
    return []


def test_every_recorded_field_is_classified() -> None:
    found = recorded_fields()
    assert {"external_id", "reason", "role", "run"} <= set(found)
    assert {key: place for key, place in found.items() if key not in PUBLIC | DOCUMENTS} == {}


def test_nothing_that_sounds_secret_is_public() -> None:
    suspects = {name for name in PUBLIC | DOCUMENTS if any(part in name for part in NEVER_PUBLIC)}
    assert suspects == {"tokens"}  # how many tokens ended with a membership: a number


def test_an_unclassified_field_counts_as_secret() -> None:
    assert readable({"new_field": "value", "name": "Payroll"}) == {"new_field": HIDDEN, "name": "Payroll"}
    assert readable(None) is None
