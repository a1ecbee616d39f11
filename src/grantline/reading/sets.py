"""Several files or sheets, read, mapped and put together.

In: the parts that `parts` found. Out: a `Reading` as of one file. Each part is mapped on its own, by its
source's mapping or by its header; `mapping.combine` makes one set of records of them. Of a workbook that
nothing maps, sheets whose header says nothing are left out with a note, and two sheets of the same shape
are refused: nobody can tell which of them counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import duckdb

from grantline.errors import FileEmpty, FileError, FileStructure, HeaderMissing
from grantline.formats.table import Format, Table
from grantline.mapping.apply import map_source
from grantline.mapping.combine import Part
from grantline.mapping.document import Mapping, SourceRule
from grantline.mapping.propose import Proposal
from grantline.mapping.source import Unproven
from grantline.reading.parts import PartFile, PartSet, refuse_other_count

ReadPart = Callable[[PartFile, bool], tuple[Table, Mapping, Proposal | None]]
"""Reads one part's table, lazily or not."""


@dataclass(frozen=True)
class SetReading:
    """What `reading.Reading` holds, of a whole set."""

    table: Table
    mapping: Mapping
    parts: tuple[Part, ...]
    proposal: Proposal | None


@dataclass(frozen=True)
class _Mapped:
    file: PartFile
    table: Table
    mapping: Mapping
    proposal: Proposal | None
    part: Part

    @property
    def shape(self) -> str:
        if self.part.defines:
            return "entitlements"
        return "accounts" if self.part.is_roster else "grants"


def read_set(
    con: duckdb.DuckDBPyConnection, found: PartSet, mapping: Mapping, read_part: ReadPart, prefix: str
) -> SetReading | None:
    """The set; None where only one of optional parts is a table, which is then read alone.

    Raises: `FileError` with the part's name, `SourceIncompleteSet`, `SourceTooLarge`.
    """
    mapped: list[_Mapped] = []
    left_out: list[str] = []
    empty: list[str] = []
    for index, file in enumerate(found.parts):
        try:
            mapped.append(_map(con, file, read_part, f"{prefix}s{index}_"))
        except (HeaderMissing, FileEmpty, FileStructure) as error:
            if file.optional:
                left_out.append(file.name)
            elif isinstance(error, FileEmpty) and file.path is not None and file.path.stat().st_size:
                empty.append(file.name)  # jobs that write in parts leave some with a header alone
            else:
                raise _named(error, file) from error
        except FileError as error:
            raise _named(error, file) from error
    if found.parts[0].optional and len(mapped) < 2:
        return None
    if not mapped:
        raise FileEmpty("None of the files holds data rows.")
    _refuse_same_shape(mapped)
    refuse_other_count(sum(entry.part.records.rows_read for entry in mapped), found.rows)
    notes = [*found.notes, *(f"{entry.file.name}: {note}" for entry in mapped for note in entry.table.notes)]
    if empty:
        notes.append(f"Files with a header and no rows: {', '.join(empty[:5])}.")
    if left_out:
        notes.append(f"Sheets whose header is not known, left out: {', '.join(left_out)}.")
    table = _table(mapped, notes)
    if found.layout is not None:
        table = replace(table, format=Format(found.layout, layout=found.layout))
    return SetReading(
        table=table,
        mapping=_document(mapped, mapping),
        parts=tuple(entry.part for entry in mapped),
        proposal=_proposal(mapped),
    )


def _map(con: duckdb.DuckDBPyConnection, file: PartFile, read_part: ReadPart, prefix: str) -> _Mapped:
    def attempt(lazy: bool) -> _Mapped:
        table, mapping, proposal = read_part(file, lazy)
        if file.derived:
            table = replace(table, places=lambda rows: {})
        records, work = map_source(con, table, mapping, prefix)
        return _Mapped(file, table, mapping, proposal, Part(file.name, records, work, file.is_sheet))

    try:
        return attempt(True)
    except (Unproven, FileError):
        return attempt(False)


def _named(error: FileError, file: PartFile) -> FileError:
    """The same error, whose message says which part it is about."""
    what = f'Sheet "{file.name}"' if file.is_sheet else file.name
    error.message = f"{what}: {error.message}"
    return error


def _refuse_same_shape(mapped: Sequence[_Mapped]) -> None:
    """Two sheets of the same shape that nobody named: one may be last year's."""
    if not mapped[0].file.optional:
        return
    shapes: dict[str, str] = {}
    for entry in mapped:
        other = shapes.setdefault(entry.shape, entry.file.name)
        if other != entry.file.name:
            raise FileStructure(
                f'The sheets "{other}" and "{entry.file.name}" both hold {entry.shape}, so they must be named.',
                remedy="Name the sheet in the mapping (file.sheet), or list all that count (sources).",
            )


def _table(mapped: Sequence[_Mapped], notes: list[str]) -> Table:
    first = mapped[0].table
    is_sheets = mapped[0].file.is_sheet
    formats = [entry.table.format for entry in mapped]
    same = replace(
        formats[0],
        header_row=formats[0].header_row if is_sheets is False else None,
        sheet=", ".join(entry.file.name for entry in mapped) if is_sheets else None,
        layout=" + ".join(dict.fromkeys(f.layout for f in formats if f.layout)) or None,
    )
    if len({(f.type, f.delimiter, f.encoding, f.compression) for f in formats}) > 1:
        same = Format(" + ".join(dict.fromkeys(f.type for f in formats)), sheet=same.sheet, layout=same.layout)
    return replace(first, format=same, notes=tuple(notes))


def _document(mapped: Sequence[_Mapped], mapping: Mapping) -> Mapping:
    """The mapping that reads the same again: the document's own, or one source for each sheet.

    Files that are recognized one by one stay so: their names change with every delivery.
    """
    if mapping.columns or mapping.sources:
        return mapping
    if not mapped[0].file.is_sheet:
        return mapping
    rules = tuple(
        SourceRule(
            sheet=entry.file.name,
            columns=entry.mapping.columns,
            constants=entry.mapping.constants,
            where=entry.mapping.where,
        )
        for entry in mapped
    )
    return replace(mapping, columns=(), sources=rules)


def _proposal(mapped: Sequence[_Mapped]) -> Proposal | None:
    found = [entry.proposal for entry in mapped if entry.proposal is not None]
    if not found:
        return None
    layout = " + ".join(dict.fromkeys(proposal.layout for proposal in found))
    reasons = tuple(dict.fromkeys(reason for proposal in found for reason in proposal.reasons))
    return Proposal(found[0].mapping, layout, reasons)
