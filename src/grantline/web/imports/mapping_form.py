"""The mapping editor's form: fields that were sent become a mapping document again.

Pure: posted fields in, a document out, checked by the mapping document's own rules and no others. `base` is
the mapping that was shown; what the form has no field for is kept from it. `names` are the columns: those
of the file, then those that the mapping names and the file has not; `slots` say which of them each row of
the editor is about, since one column may become two things. A change of what the file *is* (delimiter,
header row, sheet) drops the columns, as they are other ones then and are proposed anew.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from grantline.errors import GrantlineError, InputInvalid, MappingInvalid
from grantline.mapping.notation import read_text
from grantline.reading import as_mapping
from grantline.web.imports.column_fields import read_rule, repeated_word
from grantline.web.imports.columns import same_name
from grantline.web.imports.file_fields import is_reshaped, read_file_section
from grantline.web.imports.row_fields import read_conditions, read_constants

FIELDS = ("version", "file", "columns", "constants", "where", "mode", "ready")
"""Options of the document that the form reads by itself."""


@dataclass(frozen=True)
class Sent:
    """What was sent: the document, the text where it came as YAML, and why it is refused."""

    document: dict[str, Any]
    text: str | None = None
    error: GrantlineError | None = None


def sent_mapping(posted: Mapping[str, str]) -> Sent:
    """The mapping that the form or the YAML view sent, and whether it can be used.

    Raises: `InputInvalid` for fields that no editor of ours makes.
    """
    if "yaml" in posted:
        return _sent_text(posted["yaml"])
    try:
        document = document_of(posted)
        error = _repeated(posted)
    except (ValueError, TypeError, AttributeError) as failure:
        raise InputInvalid("The mapping that was sent cannot be read.", field="base") from failure
    try:
        checked = as_mapping(document).to_document()
    except GrantlineError as refused:
        return Sent(document, error=error or refused)
    return Sent(document, error=error) if error else Sent(checked)


def document_of(posted: Mapping[str, str]) -> dict[str, Any]:
    """The mapping document that a posted editor describes.

    Raises: `ValueError` for fields that no editor of ours makes.
    """
    base, names = _loaded(posted.get("base", "{}"), dict), [str(name) for name in _loaded(posted.get("names"), list)]
    removed = posted.get("remove", "")
    width = _number(posted.get("width"), len(names))
    file = read_file_section(base.get("file") or {}, posted, width)
    document = {name: value for name, value in base.items() if name not in FIELDS}
    document["version"] = 1
    if file:
        document["file"] = file
    for name, default in (("mode", "full"), ("ready", "")):
        value = posted.get(name, base.get(name)) or default
        if value != default:
            document[name] = value
    if is_reshaped(base.get("file") or {}, file) or base.get("sources"):
        return document
    document["columns"] = _rules(base, names, posted, removed)
    constants = read_constants(base.get("constants") or {}, posted, removed)
    where = read_conditions(base.get("where") or (), names, posted, removed)
    document |= {name: value for name, value in (("constants", constants), ("where", where)) if value}
    return _renamed(document, (base.get("file") or {}).get("names"), file.get("names"))


def button_words(counts: Mapping[str, Any]) -> tuple[int, str]:
    """What the last button imports: grants, or accounts where the file gives none."""
    if counts.get("grants"):
        return int(counts["grants"]), "grant"
    return int(counts.get("accounts") or 0), "account"


def _sent_text(text: str) -> Sent:
    text = text.replace("\r\n", "\n")
    try:
        data = read_text(text) if text.strip() else {}
        return Sent(as_mapping(data).to_document() if data else {}, text)
    except GrantlineError as error:
        return Sent({}, text, error)


def _rules(base: Mapping[str, Any], names: list[str], posted: Mapping[str, str], removed: str) -> list[dict[str, Any]]:
    """The columns' rules, in the order of the editor's rows."""
    rules, used = list(base.get("columns") or ()), set[int]()
    found = []
    for index, name in _slots(names, posted):
        before = next((n for n, rule in enumerate(rules) if n not in used and same_name(rule.get("source"), name)), -1)
        used.add(before)
        rule = read_rule(rules[before] if before >= 0 else {}, name, index, posted, removed)
        found += [rule] if rule is not None else []
        also = posted.get(f"also.{index}")
        found += [{"source": name, "to": also}] if also else []
    return found


def _slots(names: list[str], posted: Mapping[str, str]) -> list[tuple[int, str]]:
    slots = _loaded(posted["slots"], list) if "slots" in posted else range(len(names))
    return [(index, names[int(place)]) for index, place in enumerate(slots) if 0 <= int(place) < len(names)]


def _renamed(document: dict[str, Any], before: Any, after: Any) -> dict[str, Any]:
    """The document with columns under their new names, where the list of names was edited."""
    changed = {old: new for old, new in zip(before or (), after or (), strict=False) if old != new}
    for name, option in (("columns", "source"), ("where", "column")):
        for item in document.get(name, ()) if changed else ():
            item[option] = changed.get(item[option], item[option])
    return document


def _repeated(posted: Mapping[str, str]) -> MappingInvalid | None:
    """A word, or a target of constants, that is given twice: one of them would be lost."""
    names = [str(name) for name in _loaded(posted.get("names"), list)]
    chosen = [index for index, _ in _slots(names, posted) if posted.get(f"to.{index}")]
    for place, index in enumerate(chosen):
        if word := repeated_word(index, posted):
            return MappingInvalid(f"columns[{place}].map: {word!r} is given twice.", remedy="Remove one of them.")
    seen: set[str] = set()
    place = 0
    while (to := posted.get(f"constants.{place}.to")) is not None:
        if to and to in seen:
            return MappingInvalid(f"constants.{to}: is given twice.", remedy="Remove one of them.")
        seen.add(to)
        place += 1
    return None


def _loaded(text: str | None, kind: type) -> Any:
    value = json.loads(text if text is not None else "[]" if kind is list else "{}")
    if not isinstance(value, kind):
        raise ValueError("not what the editor sends")
    return value


def _number(text: str | None, default: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 6 else default
