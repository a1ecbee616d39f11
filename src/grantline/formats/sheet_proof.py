"""The proof that a sheet holds plain cells alone, and none so far out that calamine would fill the memory.

In: the inflated bytes of a sheet, chunk by chunk. Out: whether every byte between `<sheetData>` and its end
is part of a row or cell as spreadsheet programs write them: a reference, perhaps a style and a type, a
value; a formula only with its saved result; no error. One regular expression that never goes back (about
300 MB/s) is the whole proof. What it does not take (attributes in another order or in single quotes,
comments, other prefixes) is not wrong, only not proven: then the XML is parsed cell by cell.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

BEGIN, END, NAME = b"<sheetData>", b"</sheetData>", b"sheetData"
ELEMENT_BYTES = 1024 * 1024
"""A row or cell that is longer is not plain; a cell holds 32,767 characters."""

LETTERS = 26
"""Columns with a name of one letter."""

COLUMN = re.compile(rb'<c r="([A-Z]+)')
OVERLAP = 64


def _pattern(reference: bytes) -> re.Pattern[bytes]:
    """Any number of rows and cells whose references are like `reference`."""
    formula = rb'<f(?: [a-zA-Z]++="[^"<]*+")*+(?:/>|>[^<]*+</f>)'
    value = rb"<v>[^<]*+</v>"
    inline = rb'<is><t(?: xml:space="preserve")?+>[^<]*+</t></is>'
    content = rb"(?:%b|%b|%b<v>[^<]++</v>)?+" % (value, inline, formula)
    kind = rb'(?: t="(?:s|n|b|d|str|inlineStr)")?+'
    cell = rb'<c r="%b"(?: s="[0-9]+")?+%b(?:/>|>%b</c>)' % (reference, kind, content)
    row = rb'<row r="[1-9][0-9]{0,6}+"(?: [a-zA-Z0-9:]++="[^"<]*+")*+/?+>|</row>'
    return re.compile(rb"\s*+(?>(?:%b|%b)\s*+)*+" % (cell, row))


NARROW = _pattern(rb"[A-Z](?:[1-6][0-9]{5}|[1-9][0-9]{0,4}+)")
NARROW_AREA = LETTERS * 699_999
"""Cells in the largest rectangle that `NARROW` takes: 26 columns, fewer than 700,000 rows."""

ANYWHERE = _pattern(rb"[A-Z]{1,3}+[1-9][0-9]{0,6}+")


class Proof:
    """Takes the bytes of one sheet in turn; `holds` says whether they are proven, once all were fed."""

    def __init__(self, pattern: re.Pattern[bytes]) -> None:
        self._pattern = pattern
        self._rest = b""
        self._step: Callable[[bytes], bytes] = self._before

    @property
    def holds(self) -> bool:
        """Whether the cells have ended and all of them are proven."""
        return self._step == self._after

    @property
    def has_failed(self) -> bool:
        """Whether nothing that follows can prove it any more."""
        return self._step == self._broken

    def feed(self, chunk: bytes) -> None:
        """Takes the next bytes."""
        self._rest = self._step(self._rest + chunk)

    def _before(self, data: bytes) -> bytes:
        at = data.find(NAME) - 1
        if at < 0 or len(data) < at + len(BEGIN):
            return data if len(data) < ELEMENT_BYTES else self._fail()
        if not data.startswith(BEGIN, at):
            return self._fail()
        self._step = self._within
        return self._within(data[at + len(BEGIN) :])

    def _within(self, data: bytes) -> bytes:
        found = self._pattern.match(data)
        data = data[found.end() :] if found else data
        if data.startswith(END):
            self._step = self._after
            return self._after(data[len(END) :])
        return data if len(data) < ELEMENT_BYTES else self._fail()

    def _after(self, data: bytes) -> bytes:
        # calamine reads the first one; a second one is nobody's.
        return self._fail() if NAME in data else data[-len(NAME) :]

    def _broken(self, _: bytes) -> bytes:
        return b""

    def _fail(self) -> bytes:
        self._step = self._broken
        return b""


def is_near(inflated: Callable[[], Iterator[bytes]], area: int) -> bool:
    """Whether a sheet of any width is proven, and the rectangle around its cells at most `area`."""
    proof, letters = Proof(ANYWHERE), {b"A"}
    for chunk in inflated():
        proof.feed(chunk)
        if proof.has_failed:
            return False
    if not proof.holds:
        return False
    for chunk in _overlapping(inflated()):
        letters.update(COLUMN.findall(chunk))
    beyond = re.compile(rb'r="[A-Z]*+(?:%b)' % _above(area // _columns(letters)))
    return not any(beyond.search(chunk) for chunk in _overlapping(inflated()))


def _columns(letters: Iterable[bytes]) -> int:
    """How many columns there are up to the last one."""
    longest = max(letters, key=lambda text: (len(text), text))
    number = 0
    for letter in longest[:8]:
        number = number * LETTERS + letter - 64
    return number


def _above(number: int) -> bytes:
    """A pattern for whole numbers above `number`, written without leading zeros."""
    digits = str(number).encode()
    longer = rb"[0-9]{%d}" % (len(digits) + 1)
    same = (
        rb"%b[%d-9][0-9]{%d}" % (digits[:place], digit + 1, len(digits) - place - 1)
        for place, digit in enumerate(map(int, digits.decode()))
        if digit < 9
    )
    return b"|".join((longer, *same))


def _overlapping(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks, each with the end of the one before, so that no reference is cut in two."""
    tail = b""
    for chunk in chunks:
        data = tail + chunk
        yield data
        tail = data[-OVERLAP:]
