"""The mapping editor: a preview becomes fields, each problem at the place it is about.

Pure: documents in, an `Editor` out. `mapping_form` is the way back. A problem is told in the words of the
mapping document (or of the file's reader) and stands at its column, its fact, its condition or its
constant; only what is about none of them stands above. As YAML it stands at its line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from grantline.mapping.notation import line_of, write_text
from grantline.web.imports.column_fields import option_fields
from grantline.web.imports.columns import ColumnField, column_of, layout_of
from grantline.web.imports.fields import MODES, ConditionRow, ConstantRow, Field
from grantline.web.imports.file_fields import FACTS, FIRST, MORE, file_fields
from grantline.web.imports.row_fields import condition_rows, constant_rows

_NUMBERED = re.compile(r"columns\[(\d{1,4})\]")
"""How `mapping.document` names a column in a message."""
_TARGETED = re.compile(r"^([a-z_]+(?:\.[a-z_]+)?) is mapped, but ")
"""How `mapping.plan` names a target that would have no effect."""


@dataclass(frozen=True)
class Editor:
    """Everything the mapping editor shows.

    `names` and `base` (the mapping shown) are JSON text in ASCII, which no browser changes on its way back.
    """

    facts: tuple[Field, ...]
    more_facts: tuple[Field, ...]
    columns: tuple[ColumnField, ...]
    conditions: tuple[ConditionRow, ...]
    constants: tuple[ConstantRow, ...]
    mode: Field
    ready: Field | None
    names: str
    column_names: tuple[str, ...]
    slots: str
    width: int
    base: str
    source_count: int
    text: str
    line: int | None = None
    error: str = ""
    remedy: str = ""

    @property
    def opens_more(self) -> bool:
        """Whether a problem stands among the facts that are folded away."""
        return any(fact.error for fact in self.more_facts)

    @property
    def opens_rows(self) -> bool:
        """Whether a problem stands among the conditions and constants."""
        errors = [row.error for row in self.conditions] + [row.error for row in self.constants]
        errors += [self.mode.error, self.ready.error if self.ready is not None else ""]
        return any(errors)


def editor_of(
    preview: Mapping[str, Any],
    chosen: Mapping[str, Any] | None,
    error: Mapping[str, Any] | None,
    *,
    text: str | None = None,
    is_folder: bool = False,
) -> Editor:
    """The editor of a preview.

    `chosen` is the mapping as the person chose it, where it is not what the preview was made with (it
    was refused). `error` is an error document; it stands at the place it is about. `text` is the YAML as
    it was typed.
    """
    document = chosen if chosen is not None else preview.get("mapping") or {}
    problem = error or preview.get("error") or {}
    message = str(problem.get("message") or "")
    layout = layout_of([str(row.get("name", "")) for row in preview.get("columns") or ()], document)
    shown = preview if chosen is None else {**preview, "columns": _without_targets(preview)}
    columns = tuple(column_of(index, slot, layout, shown, document) for index, slot in enumerate(layout.slots))
    place = _place_of(problem, columns)
    found, file = preview.get("format") or {}, document.get("file") or {}
    written = text if text is not None else write_text(document)
    editor = Editor(
        facts=file_fields(FIRST, found, file, place, message),
        more_facts=file_fields(MORE, found, file, place, message),
        columns=tuple(_with_error(column, document, place, message) for column in columns),
        conditions=condition_rows(document.get("where") or (), layout.names, message),
        constants=constant_rows(document.get("constants") or {}, message),
        mode=_mode(document, message),
        ready=_ready(document, message, is_folder),
        names=json.dumps(layout.names),
        column_names=tuple(layout.names),
        slots=json.dumps([slot.place for slot in layout.slots]),
        width=layout.width,
        base=json.dumps(document),
        source_count=len(document.get("sources") or ()),
        text=written,
        line=line_of(written, message, problem.get("column")) if message else None,
        remedy=str(problem.get("remedy") or ""),
    )
    return editor if place or editor.opens_rows else replace(editor, error=message)


def _without_targets(preview: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The columns without what was proposed: a refused mapping is shown as it was chosen."""
    return [{**row, "target": None} for row in preview.get("columns") or ()]


def _mode(document: Mapping[str, Any], message: str) -> Field:
    value = str(document.get("mode") or "full")
    options = MODES if value in dict(MODES) else (*MODES, (value, value))
    return Field(
        "mode", "The file holds", value, "select", options, error=message if message.startswith("mode:") else ""
    )


def _ready(document: Mapping[str, Any], message: str, is_folder: bool) -> Field | None:
    value = str(document.get("ready") or "")
    if not is_folder and not value:
        return None
    error = message if message.startswith("ready:") else ""
    return Field("ready", "Wait for this file", value, hint="Of all files of a folder, such as _SUCCESS", error=error)


def _with_error(column: ColumnField, document: Mapping[str, Any], place: str, message: str) -> ColumnField:
    if place != f"row:{column.index}":
        return column
    rule = document["columns"][column.rule_index] if column.rule_index is not None else {}
    numbered = _NUMBERED.match(message)
    return replace(
        column,
        error=message,
        options=option_fields(column.index, rule, message),
        is_open=column.is_open or bool(numbered and column.options),
    )


def _place_of(problem: Mapping[str, Any], columns: tuple[ColumnField, ...]) -> str:
    """`row:<index>`, `fact:<name>`, or empty where the problem is about neither."""
    message = str(problem.get("message") or "")
    numbered = _NUMBERED.match(message)
    if numbered:
        return _row(columns, lambda column: column.rule_index == int(numbered[1]))
    targeted = _TARGETED.match(message)
    if targeted and (found := _row(columns, lambda column: column.target == targeted[1])):
        return found
    if message.startswith("A column is mapped to entitlements"):
        return _row(columns, lambda column: column.target == "entitlements")
    if problem.get("column") and (found := _row(columns, lambda column: column.name == problem["column"])):
        return found
    said = f"{message} {problem.get('remedy') or ''}"
    named = next((fact for fact in FACTS if re.search(rf"\bfile\.{fact}\b", said)), None)
    if named:
        return f"fact:{named}"
    return {"file_encoding": "fact:encoding"}.get(str(problem.get("code")), "")


def _row(columns: tuple[ColumnField, ...], is_it: Any) -> str:
    return next((f"row:{column.index}" for column in columns if is_it(column)), "")
