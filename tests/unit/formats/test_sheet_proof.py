from __future__ import annotations

from collections.abc import Iterator

import pytest

from grantline.formats.sheet_proof import ANYWHERE, NARROW, Proof, is_near

BEFORE = b'<worksheet><dimension ref="A1:B2"/><sheetData>'
AFTER = b"</sheetData><mergeCells/></worksheet>"
ROW = b'<row r="2" spans="1:2"><c r="A2" s="3" t="s"><v>0</v></c><c r="B2"/></row>'


def holds(cells: bytes, *, before: bytes = BEFORE, after: bytes = AFTER, size: int = 10**6) -> bool:
    data = before + cells + after
    proof = Proof(NARROW)
    for place in range(0, len(data), size):
        proof.feed(data[place : place + size])
    return proof.holds


@pytest.mark.parametrize(
    "cells",
    [
        ROW,
        b"\n  " + ROW + b"\n  " + ROW,
        b'<row r="1" ht="15"/>',
        b'<row r="699999"><c r="Z699999"><v>1.5</v></c></row>',
        b'<row r="1"><c r="A1" t="inlineStr"><is><t xml:space="preserve"> a&amp;b </t></is></c></row>',
        b'<row r="1"><c r="A1" t="str"><f>A2&amp;"x"</f><v>ax</v></c></row>',
        b'<row r="1"><c r="B1"><f t="shared" si="0"/><v>4</v></c></row>',
        b'<row r="1"><c r="A1" t="d"><v>2026-11-25</v></c><c r="B1" t="s"></c></row>',
    ],
)
@pytest.mark.parametrize("size", [1, 7, 10**6])
def test_what_spreadsheet_programs_write_is_proven(cells: bytes, size: int) -> None:
    assert holds(cells, size=size)


@pytest.mark.parametrize(
    "cells",
    [
        b'<c r="A1" t="e"><v>#REF!</v></c>',
        b'<c r="A1"><f>B2</f></c>',
        b'<c r="A1"><f>B2</f><v></v></c>',
        b"<c r='ZZ900000'><v>1</v></c>",
        b'<c r = "ZZ900000"><v>1</v></c>',
        b'<c\tr="ZZ900000"><v>1</v></c>',
        b'<c r="b3"><v>1</v></c>',
        b'<c r="A000900000"><v>1</v></c>',
        b'<c r="AA1"><v>1</v></c>',
        b'<c r="A700000"><v>1</v></c>',
        b"<c><v>1</v></c>",
        b'<x:c r="A1"><v>1</v></x:c>',
        b'<!-- r="A1" --><c r="A1"/>',
        b'<c r="A1"><v><![CDATA[1]]></v></c>',
    ],
)
def test_anything_else_is_not(cells: bytes) -> None:
    assert not holds(b'<row r="1">' + cells + b"</row>")


def test_a_sheet_without_its_end_or_with_two_tables_of_cells_is_not() -> None:
    assert not holds(ROW, after=b"")
    assert not holds(ROW, after=AFTER + b"<sheetData>")
    assert not holds(ROW, before=b"<x:sheetData><sheetData>")
    assert not holds(ROW, before=b"<worksheet>", after=b"</worksheet>")
    assert not holds(b'<row r="1"><c r="A1" t="str"><v>' + b"x" * 2_000_000 + b"</v></c></row>", size=4096)


def chunks(data: bytes, size: int) -> Iterator[bytes]:
    yield from (data[place : place + size] for place in range(0, len(data), size))


@pytest.mark.parametrize(
    ("reference", "area", "near"),
    [
        ("AB50", 28 * 50, True),
        ("AB50", 28 * 50 - 1, False),
        ("A1048576", 1_048_576, True),
        ("A1048576", 1_000_000, False),
        ("XFD1", 16_384, True),
        ("XFD1", 16_383, False),
    ],
)
@pytest.mark.parametrize("size", [5, 10**6])
def test_the_rectangle_around_the_cells_is_measured(reference: str, area: int, near: bool, size: int) -> None:
    cells = b'<row r="1"><c r="A1"/><c r="%b"/></row>' % reference.encode()
    assert is_near(lambda: chunks(BEFORE + cells + AFTER, size), area) is near


def test_cells_that_are_not_proven_are_never_near() -> None:
    cells = b"<row r=\"1\"><c r='A1'/></row>"
    assert not is_near(lambda: chunks(BEFORE + cells + AFTER, 10**6), 10**9)


def test_the_widest_pattern_takes_the_last_cell_of_a_sheet() -> None:
    proof = Proof(ANYWHERE)
    proof.feed(BEFORE + b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>' + AFTER)
    assert proof.holds
