"""The `file` section of a mapping as fields of the editor, and back.

Pure. Every option of the section has a field; it is shown where it has a meaning for the format that was
found, and where it is set. Invariant: a field that is sent as it was shown leaves its option as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from grantline.formats.options import UNUSED
from grantline.web.imports.fields import (
    DELIMITERS,
    ENCODINGS,
    FORMATS,
    SWITCH,
    Choices,
    Field,
    Kind,
    fits_a_line,
    fits_lines,
    lines,
)

NO_HEADER = ("none", "no", "0")
"""What somebody writes for *this file has no header*; its columns are numbered then."""
_MISSING = object()
_RESHAPING = ("format", "delimiter", "header_row", "sheet", "encoding", "records", "items", "member")


@dataclass(frozen=True)
class Fact:
    """One option of the section: its words, how a value is shown, and how the text is read."""

    name: str
    label: str
    kind: Kind = "text"
    options: Choices = ()
    hint: str = ""
    placeholder: str = ""
    show: Callable[[Any], str] = lambda value: "" if value is None or value == "auto" else str(value)
    read: Callable[[str], Any] = lambda text: text or _MISSING
    default: Any = None


def _number(text: str) -> Any:
    stripped = text.strip()
    if not stripped:
        return _MISSING
    return int(stripped) if stripped.isascii() and stripped.isdigit() else stripped


def _choice(text: str) -> Any:
    return _MISSING if text in ("", "auto") else "\t" if text == "tab" else text


def _show_choice(value: Any) -> str:
    return "auto" if value in (None, "auto") else "tab" if value == "\t" else str(value)


def _header_row(text: str) -> Any:
    if text.strip().lower() in NO_HEADER:
        return None
    return _MISSING if text.strip() in ("", "auto") else _number(text)


def _character(text: str) -> Any:
    return None if text.strip().lower() == "none" else text or _MISSING


def _show_lines(value: Any) -> str:
    return "\n".join(str(item) for item in value or ())


def _read_lines(text: str) -> Any:
    return lines(text) or _MISSING


def _show_items(value: Any) -> str:
    return "\n".join(f"{column}: {key}" for column, key in sorted((value or {}).items()))


def _read_items(text: str) -> Any:
    pairs = (line.rpartition(":") for line in lines(text))
    return {column.strip(): key.strip() for column, _, key in pairs} or _MISSING


def _lines_fact(name: str, label: str, hint: str) -> Fact:
    return Fact(name, label, "lines", hint=hint, show=_show_lines, read=_read_lines)


def _switch_fact(name: str, label: str, hint: str) -> Fact:
    return Fact(
        name,
        label,
        "select",
        SWITCH,
        hint,
        show=lambda value: "true" if value else "",
        read=lambda text: True if text == "true" else _MISSING,
        default=False,
    )


def _list_fact(name: str, label: str, options: Choices) -> Fact:
    return Fact(name, label, "select", options, show=_show_choice, read=_choice, default="auto")


FIRST = (
    _list_fact("format", "Format", FORMATS),
    _list_fact("encoding", "Encoding", ENCODINGS),
    _list_fact("delimiter", "Delimiter", DELIMITERS),
    Fact(
        "header_row",
        "Header in line",
        hint="“none” if it has no header",
        show=lambda value: "none" if value is None else "" if value == "auto" else str(value),
        read=_header_row,
        default="auto",
    ),
    Fact("sheet", "Sheet"),
    Fact("records", "Path of the records", hint="Like data.items"),
)
"""The facts that stand on top."""

MORE = (
    Fact(
        "quote",
        "Quote",
        hint="One character; “none” if there are no quotes",
        placeholder='"',
        show=lambda value: "none" if value is None else "" if value == '"' else str(value),
        read=_character,
        default='"',
    ),
    Fact("escape", "Escape", hint="One character before a quote; blank: a quote is doubled", placeholder="None"),
    _lines_fact("names", "Column names", "One a line: for a file without a header, or in place of its own"),
    _lines_fact("skip_rows_starting_with", "Leave out rows that begin with", "One beginning a line"),
    Fact("stop_at_row_starting_with", "Stop before the row that begins with", hint="Such as Total"),
    Fact(
        "skip_last",
        "Leave out at the end (rows)",
        placeholder="0",
        show=lambda value: str(value or ""),
        read=_number,
        default=0,
    ),
    Fact("comment", "Comments begin with", hint="Such as #"),
    Fact("count_row", "Row that states the count begins with", hint="Such as EOF|; another count refuses the file"),
    _lines_fact("fill_down", "Fill down these columns", "One a line: a blank cell takes the value above it"),
    _switch_fact("fill_merged", "Merged cells count for each row", "For workbooks"),
    _switch_fact("displayed_text", "Take cells as they are displayed", "For workbooks: 00042 instead of 42"),
    Fact("protective_prefix", "Character before each cell", hint="Or “formulas”: an apostrophe before a formula"),
    Fact(
        "items",
        "Value of the objects in a list",
        "lines",
        hint="One a line, column and key, like groups: id",
        show=_show_items,
        read=_read_items,
    ),
    Fact("member", "File inside the ZIP", hint="Its name or a pattern"),
)
"""The facts behind *More about the file*."""

FACTS = {fact.name: fact for fact in (*FIRST, *MORE)}
_ON_TOP = {"encoding": ("csv", "json", "jsonl"), "records": ("json",)}
_FOUND = {"format": "type", **{name: name for name in ("header_row", "sheet", "encoding", "delimiter")}}
"""Facts that reading finds out by itself, by what the preview calls them."""


def file_fields(
    facts: tuple[Fact, ...], found: Mapping[str, Any], file: Mapping[str, Any], place: str, message: str
) -> tuple[Field, ...]:
    """The fields of `facts` that can matter: those with a meaning for the format, and those that are set."""
    kind = str(found.get("type") or file.get("format") or "")
    unused = UNUSED.get(kind, ()) if kind else ("sheet", "records")
    names = [fact for fact in facts if fact.name in file or (fact.name not in unused and _matters(fact.name, kind))]
    return tuple(_field(fact, found, file, message if place == f"fact:{fact.name}" else "") for fact in names)


def read_file_section(base: Mapping[str, Any], posted: Mapping[str, str], column_count: int) -> dict[str, Any]:
    """The section as the form says; what it has no field for stays."""
    file = dict(base)
    for fact in FACTS.values():
        text = posted.get(f"file.{fact.name}")
        if text is None:
            continue
        value = fact.read(text)
        if value is _MISSING:
            file.pop(fact.name, None)
        else:
            file[fact.name] = value
    had, has = base.get("header_row", "auto") is not None, file.get("header_row", "auto") is not None
    if has and not had:
        file.pop("names", None)
    if had and not has and "names" not in file:
        file["names"] = [f"Column {number}" for number in range(1, column_count + 1)]
    return file


def is_reshaped(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether the columns are others than before, so that they must be proposed anew."""
    if [before.get(name, "auto") for name in _RESHAPING] != [after.get(name, "auto") for name in _RESHAPING]:
        return True
    old, new = before.get("names") or [], after.get("names") or []
    return len(old) != len(new)


