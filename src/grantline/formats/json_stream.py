"""JSON to records, streaming: no document is held whole, however large.

In: a UTF-8 file that is an array of objects, an object that holds such an array under a path, or one
object a line. Out: records with the line they start on. Numbers keep their digits, keys that occur
twice are reported, and any fault of syntax raises: after it, no record could be trusted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grantline.errors import FileStructure
from grantline.formats.limits import Limits
from grantline.formats.tokens import RECORD_CHARACTERS

CHUNK = 1024 * 1024
SPACE = " \t\r\n"
WALKED_LEVELS = 4
"""Levels of objects in which a list of records is looked for."""
NEXT_PAGE = frozenset({"next", "next_page", "nextpage", "nextlink", "@odata.nextlink", "next_cursor", "nexttoken"})


class DuplicateKeys(dict[str, Any]):
    """An object in which a key occurs twice; `key` is the first such one, the first value counts."""

    key: str = ""


@dataclass(frozen=True, slots=True)
class JsonRecord:
    """One value of the list of records and the physical line where it starts."""

    line: int
    value: Any


@dataclass
class JsonRecords:
    """The records of `path`; iterate once. `records` is the path to the list, None: found.

    After the last record `shape` is `array`, `lines` or the path of the list, and `notes` say what was
    found. Raises, while iterating: `FileStructure`, `SourceTooLarge`, `UnicodeDecodeError`.
    """

    path: Path
    limits: Limits
    records: str | None = None
    lines_only: bool = False
    shape: str = field(default="", init=False)
    notes: list[str] = field(default_factory=list, init=False)
    next_page: str | None = field(default=None, init=False)

    def __iter__(self) -> Iterator[JsonRecord]:
        with self.path.open(encoding="utf-8", newline="") as file:
            self._cursor = _Cursor(file, self.limits)
            first = self._cursor.peek()
            if first == "[" and self.records is None and not self.lines_only:
                self.shape = "array"
                yield from self._array()
            elif first == "{" and (self.lines_only or (self.records is None and self._is_lines())):
                self.shape = "lines"
                yield from self._lines()
                return
            elif first == "{":
                yield from self._object([] if self.records is None else self.records.split("."))
                if not self.shape:
                    raise self._no_records()
            else:
                raise FileStructure("The JSON document is no list of objects.", line=1)
            if self._cursor.peek():
                raise self._cursor.fault("text behind the end of the document")

    def _is_lines(self) -> bool:
        """Whether the first line is a whole object: then each line is one.

        A single line may as well be a document; it is one where it holds a list of objects.
        """
        try:
            value = json.loads(self._cursor.first_line(), parse_int=str, parse_float=str)
        except (ValueError, RecursionError):
            return False
        if not isinstance(value, dict):
            return False
        return self._cursor.goes_on() or not _holds_records(value)

    def _lines(self) -> Iterator[JsonRecord]:
        while self._cursor.peek():
            line = self._cursor.line
            yield JsonRecord(line, self._cursor.value())

    def _array(self) -> Iterator[JsonRecord]:
        cursor = self._cursor
        cursor.take("[")
        if cursor.peek() == "]":
            cursor.take("]")
            return
        while True:
            cursor.peek()
            line = cursor.line
            yield JsonRecord(line, cursor.value())
            if cursor.take(",]") == "]":
                return

    def _object(self, wanted: Sequence[str], walked: str = "") -> Iterator[JsonRecord]:
        """Walks an object; yields the records of the list wanted, or of the only list of objects."""
        cursor = self._cursor
        cursor.take("{")
        if cursor.peek() == "}":
            cursor.take("}")
            return
        while True:
            key = cursor.key()
            first = cursor.peek()
            if wanted and key == wanted[0] and len(wanted) > 1 and first == "{":
                yield from self._object(wanted[1:], f"{walked}{key}.")
            elif not wanted and first == "{" and walked.count(".") < WALKED_LEVELS:
                yield from self._object([], f"{walked}{key}.")
            elif first == "[" and (list(wanted) == [key] or (not wanted and cursor.opens_objects())):
                if self.shape:
                    raise FileStructure(
                        f"The JSON document has more than one list of objects: {self.shape} and {key}.",
                        remedy="Name the one that holds the records (file.records).",
                    )
                self.shape = f"{walked}{key}"
                yield from self._array()
            else:
                self._note(key, cursor.value())
            if cursor.take(",}") == "}":
                return

    def _note(self, key: str, value: Any) -> None:
        if key.lower() in NEXT_PAGE and value:
            self.next_page = key
            self.notes.append(f'The document says that more pages follow ("{key}"): it may not be complete.')

    def _no_records(self) -> FileStructure:
        if self.records is not None:
            return FileStructure(
                f'The JSON document has no list under "{self.records}".',
                remedy="Correct file.records: the keys that lead to the list, joined with dots.",
            )
        return FileStructure(
            "The JSON document is one object without a list of objects.",
            remedy="Name the list that holds the records (file.records), or write an array.",
        )


def _holds_records(value: dict[str, Any], level: int = 0) -> bool:
    """Whether an object holds a list of objects, at any of the levels that are walked."""
    return any(
        _is_records(inner) or (isinstance(inner, dict) and level < WALKED_LEVELS and _holds_records(inner, level + 1))
        for inner in value.values()
    )


def _is_records(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    doubled = DuplicateKeys()
    for key, value in pairs:
        if key in doubled:
            doubled.key = doubled.key or key
        else:
            doubled[key] = value
    return doubled


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


DECODER = json.JSONDecoder(object_pairs_hook=_pairs, parse_int=str, parse_float=str, parse_constant=_refuse_constant)
"""Numbers stay the text that they are in the file, so that none is rounded."""


class _Cursor:
    """A place in the text, which is read as it is needed."""

    def __init__(self, file: Any, limits: Limits) -> None:
        self.file, self.limits = file, limits
        self.text, self.position, self.ended = "", 0, False
        self.line = 1
        self._more()
        if self.text.startswith("\ufeff"):
            self.position = 1

    def _more(self) -> bool:
        """Reads another chunk and forgets what was passed; False at the end."""
        chunk = self.file.read(CHUNK)
        self.ended = not chunk
        self.text, self.position = self.text[self.position :] + chunk, 0
        return bool(chunk)

    def _advance(self, position: int) -> None:
        self.line += self.text.count("\n", self.position, position)
        self.position = position

    def first_line(self) -> str:
        """The text up to the first line end, as far as it has been read."""
        end = self.text.find("\n", self.position)
        return self.text[self.position : end if end >= 0 else None]

    def goes_on(self) -> bool:
        """Whether anything stands below the first line."""
        end = self.text.find("\n", self.position)
        return end >= 0 and bool(self.text[end:].strip())

    def peek(self) -> str:
        """The next character that is not white space; empty at the end."""
        while True:
            position = self.position
            while position < len(self.text) and self.text[position] in SPACE:
                position += 1
            self._advance(position)
            if position < len(self.text):
                return self.text[position]
            if not self._more():
                return ""

    def take(self, expected: str) -> str:
        """Passes one of the characters `expected`."""
        found = self.peek()
        if not found or found not in expected:
            raise self.fault(f"{' or '.join(expected)} is missing")
        self.position += 1
        return found

    def key(self) -> str:
        """Passes a key and its colon."""
        if self.peek() != '"':
            raise self.fault("a key is missing")
        key = self.value()
        self.take(":")
        return str(key)

    def opens_objects(self) -> bool:
        """Whether the list at the cursor is a list of objects, or empty."""
        while len(self.text) - self.position < 4096 and self._more():
            pass
        inside = self.text[self.position + 1 : self.position + 4096].lstrip(SPACE)
        return inside.startswith("{")

    def value(self) -> Any:
        """Passes one value."""
        self.peek()
        while True:
            try:
                value, end = DECODER.raw_decode(self.text, self.position)
            except RecursionError as error:
                raise self.limits.too_large("nesting", "The JSON document is nested too deeply") from error
            except ValueError as error:
                if self.ended or not self._grow():
                    raise self.fault(_reason(error)) from error
                continue
            if end == len(self.text) and not self.ended and self._grow():
                continue  # a number could go on in the next chunk
            self._advance(end)
            return value

    def _grow(self) -> bool:
        if len(self.text) - self.position > RECORD_CHARACTERS:
            return False
        self._more()
        return True

    def fault(self, reason: str) -> FileStructure:
        """The error for a fault of syntax here."""
        if self.peek() == "" or (self.ended and reason.startswith(("Unterminated", "Expecting"))):
            return FileStructure(
                f"The JSON document is cut off or damaged after line {self.line}: {reason}.",
                line=self.line,
                remedy="Check the job that writes the file and put the whole file in again.",
            )
        return FileStructure(f"The JSON document is damaged in line {self.line}: {reason}.", line=self.line)


def _reason(error: ValueError) -> str:
    return error.msg if isinstance(error, json.JSONDecodeError) else str(error)
