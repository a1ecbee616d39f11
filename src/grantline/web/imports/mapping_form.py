"""The mapping editor: a preview as fields of a form, and the form back as a mapping document.

Pure: documents and posted fields in, documents out. What the form has no field for (dates, zones, words
that mean empty, conditions, constants) is kept from the mapping that was shown, as long as it still fits
its column's target. A change of what the file *is* (delimiter, header row, sheet) drops the columns, as
they are other ones then and are proposed anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from grantline.mapping.targets import TARGETS, target
from grantline.web.imports.words import target_label

FACTS = ("format", "encoding", "delimiter", "header_row", "sheet")
"""Options of the file section that have a field."""
NO_HEADER = ("none", "no", "0")
"""What somebody writes for *this file has no header*; its columns are numbered then."""
_RESHAPING = ("format", "delimiter", "header_row", "sheet", "encoding")
_LIST_OPTIONS = ("resource_type", "split", "parts")
_NUMBERED = re.compile(r"columns\[(\d{1,4})\]")
"""How `mapping.document` names a column in a message."""
_GROUPS = (("account.", "Account"), ("entitlement", "Entitlement"), ("resource.", "Entitlement"), ("grant.", "Grant"))

DELIMITERS = (("auto", "Found by itself"), (",", "Comma"), (";", "Semicolon"), ("tab", "Tab"), ("|", "Pipe"))
ENCODINGS = (
    ("auto", "Found by itself"),
    ("utf-8", "UTF-8"),
    ("utf-16", "UTF-16"),
    ("windows-1252", "Windows-1252"),
    ("iso-8859-15", "ISO 8859-15"),
    ("windows-1250", "Windows-1250"),
    ("windows-1251", "Windows-1251"),
    ("shift_jis", "Shift JIS"),
)
FORMATS = (
    ("auto", "Found by itself"),
    ("csv", "CSV"),
    ("xlsx", "Workbook (XLSX)"),
    ("json", "JSON"),
    ("jsonl", "JSON lines"),
    ("parquet", "Parquet"),
    ("c1z", "c1z"),
)


@dataclass(frozen=True)
class ColumnField:
    """One column of the file as the editor shows it."""

    index: int
    name: str
    samples: tuple[str, ...]
    filled_share: float | None
    target: str
    reason: str
    resource_type: str
    split: str
    options: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    error: str = ""

    @property
    def is_list(self) -> bool:
        """Whether its cells are lists of entitlements."""
        return self.target == "entitlements"


@dataclass(frozen=True)
class FactField:
    """One fact about the file that can be changed."""

    name: str
    label: str
    value: str
    found: str
    options: tuple[tuple[str, str], ...] = ()
    error: str = ""


@dataclass(frozen=True)
class Editor:
    """Everything the mapping editor shows."""

    facts: tuple[FactField, ...]
    columns: tuple[ColumnField, ...]
    names: str
    """The columns' names as JSON text in ASCII, which no browser changes on its way back."""
    base: str
    """The mapping shown, as JSON text."""
    error: str = ""
    remedy: str = ""


def editor_of(preview: Mapping[str, Any], chosen: Mapping[str, Any] | None, error: Mapping[str, Any] | None) -> Editor:
    """The editor of a preview.

    `chosen` is the mapping as the person chose it, where it is not what the preview was made with (it
    was refused). `error` is an error document; it stands at the column or the fact it is about.
    """
    document = chosen if chosen is not None else preview.get("mapping") or {}
    problem = error or preview.get("error") or {}
    rows = list(preview.get("columns") or ())
    names = [str(row.get("name", "")) for row in rows]
    place = _place_of(problem, names, document)
    columns = tuple(
        _column(index, row, _rule_for(document, str(row.get("name", ""))), chosen is not None)
        for index, row in enumerate(rows)
    )
    message = str(problem.get("message") or "")
    return Editor(
        facts=_facts(preview, document, place, message),
        columns=tuple(_with_error(column, place, message) for column in columns),
        names=json.dumps(names),
        base=json.dumps(document),
        error="" if place else message,
        remedy=str(problem.get("remedy") or ""),
    )


