"""What a mapping may say about a file: the `file:` section, checked.

In: the section as plain data. Out: one frozen `FileOptions`. An option that does not exist, has the
wrong type or a value that cannot be used is refused (`MappingInvalid`) with its name and what it may
be; none is ignored. A setting that is declared always wins over what the content looks like.
Leaves to `read` and the readers what each option does.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

from grantline.errors import MappingInvalid

FORMATS = ("auto", "csv", "xlsx", "ods", "json", "jsonl", "parquet", "c1z")
"""Every value of `format`."""

HEADER_ROW_LIMIT = 1000
"""Lines that are looked at to find a header."""

HeaderRow = int | Literal["auto"] | None

UNUSABLE_ENCODINGS = frozenset(
    {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem", "utf-7"}
)
"""Codecs of Python that are no encoding of a text file, or let one byte sequence mean two things."""

DELIMITER_WORDS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " "}
"""Spellings of delimiters that are hard to see or to write in YAML."""


@dataclass(frozen=True, slots=True)
class FileOptions:
    """The `file:` section of a mapping.

    `header_row` is the physical line (sheet row) of the header, "auto", or None: the file has no
    header and `names` gives the columns. `names` with a header row replaces the names found there;
    `names` with `header_row` left on auto means that there is no header. `escape` None means that a
    quote inside quotes is doubled. `count_row` is how the row begins that ends the data and states
    how many records there are. `sheet` names a sheet of a workbook, `records` the path of the list of
    records in a JSON document (`Users`, `data.items`), `items` which key of the objects in a list is
    its value (`{groups: id}`), `member` a pattern of the file to read in a ZIP. `protective_prefix` is
    the one character that an export puts before a cell so that no spreadsheet changes it, or
    `formulas`: an apostrophe before what looks like a formula.
    """

    format: str = "auto"
    encoding: str = "auto"
    delimiter: str = "auto"
    quote: str | None = '"'
    escape: str | None = None
    header_row: HeaderRow = "auto"
    names: tuple[str, ...] | None = None
    skip_rows_starting_with: tuple[str, ...] = ()
    stop_at_row_starting_with: str | None = None
    skip_last: int = 0
    comment: str | None = None
    count_row: str | None = None
    sheet: str | None = None
    fill_merged: bool = False
    fill_down: tuple[str, ...] = ()
    displayed_text: bool = False
    protective_prefix: str | None = None
    records: str | None = None
    items: tuple[tuple[str, str], ...] = ()
    member: str | None = None

    @property
    def has_header(self) -> bool:
        """Whether the file has a header row."""
        return self.header_row is not None and not (self.header_row == "auto" and self.names is not None)

    @classmethod
    def from_document(cls, document: Mapping[str, Any] | None) -> FileOptions:
        """The options in `document`, the rest at their defaults.

        Raises: `MappingInvalid` for an unknown option, a wrong type, a value that is not allowed, or
        two options that contradict each other.
        """
        if document is None:
            return cls()
        if not isinstance(document, Mapping):
            raise MappingInvalid("'file' must be a group of options, like {delimiter: ';'}.")
        known = [field.name for field in fields(cls)]
        for name in document:
            if name not in known:
                raise MappingInvalid(f"file.{name} is not an option; the options are {', '.join(known)}.")
        options = cls(**{name: _CHECKS[name](f"file.{name}", value) for name, value in document.items()})
        _refuse_contradictions(options)
        return options


TEXT_ONLY = ("delimiter", "quote", "escape")
ROWS = (
    *("header_row", "names", "skip_rows_starting_with", "stop_at_row_starting_with", "skip_last", "comment"),
    *("count_row", "fill_down"),
)
SHEETS = ("sheet", "fill_merged")
TREES = ("records", "items")
UNUSED = {
    "csv": (*SHEETS, "displayed_text", *TREES),
    "xlsx": ("encoding", *TEXT_ONLY, *TREES),
    "ods": ("encoding", *TEXT_ONLY, "displayed_text", *TREES),
    "json": (*TEXT_ONLY, *ROWS, *SHEETS, "displayed_text"),
    "jsonl": (*TEXT_ONLY, *ROWS, *SHEETS, "displayed_text", "records"),
    "parquet": ("encoding", *TEXT_ONLY, *ROWS, *SHEETS, "displayed_text", *TREES),
}
"""Format → options that have no meaning for it."""


def refuse_unused(options: FileOptions, format: str) -> None:
    """Raises: `MappingInvalid` for an option that is set but cannot do anything for this format."""
    default = FileOptions()
    for name in UNUSED[format]:
        if getattr(options, name) != getattr(default, name):
            raise MappingInvalid(
                f"file.{name} has no meaning for the format {format}, which this file has.",
                remedy=f"Leave file.{name} out of the mapping, or correct the file.",
            )


def _refuse_contradictions(options: FileOptions) -> None:
    if options.header_row is None and options.names is None:
        raise MappingInvalid("file.header_row is null (no header), so file.names must name the columns.")
    if options.quote is not None and options.quote == options.delimiter:
        raise MappingInvalid("file.quote and file.delimiter are the same character.")
    if options.escape is not None and options.escape == options.delimiter:
        raise MappingInvalid("file.escape and file.delimiter are the same character.")
    if options.escape is not None and options.quote is None:
        raise MappingInvalid("file.escape needs file.quote: it only works inside quotes.")


def _format(name: str, value: Any) -> str:
    if not isinstance(value, str) or value.lower() not in FORMATS:
        raise MappingInvalid(f"{name} must be one of {', '.join(FORMATS)}, not {value!r}.")
    return value.lower()


def _encoding(name: str, value: Any) -> str:
    text = _text(name, value)
    if text.lower() == "auto":
        return "auto"
    try:
        codec = codecs.lookup(text)
    except (LookupError, ValueError):
        codec = None
    if codec is None or not getattr(codec, "_is_text_encoding", True) or codec.name in UNUSABLE_ENCODINGS:
        raise MappingInvalid(
            f"{name}: {value!r} is not an encoding; use auto, utf-8, utf-16, windows-1252 or the like."
        )
    return text.lower()


def _delimiter(name: str, value: Any) -> str:
    text = _text(name, value)
    if text.lower() == "auto":
        return "auto"
    return _character(name, DELIMITER_WORDS.get(text.lower(), text))


def _character(name: str, value: Any) -> str:
    if not isinstance(value, str) or len(value) != 1 or value in "\r\n\0\ufeff":
        raise MappingInvalid(f"{name} must be one character, not {value!r}.")
    return value


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise MappingInvalid(f"{name} must be a text, not {value!r}.")
    return value


def _texts(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)):
        raise MappingInvalid(f"{name} must be a list of texts, not {value!r}.")
    return tuple(_text(name, item) for item in value)


def _names(name: str, value: Any) -> tuple[str, ...]:
    names = _texts(name, value)
    if not names:
        raise MappingInvalid(f"{name} must name at least one column.")
    return names


def _header_row(name: str, value: Any) -> HeaderRow:
    if value is None or value == "auto":
        return value  # type: ignore[no-any-return]
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= HEADER_ROW_LIMIT:
        raise MappingInvalid(
            f"{name} must be auto, null (no header) or a line number from 1 to {HEADER_ROW_LIMIT}, not {value!r}."
        )
    return value


def _prefix(name: str, value: Any) -> str:
    return "formulas" if value == "formulas" else _character(name, value)


def _boolean(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise MappingInvalid(f"{name} must be true or false, not {value!r}.")
    return value


def _items(name: str, value: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, Mapping) or not value:
        raise MappingInvalid(f"{name} must be a group like {{groups: id}}, not {value!r}.")
    return tuple(sorted((_text(name, column), _text(f"{name}.{column}", key)) for column, key in value.items()))


def _count(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 10_000:
        raise MappingInvalid(f"{name} must be a whole number from 0 to 10000, not {value!r}.")
    return value


def _optional(check: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    return lambda name, value: None if value is None else check(name, value)


_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "format": _format,
    "encoding": _encoding,
    "delimiter": _delimiter,
    "quote": _optional(_character),
    "escape": _optional(_character),
    "header_row": _header_row,
    "names": _optional(_names),
    "skip_rows_starting_with": _texts,
    "stop_at_row_starting_with": _optional(_text),
    "skip_last": _count,
    "comment": _optional(_text),
    "count_row": _optional(_text),
    "sheet": _optional(_text),
    "fill_merged": _boolean,
    "fill_down": _texts,
    "displayed_text": _boolean,
    "protective_prefix": _optional(_prefix),
    "records": _optional(_text),
    "items": _items,
    "member": _optional(_text),
}
