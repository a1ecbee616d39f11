"""Conditions and constants of a mapping as rows of fields, and back.

Pure. Each list ends with an empty row to fill in. A row that fields cannot hold is told in words and stays
as it is until it is removed or changed as YAML.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from grantline.mapping.document import may_be_constant
from grantline.mapping.targets import TARGETS
from grantline.web.imports.fields import ConditionRow, ConstantRow, fits_a_line, fits_lines, lines
from grantline.web.imports.words import condition_words, target_label

_WHERE = re.compile(r"where\[(\d{1,4})\]")


def condition_rows(where: Sequence[Mapping[str, Any]], names: Sequence[str], message: str) -> tuple[ConditionRow, ...]:
    """The conditions; columns by their number among `names`."""
    named = _WHERE.match(message)
    wrong = int(named[1]) if named else -1
    rows = [
        _condition(place, condition, names, message if place == wrong else "") for place, condition in enumerate(where)
    ]
    return (*rows, ConditionRow(f"where.{len(rows)}", "", "empty", "", is_new=True))


def read_conditions(
    where: Sequence[Mapping[str, Any]], names: Sequence[str], posted: Mapping[str, str], removed: str
) -> list[dict[str, Any]]:
    """The conditions that the form describes."""
    found: list[dict[str, Any]] = []
    place = 0
    while place < len(where) or f"where.{place}.column" in posted:
        row = f"where.{place}"
        text = posted.get(f"{row}.column")
        if row == removed:
            pass
        elif text is None and place < len(where):
            found.append(dict(where[place]))
        elif text and text.isascii() and text.isdigit() and int(text) < len(names):
            found.append(_read_condition(names[int(text)], posted, row))
        place += 1
    return found


def constant_rows(constants: Mapping[str, Any], message: str) -> tuple[ConstantRow, ...]:
    """The constants by target."""
    rows = []
    for place, (to, value) in enumerate(constants.items()):
        error = message if message.startswith(f"constants.{to}:") else ""
        words = "" if fits_a_line(value) else f"{target_label(to)}, set in the YAML"
        rows.append(ConstantRow(f"constants.{place}", to, str(value), _targets(to), words=words, error=error))
    return (*rows, ConstantRow(f"constants.{len(rows)}", "", "", _targets(""), is_new=True))


def read_constants(constants: Mapping[str, Any], posted: Mapping[str, str], removed: str) -> dict[str, Any]:
    """The constants that the form describes."""
    known = list(constants.items())
    found: dict[str, Any] = {}
    place = 0
    while place < len(known) or f"constants.{place}.to" in posted:
        row = f"constants.{place}"
        text = posted.get(f"{row}.to")
        if row == removed:
            pass
        elif text is None and place < len(known):
            found[known[place][0]] = known[place][1]
        elif text:
            found[text] = posted.get(f"{row}.value", "")
        place += 1
    return found


def _condition(place: int, condition: Mapping[str, Any], names: Sequence[str], error: str) -> ConditionRow:
    column = str(condition.get("column", ""))
    row, number = f"where.{place}", names.index(column) if column in names else None
    operator, value = _test_of(condition)
    is_list = isinstance(value, (list, tuple))
    if number is None or not (fits_lines(value) if is_list else fits_a_line(value)):
        return ConditionRow(row, "", operator, "", words=condition_words(condition), error=error)
    return ConditionRow(row, str(number), operator, "\n".join(value) if is_list else str(value), error=error)


def _test_of(condition: Mapping[str, Any]) -> tuple[str, Any]:
    if "is" in condition:
        return ("empty" if condition["is"] == "empty" else "filled"), ""
    return next(((name, condition[name]) for name in condition if name != "column"), ("empty", ""))


def _read_condition(column: str, posted: Mapping[str, str], row: str) -> dict[str, Any]:
    operator, text = posted.get(f"{row}.operator", "empty"), posted.get(f"{row}.values", "")
    if operator in ("empty", "filled"):
        return {"column": column, "is": operator}
    words = lines(text)
    if operator in ("in", "not_in"):
        return {"column": column, operator: words or [""]}
    return {"column": column, operator: "\n".join(words)}


def _targets(chosen: str) -> tuple[tuple[str, str], ...]:
    names = [name for name in TARGETS if may_be_constant(name)]
    if chosen and chosen not in names:
        names.append(chosen)
    return tuple((name, target_label(name)) for name in names)