def document_of(posted: Mapping[str, str]) -> dict[str, Any]:
    """The mapping document that a posted editor describes.

    Raises: `ValueError` for fields that no editor of ours makes.
    """
    base, names = _loaded(posted.get("base", "{}"), dict), _loaded(posted.get("names", "[]"), list)
    file = _file_section(base.get("file") or {}, posted, len(names))
    document = {name: value for name, value in base.items() if name not in ("file", "columns")}
    document["version"] = 1
    if file:
        document["file"] = file
    if _reshaped(base.get("file") or {}, file):
        for option in ("constants", "where"):
            document.pop(option, None)
        return document
    rules = [_rule(base, str(name), index, posted) for index, name in enumerate(names)]
    document["columns"] = [rule for rule in rules if rule is not None]
    return document


def button_words(counts: Mapping[str, Any]) -> tuple[int, str]:
    """What the last button imports: grants, or accounts where the file gives none."""
    if counts.get("grants"):
        return int(counts["grants"]), "grant"
    return int(counts.get("accounts") or 0), "account"


def _loaded(text: str, kind: type) -> Any:
    value = json.loads(text)
    if not isinstance(value, kind):
        raise ValueError("not what the editor sends")
    return value


# ---- from the preview to fields -------------------------------------------------------------------------


def _column(index: int, row: Mapping[str, Any], rule: Mapping[str, Any] | None, refused: bool) -> ColumnField:
    name = str(row.get("name", ""))
    shown = (rule or {}).get("to", "") if refused or rule else row.get("target") or ""
    return ColumnField(
        index=index,
        name=name,
        samples=tuple(str(sample) for sample in (row.get("samples") or ())[:3] if sample is not None),
        filled_share=row.get("filled_share"),
        target=str(shown or ""),
        reason=_reason(row),
        resource_type=str((rule or {}).get("resource_type") or row.get("resource_type") or ""),
        split=str((rule or {}).get("split") or row.get("split") or ""),
        options=_options(name, str(shown or "")),
    )


def _reason(row: Mapping[str, Any]) -> str:
    """Why a target was proposed, with the target in the words that the choices have."""
    name, reason = str(row.get("target") or ""), str(row.get("reason") or "")
    return reason.replace(f" {name}.", f" “{target_label(name)}”.") if name else reason


def _with_error(column: ColumnField, place: str, message: str) -> ColumnField:
    return replace(column, error=message) if place == f"column:{column.name}" else column


def _options(name: str, chosen: str) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    groups: dict[str, list[tuple[str, str]]] = {}
    for known in TARGETS.values():
        groups.setdefault(_group_of(known.name), []).append((known.name, known.label))
    own = [f"profile.{name}"] if target(f"profile.{name}") else []
    if chosen.startswith("profile.") and chosen not in own:
        own.append(chosen)
    if own:
        groups["Attribute of the account"] = [(one, target_label(one)) for one in own]
    return tuple((group, tuple(pairs)) for group, pairs in groups.items())


def _group_of(name: str) -> str:
    return next((group for start, group in _GROUPS if name.startswith(start)), "Row")


def _facts(preview: Mapping[str, Any], document: Mapping[str, Any], place: str, message: str) -> tuple[FactField, ...]:
    found, file = preview.get("format") or {}, document.get("file") or {}
    kind = str(found.get("type") or file.get("format") or "")
    shown: list[tuple[str, str, tuple[tuple[str, str], ...]]] = [("format", "Format", FORMATS)]
    if kind in ("", "csv", "json", "jsonl"):
        shown.append(("encoding", "Encoding", ENCODINGS))
    if kind in ("", "csv"):
        shown.append(("delimiter", "Delimiter", DELIMITERS))
    if kind in ("", "csv", "xlsx", "ods"):
        shown.append(("header_row", "Header in line", ()))
    if kind in ("xlsx", "ods"):
        shown.append(("sheet", "Sheet", ()))
    return tuple(_fact(name, label, options, found, file, place, message) for name, label, options in shown)


