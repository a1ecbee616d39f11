"""A mapping document, and the numbers of an import, in words.

Pure: documents in, text out. Owns how a mapping is told to people who never saw its notation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from grantline.mapping.targets import target
from grantline.web import words

INTERVALS = (
    (900, "Every 15 minutes"),
    (1800, "Every 30 minutes"),
    (3600, "Every hour"),
    (4 * 3600, "Every 4 hours"),
    (12 * 3600, "Every 12 hours"),
    (86400, "Every day"),
    (7 * 86400, "Every 7 days"),
)

STALE_AFTER = (
    ("", "Say nothing"),
    (86400, "1 day"),
    (2 * 86400, "2 days"),
    (7 * 86400, "7 days"),
    (14 * 86400, "14 days"),
    (31 * 86400, "31 days"),
    (92 * 86400, "92 days"),
)

_FILE_WORDS = {
    "format": "format",
    "encoding": "encoding",
    "delimiter": "delimiter",
    "quote": "quote",
    "escape": "escape",
    "header_row": "header in line",
    "names": "column names",
    "sheet": "sheet",
    "records": "path of the records",
    "comment": "comments begin with",
    "skip_rows_starting_with": "rows left out that begin with",
    "stop_at_row_starting_with": "reading stops at a row that begins with",
    "skip_last": "rows left out at the end",
    "count_row": "row that states the count begins with",
    "fill_down": "columns filled down",
    "fill_merged": "merged cells count for each row",
    "displayed_text": "cells as they are displayed",
    "protective_prefix": "character before each cell",
    "items": "value of the objects in a list",
    "member": "file inside the ZIP",
}
DELIMITER_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe", " ": "space"}
_OPERATORS = {"equals": "is", "differs": "is not", "in": "is one of", "not_in": "is none of"}


@dataclass(frozen=True)
class ColumnWords:
    """One column and what it becomes."""

    source: str
    becomes: str
    options: tuple[str, ...] = ()


def column_words(mapping: Mapping[str, Any] | None) -> list[ColumnWords]:
    """Every column of the mapping in words, in its order."""
    return [_column(column) for column in (mapping or {}).get("columns") or ()]


def other_words(mapping: Mapping[str, Any] | None) -> list[str]:
    """What the mapping says beside its columns: one sentence each."""
    document = mapping or {}
    said = []
    if document.get("mode") == "delta":
        said.append("Each file holds changes only; rows it does not name stay as they are.")
    if document.get("sources"):
        said.append(f"It describes {len(document['sources'])} files or sheets, each with columns of its own.")
    if document.get("ready"):
        said.append(f"The folder is read once it holds {document['ready']}.")
    for name, value in (document.get("file") or {}).items():
        said.append(f"{_FILE_WORDS.get(name, name).capitalize()}: {shown_value(name, value)}.")
    for name, value in (document.get("constants") or {}).items():
        said.append(f"{target_label(name)} is always “{value}”.")
    said += [condition_words(item) for item in document.get("where") or ()]
    return said


def target_label(name: str) -> str:
    """The words of a target; a profile target is an attribute of that name."""
    found = target(name)
    if found is None:
        return name
    return f"Attribute “{found.label}”" if name.startswith("profile.") else found.label


def shown_value(name: str, value: Any) -> str:
    """The value of an option of the file section, in words."""
    if name == "delimiter":
        return DELIMITER_NAMES.get(value, str(value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {text}" for key, text in value.items())
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return "none" if value is None else str(value)


def interval_words(seconds: int) -> str:
    """`Every hour`; an interval that is not in the list in its own words."""
    return dict(INTERVALS).get(seconds) or f"Every {words.duration(seconds)}"


def interval_options(seconds: int) -> list[tuple[int, str]]:
    """The choices for the interval, the present one among them."""
    known = [*INTERVALS]
    if seconds not in dict(known):
        known.append((seconds, interval_words(seconds)))
    return sorted(known)


def stale_options(seconds: int | None) -> list[tuple[int | str, str]]:
    """The choices for what is normal, the present one among them."""
    known: list[tuple[int | str, str]] = [*STALE_AFTER]
    if seconds is not None and seconds not in dict(known):
        known.append((seconds, words.duration(seconds)))
    return known


def _column(column: Mapping[str, Any]) -> ColumnWords:
    name = str(column.get("to", ""))
    kind = column.get("resource_type")
    becomes = f"Entitlements of type “{kind or 'group'}”" if name == "entitlements" else target_label(name)
    options = []
    if column.get("split"):
        options.append(f"values split at “{column['split']}”")
    if column.get("parts"):
        options.append(f"each value is resource and entitlement, divided by “{column['parts']}”")
    if column.get("date"):
        options.append(f"dates as {column['date']}")
    if column.get("zone"):
        options.append(f"times in {column['zone']}")
    if column.get("serials"):
        options.append("plain numbers are a spreadsheet’s days")
    if column.get("pattern"):
        options.append(f"each cell must match {column['pattern']}")
    if column.get("nulls"):
        options.append("empty if " + ", ".join(f"“{word}”" for word in column["nulls"]))
    if column.get("map"):
        options += [f"“{old}” means {new}" for old, new in column["map"].items()]
    if column.get("case") == "sensitive":
        options.append("letter case matters")
    return ColumnWords(str(column.get("source", "")), becomes, tuple(options))


def condition_words(item: Mapping[str, Any]) -> str:
    """One condition in a sentence."""
    column = item.get("column")
    if "is" in item:
        return f"Only rows where “{column}” is {item['is']}."
    for name, word in _OPERATORS.items():
        if name in item:
            value = item[name]
            shown = ", ".join(f"“{one}”" for one in value) if isinstance(value, list) else f"“{value}”"
            return f"Only rows where “{column}” {word} {shown}."
    return f"Only some rows, by “{column}”."
