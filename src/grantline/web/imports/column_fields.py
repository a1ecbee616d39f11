"""One column's rule as fields of the editor, and back.

Pure. Every option that a column can have has a field; it is shown where the column's target can use it,
and where it is set all the same, so that it can be taken away. When the target changes, options that the
new one cannot use go with the old one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import count
from typing import Any

from grantline.mapping.document import fits
from grantline.mapping.targets import target
from grantline.mapping.words import STATUSES
from grantline.web.imports.fields import (
    SWITCH,
    Field,
    PairRow,
    fits_a_line,
    fits_lines,
    fits_pairs,
    lines,
)

LIST_OPTIONS = ("resource_type", "split")
"""What stands beside the target of a list; everything else is behind *Options*."""
OPTIONS = {
    "date": ("Date format", "Blank: recognized; %d/%m/%Y: the day first", "Recognized"),
    "zone": ("Time zone", "Of times that name none", "None"),
    "serials": ("Plain numbers are a spreadsheet’s days", "", ""),
    "parts": ("Divides a value into resource and entitlement", "Such as : in LON:approver", "None"),
    "nulls": ("Words that mean empty", "One a line", ""),
    "pattern": ("Each cell must match", "A regular expression", "Anything"),
    "case": ("Letter case tells ids apart", "", ""),
}
"""The options behind *Options*, but the value map: label, hint, and what stands where nothing is set."""
_NAMED = re.compile(r"columns\[\d+\]\.(\w+)")


def list_fields(index: int, rule: Mapping[str, Any], shown: Mapping[str, Any]) -> tuple[Field, ...]:
    """Resource type and separator of a list; `shown` is what was proposed, where no rule says it."""
    to = str(rule.get("to") or shown.get("target") or "")
    found = []
    if fits("resource_type", to):
        text = rule.get("resource_type") or shown.get("resource_type") or ""
        found.append(_text(index, "resource_type", "Resource type", text, placeholder="group"))
    if fits("split", to) or rule.get("split"):
        text = rule.get("split") or shown.get("split") or ""
        found.append(_text(index, "split", "Values split at", text, placeholder="one value"))
    return tuple(found)


def option_fields(index: int, rule: Mapping[str, Any], message: str) -> tuple[Field, ...]:
    """The fields behind *Options*; the one that `message` is about is marked."""
    to = str(rule.get("to") or "")
    named = _NAMED.match(message)
    wrong = named[1] if named else ""
    return tuple(
        replace(_option(index, option, rule), error="wrong" if option == wrong else "")
        for option in OPTIONS
        if to and (fits(option, to) or rule.get(option) is not None)
    )


def _option(index: int, option: str, rule: Mapping[str, Any]) -> Field:
    label, hint, placeholder = OPTIONS[option]
    value = rule.get(option)
    if option == "nulls":
        return _nulls(index, label, hint, value or ())
    if option in ("serials", "case"):
        return _switch(index, option, label, value, "sensitive" if option == "case" else "true")
    return _text(index, option, label, value or "", hint, placeholder)


def pair_rows(index: int, rule: Mapping[str, Any]) -> tuple[PairRow, ...] | None:
    """The rows of the value map, with an empty one; None where they are too many or cannot be fields."""
    pairs = rule.get("map") or {}
    if not fits_pairs(pairs):
        return None
    rows = [PairRow(f"map.{index}.{place}", old, new) for place, (old, new) in enumerate(pairs.items())]
    return (*rows, PairRow(f"map.{index}.{len(rows)}", "", "", is_new=True))


def is_set(rule: Mapping[str, Any]) -> bool:
    """Whether any option behind *Options* is set."""
    return any(rule.get(option) for option in (*OPTIONS, "map"))


def read_rule(
    before: Mapping[str, Any], source: str, index: int, posted: Mapping[str, str], removed: str
) -> dict[str, Any] | None:
    """The rule that the form describes; None where the column is left out."""
    chosen = posted.get(f"to.{index}", "").strip()
    if not chosen:
        return None
    rule = {**before, "source": source, "to": chosen}
    for option in ("resource_type", "split", "parts", "date", "zone", "pattern", "case"):
        text = posted.get(f"{option}.{index}")
        if text is not None:
            _put(rule, option, text if option in ("split", "parts", "pattern") else text.strip())
    if f"serials.{index}" in posted:
        _put(rule, "serials", posted[f"serials.{index}"] == "true")
    if f"nulls.{index}" in posted:
        _put(rule, "nulls", lines(posted[f"nulls.{index}"]))
    if f"map.{index}.0.from" in posted:
        _put(rule, "map", _pairs(index, posted, removed))
    return rule if before.get("to") in (None, chosen) else _carried(rule, chosen)


def _carried(rule: dict[str, Any], to: str) -> dict[str, Any]:
    """What another target can use of the options that were set."""
    found = target(to)
    kept = {option: value for option, value in rule.items() if fits(option, to)}
    if found is not None and found.kind == "status" and set(kept.get("map", {}).values()) - set(STATUSES):
        kept.pop("map")
    if "serials" in kept and not (kept.get("date") or kept.get("zone") or (found and found.kind == "date")):
        kept.pop("serials")
    return kept


def _sent_pairs(index: int, posted: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """The rows of a value map as they were sent: place, word, what replaces it."""
    for place in (f"map.{index}.{number}" for number in count()):
        if (old := posted.get(f"{place}.from")) is None:
            return
        yield place, old, posted.get(f"{place}.to", "")


def _pairs(index: int, posted: Mapping[str, str], removed: str) -> dict[str, str]:
    """The value map; a pair of two empty fields is none, one of them empty is refused by the document."""
    return {old: new for place, old, new in _sent_pairs(index, posted) if (old or new) and place != removed}


def repeated_word(index: int, posted: Mapping[str, str]) -> str:
    """A word that two rows of a value map replace; empty where none is."""
    words = [old for _, old, _ in _sent_pairs(index, posted) if old]
    return next((word for place, word in enumerate(words) if word in words[:place]), "")


def _put(rule: dict[str, Any], option: str, value: Any) -> None:
    rule.pop(option, None)
    if value:
        rule[option] = value


def _text(index: int, option: str, label: str, value: Any, hint: str = "", placeholder: str = "") -> Field:
    name = f"{option}.{index}"
    if not fits_a_line(value):
        return Field(name, label, "Set in the YAML", "note")
    suggestions = {"date": "date-formats", "zone": "time-zones"}.get(option, "")
    return Field(name, label, value, hint=hint, placeholder=placeholder, suggestions=suggestions)


def _switch(index: int, option: str, label: str, value: Any, on: str) -> Field:
    text = ("true" if value is True else str(value)) if value else ""
    options = (("", SWITCH[0][1]), (on, SWITCH[1][1]))
    return Field(f"{option}.{index}", label, text, "select", options)


def _nulls(index: int, label: str, hint: str, words: Any) -> Field:
    name = f"nulls.{index}"
    if words and not fits_lines(words):
        return Field(name, label, f"{len(words):,} words, set in the YAML", "note")
    return Field(name, label, "\n".join(words), "lines", hint=hint)