def _fact(
    name: str,
    label: str,
    options: tuple[tuple[str, str], ...],
    found: Mapping[str, Any],
    file: Mapping[str, Any],
    place: str,
    message: str,
) -> FactField:
    value = "none" if name == "header_row" and file.get(name, "auto") is None else file.get(name)
    value = "" if value in (None, "auto") else "tab" if value == "\t" else str(value)
    seen = found.get("type" if name == "format" else name)
    if options and value and value not in dict(options):
        options = (*options, (value, value))
    return FactField(
        name=name,
        label=label,
        value=value or ("auto" if options else ""),
        found=_found_words(name, seen),
        options=options,
        error=message if place == f"fact:{name}" else "",
    )


def _found_words(name: str, seen: Any) -> str:
    if seen in (None, ""):
        return ""
    if name == "delimiter":
        return dict([("\t", "Tab"), *((value, word) for value, word in DELIMITERS)]).get(seen, str(seen))
    return str(seen).upper() if name in ("format", "encoding") else str(seen)


def _place_of(problem: Mapping[str, Any], names: list[str], document: Mapping[str, Any]) -> str:
    """`column:<name>`, `fact:<name>`, or empty where the problem is about neither."""
    if not problem:
        return ""
    column = problem.get("column")
    if column in names:
        return f"column:{column}"
    message = str(problem.get("message") or "")
    numbered, rules = _NUMBERED.match(message), document.get("columns") or ()
    if numbered and int(numbered[1]) < len(rules):
        return f"column:{rules[int(numbered[1])].get('source')}"
    said = f"{message} {problem.get('remedy') or ''}"
    for fact in FACTS:
        if re.search(rf"\bfile\.{fact}\b", said):
            return f"fact:{fact}"
    return {"file_encoding": "fact:encoding"}.get(str(problem.get("code")), "")


def _rule_for(document: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    return next((rule for rule in document.get("columns") or () if rule.get("source") == name), None)


# ---- from the form to a document ------------------------------------------------------------------------


def _file_section(base: Mapping[str, Any], posted: Mapping[str, str], column_count: int) -> dict[str, Any]:
    file = dict(base)
    if "file.header_row" in posted:
        has_header = posted["file.header_row"].strip().lower() not in NO_HEADER
        if has_header and file.get("header_row", "auto") is None:
            file.pop("names", None)
        if not has_header and file.get("header_row", "auto") is not None:
            file["names"] = [f"Column {number}" for number in range(1, column_count + 1)]
    for fact in FACTS:
        if f"file.{fact}" not in posted:
            continue
        text = posted[f"file.{fact}"].strip()
        if not text or text == "auto":
            file.pop(fact, None)
        elif fact == "header_row" and text.lower() in NO_HEADER:
            file[fact] = None
        elif fact == "header_row":
            file[fact] = int(text) if text.isascii() and text.isdigit() else text
        else:
            file[fact] = "\t" if text == "tab" else text
    return file


def _reshaped(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    def shape(file: Mapping[str, Any]) -> list[Any]:
        return [file.get(name, "auto") for name in _RESHAPING]

    return shape(before) != shape(after)


def _rule(base: Mapping[str, Any], name: str, index: int, posted: Mapping[str, str]) -> dict[str, Any] | None:
    chosen = posted.get(f"to.{index}", "").strip()
    if not chosen:
        return None
    before = _rule_for(base, name) or {}
    rule = {**before, "source": name, "to": chosen}
    if before.get("to") != chosen:
        rule = {option: value for option, value in rule.items() if option in ("source", "to", "nulls")}
    if chosen != "entitlements":
        return {option: value for option, value in rule.items() if option not in _LIST_OPTIONS}
    for option in ("resource_type", "split"):
        text = posted.get(f"{option}.{index}")
        if text is None:
            continue
        text = text if option == "split" else text.strip()
        rule.pop(option, None)
        if text:
            rule[option] = text
    return rule
