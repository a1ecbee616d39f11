"""What calamine does not say about a sheet: its true extent and its cells without a usable value.

In: an XLSX file and a sheet's name. Out: a frozen `Survey`. One pass over all inflated bytes (`glance`)
counts them and proves sheets plain (`sheet_proof`); only where that fails, or formats pad with zeros, is
the XML parsed cell by cell. Bytes are inflated here with a counter, because the sizes that a ZIP declares
may lie, before calamine holds the sheet in memory.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from xml.parsers import expat

from grantline.errors import FileStructure
from grantline.formats.limits import Limits
from grantline.formats.sheet_proof import NARROW, NARROW_AREA, Proof, is_near

CHUNK = 1024 * 1024
FAR_AREA = 20_000_000
"""Cells in the rectangle around the references above which the XML is parsed for the true extent."""

SHEETS = "xl/worksheets/"

REFERENCE = re.compile(r"([A-Za-z]+)([0-9]+)")
ROW_NUMBER = re.compile(r"[0-9]+")
ZEROS = re.compile(r"0{2,}")


@dataclass
class Survey:
    """Cells that need words: (row, column) from 0 → what is wrong, or the zero-padded format."""

    formulas: set[tuple[int, int]] = field(default_factory=set)
    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    padded: dict[tuple[int, int], int] = field(default_factory=dict)
    last_row: int = 0
    last_column: int = 0


def column_number(letters: str) -> int:
    """`A` → 0, `XFD` → 16383."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def column_letters(number: int) -> str:
    """0 → `A`, 16383 → `XFD`."""
    letters = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def inflated(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """The member's true bytes, whatever size it declares; chunks of bounded size."""
    file = archive.fp
    if file is None or member.header_offset < 0:
        raise FileStructure("The ZIP file is damaged: its index points outside of it.")
    file.seek(member.header_offset)
    local = file.read(30)
    file.seek(int.from_bytes(local[26:28], "little") + int.from_bytes(local[28:30], "little"), 1)
    left, position = member.compress_size, file.tell()
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise FileStructure(f"The part {member.filename} is compressed in a way that is not supported.")
    inflater = zlib.decompressobj(-15) if member.compress_type == zipfile.ZIP_DEFLATED else None
    while left > 0:
        file.seek(position)
        packed = file.read(min(left, CHUNK // 4))
        if not packed:
            raise FileStructure("The file is cut off: a part of it is shorter than it declares.")
        left, position = left - len(packed), file.tell()
        if inflater is None:
            yield packed
            continue
        while packed:
            yield inflater.decompress(packed, CHUNK)
            packed = inflater.unconsumed_tail


def glance(path: Path, limits: Limits) -> frozenset[str]:
    """The parts of a workbook that are sheets of plain cells, at most `NARROW_AREA` of them.

    Raises: `SourceTooLarge` where the parts unpack to more than the limits allow.
    """
    total = 0
    proofs: list[tuple[str, Proof]] = []
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if len({member.filename for member in members}) < len(members):
            raise FileStructure("The workbook has two parts of the same name, and nobody can tell which one counts.")
        for member in members:
            proof = Proof(NARROW) if member.filename.startswith(SHEETS) else None
            if proof is not None:
                proofs.append((member.filename, proof))
            for chunk in inflated(archive, member):
                total += len(chunk)
                if total > limits.workbook_bytes:
                    raise limits.too_large("workbook_bytes", "The workbook unpacks to more bytes")
                if proof is not None:
                    proof.feed(chunk)
    return frozenset(name for name, proof in proofs if proof.holds)


def survey(path: Path, sheet: str, limits: Limits, plain: Collection[str]) -> Survey:
    """What is to be known about `sheet` before it is read; `plain` is what a glance has proven.

    Raises: `SourceTooLarge` where its cells span more than `limits.workbook_cells`.
    """
    with zipfile.ZipFile(path) as archive:
        member = _sheet_member(archive, sheet)
        if member is None:
            return Survey()
        area = min(FAR_AREA, limits.workbook_cells)
        padded = _padded_styles(archive)
        if not padded and (
            (member.filename in plain and area >= NARROW_AREA) or is_near(partial(inflated, archive, member), area)
        ):
            return Survey()
        found = _Cells(padded).parse(inflated(archive, member))
    area = (found.last_row + 1) * (found.last_column + 1)
    if area > limits.workbook_cells:
        raise limits.too_large(
            "workbook_cells",
            f"The sheet {sheet} spans {found.last_row + 1:,} rows and {found.last_column + 1:,} columns",
        )
    return found


def visible_sheets(path: Path) -> list[str]:
    """Names of a workbook's visible sheets, in its order; empty where the ZIP is no workbook (XLSX)."""
    with zipfile.ZipFile(path) as archive:
        return [
            attributes["name"]
            for attributes in _attributes(archive, "xl/workbook.xml", "sheet")
            if "name" in attributes and attributes.get("state", "visible") == "visible"
        ]


def _sheet_member(archive: zipfile.ZipFile, sheet: str) -> zipfile.ZipInfo | None:
    sheets = _attributes(archive, "xl/workbook.xml", "sheet")
    relation = next(
        (value for a in sheets if a.get("name") == sheet for key, value in a.items() if key.endswith(":id")),
        None,
    )
    for attributes in _attributes(archive, "xl/_rels/workbook.xml.rels", "Relationship"):
        if attributes.get("Id") == relation:
            target = attributes.get("Target", "")
            name = target[1:] if target.startswith("/") else f"xl/{target}"
            return next((m for m in archive.infolist() if m.filename == name), None)
    return None


def _padded_styles(archive: zipfile.ZipFile) -> dict[str, int]:
    """Style index → digits, for the formats that show leading zeros (`00000`)."""
    formats: dict[str, int] = {}
    styles: dict[str, int] = {}
    depth: list[str] = []
    count = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal count
        local = name.rpartition(":")[2]
        depth.append(local)
        if local == "numFmt" and ZEROS.fullmatch(attributes.get("formatCode", "")):
            formats[attributes.get("numFmtId", "")] = len(attributes["formatCode"])
        elif local == "xf" and "cellXfs" in depth:
            digits = formats.get(attributes.get("numFmtId", ""))
            if digits:
                styles[str(count)] = digits
            count += 1

    _parse(archive, "xl/styles.xml", start, lambda name: depth.pop())
    return styles


def _attributes(archive: zipfile.ZipFile, part: str, element: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if name.rpartition(":")[2] == element:
            found.append(attributes)

    _parse(archive, part, start, lambda name: None)
    return found


def _parse(archive: zipfile.ZipFile, part: str, start: Any, end: Any) -> None:
    member = next((m for m in archive.infolist() if m.filename == part), None)
    if member is None:
        return
    parser = new_parser()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    feed(parser, inflated(archive, member))


def new_parser() -> Any:
    """An expat parser that refuses entities."""
    parser = expat.ParserCreate()

    def refuse(*declaration: object) -> None:
        raise FileStructure("The workbook declares XML entities, which no spreadsheet program writes.")

    parser.EntityDeclHandler = refuse  # entities can expand without bound, or name other files
    return parser


def feed(parser: Any, chunks: Iterator[bytes]) -> None:
    """Parses `chunks`. Raises: `FileStructure` where they are no XML."""
    try:
        for chunk in chunks:
            parser.Parse(chunk, False)
        parser.Parse(b"", True)
    except (expat.ExpatError, zlib.error) as error:
        raise FileStructure(f"The workbook is damaged: {error}.") from error


def _row_number(digits: str) -> int:
    """The number, or one that is far above any row."""
    return int(digits.lstrip("0")[:10] or 0)


class _Cells:
    """Walks the cells of one sheet."""

    def __init__(self, padded: dict[str, int]) -> None:
        self.padded, self.found = padded, Survey()
        self.row, self.column = -1, -1
        self.has_formula = self.in_value = False
        self.kind = self.style = self.value = ""

    def parse(self, chunks: Iterator[bytes]) -> Survey:
        """The survey of the sheet whose XML is `chunks`."""
        parser = new_parser()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        feed(parser, chunks)
        return self.found

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        if name == "row":
            number = attributes.get("r", "")
            self.row = _row_number(number) - 1 if ROW_NUMBER.fullmatch(number) else self.row + 1
            self.column = -1
        elif name == "c":
            reference = REFERENCE.fullmatch(attributes.get("r", ""))
            self.column = column_number(reference.group(1)[:8].upper()) if reference else self.column + 1
            if reference:  # calamine goes by the cell's own row, whatever row it stands in
                self.row = _row_number(reference.group(2)) - 1
            self.kind, self.style = attributes.get("t", "n"), attributes.get("s", "")
            self.has_formula, self.value = False, ""
        elif name == "f":
            self.has_formula = True
        elif name in ("v", "t"):
            self.in_value = True

    def _text(self, text: str) -> None:
        if self.in_value:
            self.value += text

    def _end(self, name: str) -> None:
        name = name.rpartition(":")[2]
        if name in ("v", "t"):
            self.in_value = False
        elif name == "c":
            self._cell((self.row, self.column))

    def _cell(self, place: tuple[int, int]) -> None:
        if self.value or self.has_formula:
            self.found.last_row = max(self.found.last_row, place[0])
            self.found.last_column = max(self.found.last_column, place[1])
        if self.kind == "e":
            self.found.errors[place] = self.value
        elif self.has_formula and not self.value and self.kind != "str":
            self.found.formulas.add(place)
        elif self.value and self.style in self.padded and self.kind == "n":
            self.found.padded[place] = self.padded[self.style]
