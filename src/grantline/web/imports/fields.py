"""The fields that the mapping editor is made of, and what can be chosen in them.

Pure. Owns the words of the choices, and the rule of what a field can hold: a value that a browser would
send back changed (a line end in a line, an invisible half of a character) is shown but not as a field, and
stays as the mapping has it until it is changed as YAML.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["text", "select", "lines", "note"]
Choices = tuple[tuple[str, str], ...]

DELIMITERS: Choices = (("auto", "Found by itself"), (",", "Comma"), (";", "Semicolon"), ("tab", "Tab"), ("|", "Pipe"))
ENCODINGS: Choices = (
    ("auto", "Found by itself"),
    ("utf-8", "UTF-8"),
    ("utf-16", "UTF-16"),
    ("windows-1252", "Windows-1252"),
    ("iso-8859-15", "ISO 8859-15"),
    ("windows-1250", "Windows-1250"),
    ("windows-1251", "Windows-1251"),
    ("shift_jis", "Shift JIS"),
)
FORMATS: Choices = (
    ("auto", "Found by itself"),
    ("csv", "CSV"),
    ("xlsx", "Workbook (XLSX)"),
    ("ods", "Workbook (ODS)"),
    ("json", "JSON"),
    ("jsonl", "JSON lines"),
    ("parquet", "Parquet"),
    ("c1z", "c1z"),
)
DATES: Choices = (
    ("%d/%m/%Y", "31/12/2026, day first"),
    ("%m/%d/%Y", "12/31/2026, month first"),
    ("%d.%m.%Y", "31.12.2026"),
    ("%Y%m%d", "20261231"),
    ("%d/%m/%Y %H:%M", "31/12/2026 23:59, day first"),
    ("%m/%d/%Y %I:%M %p", "12/31/2026 11:59 PM, month first"),
    ("serial", "day numbers of a spreadsheet"),
    ("epoch", "seconds since 1970"),
    ("epoch_ms", "milliseconds since 1970"),
    ("filetime", "Windows file time"),
)
ZONES = (
    *("UTC", "Europe/London", "Europe/Paris", "Europe/Berlin", "Europe/Athens", "America/New_York"),
    *("America/Chicago", "America/Denver", "America/Los_Angeles", "America/Sao_Paulo", "Africa/Johannesburg"),
    *("Asia/Dubai", "Asia/Kolkata", "Asia/Singapore", "Asia/Tokyo", "Australia/Sydney", "Pacific/Auckland"),
)
CONDITIONS: Choices = (
    ("empty", "is empty"),
    ("filled", "is filled"),
    ("equals", "is"),
    ("differs", "is not"),
    ("in", "is one of"),
    ("not_in", "is none of"),
)
MODES: Choices = (("full", "Everything there is"), ("delta", "Changes only"))
SWITCH: Choices = (("", "No"), ("true", "Yes"))

LINES_SHOWN = 200
"""Lines that a field shows at most; more are kept, and changed as YAML."""
PAIRS_SHOWN = 50

_UNSENDABLE = re.compile("[\r\n\0\ud800-\udfff]")


@dataclass(frozen=True)
class Field:
    """One field: its name as it is sent, its words, and its value as text."""

    name: str
    label: str
    value: str
    kind: Kind = "text"
    options: Choices = ()
    hint: str = ""
    placeholder: str = ""
    suggestions: str = ""
    error: str = ""

    @property
    def identity(self) -> str:
        """The id of its control, which keeps the cursor where it is when the editor is renewed."""
        return "field-" + self.name.replace(".", "-")


@dataclass(frozen=True)
class PairRow:
    """One word and what replaces it; `is_new` is the empty row to fill in."""

    place: str
    old: str
    new: str
    is_new: bool = False


@dataclass(frozen=True)
class ConditionRow:
    """One condition: a column by its number, an operator, values one a line."""

    place: str
    column: str
    operator: str
    values: str
    is_new: bool = False
    words: str = ""
    """Told instead of shown as fields, where a field cannot hold it."""
    error: str = ""


@dataclass(frozen=True)
class ConstantRow:
    """One target with the same value in every row."""

    place: str
    to: str
    value: str
    options: Choices
    is_new: bool = False
    words: str = ""
    error: str = ""


def fits_a_line(text: object) -> bool:
    """Whether a browser sends `text` back from a field of one line as it is."""
    return isinstance(text, str) and not _UNSENDABLE.search(text)


def fits_lines(words: object) -> bool:
    """Whether `words` come back from a field with one word a line."""
    if not isinstance(words, (list, tuple)) or len(words) > LINES_SHOWN:
        return False
    return all(fits_a_line(word) and word for word in words)


def fits_pairs(pairs: object) -> bool:
    """Whether `pairs` come back from rows of two fields."""
    if not isinstance(pairs, Mapping) or len(pairs) > PAIRS_SHOWN:
        return False
    return all(fits_a_line(old) and fits_a_line(new) for old, new in pairs.items())


def lines(text: str) -> list[str]:
    """The lines of a field, without empty ones."""
    return [line for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n") if line]


def words_of(values: Iterable[Any]) -> str:
    """A few values as text."""
    shown = [str(value) for value in values]
    return ", ".join(shown[:5]) + (f" and {len(shown) - 5:,} more" if len(shown) > 5 else "")