def _matters(name: str, kind: str) -> bool:
    if kind == "c1z":
        return name == "format"
    return kind in _ON_TOP.get(name, (kind,)) or not kind


def _field(fact: Fact, found: Mapping[str, Any], file: Mapping[str, Any], error: str) -> Field:
    value = file.get(fact.name, fact.default)
    name = f"file.{fact.name}"
    text = fact.show(value)
    fits = fits_lines(lines(text)) or not text if fact.kind == "lines" else fits_a_line(text)
    if not fits or not _same(fact, value, fact.read(text)):
        return Field(name, fact.label, "Set in the YAML", "note", error=error)
    seen = _found_words(fact.name, found.get(_FOUND.get(fact.name, "")))
    options = fact.options
    if seen and options and options[0][0] == "auto":
        options = (("auto", f"{seen} (found)"), *options[1:])
    if options and text not in dict(options):
        options = (*options, (text, text))
    placeholder = f"{seen} (found)" if seen else fact.placeholder or ("Found by itself" if fact in FIRST else "")
    return Field(name, fact.label, text, fact.kind, options, fact.hint, placeholder, error=error)


def _same(fact: Fact, value: Any, read: Any) -> bool:
    if read is _MISSING:
        return value in (fact.default, None, (), [], {}, "auto")
    return bool(read == (list(value) if isinstance(value, tuple) else value))


def _found_words(name: str, seen: Any) -> str:
    if seen in (None, ""):
        return ""
    if name == "delimiter":
        return dict([("\t", "Tab"), *DELIMITERS]).get(seen, str(seen))
    return str(seen).upper() if name in ("format", "encoding") else str(seen)
