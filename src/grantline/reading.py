"""The stages *read* and *map* as one: a file and a mapping document become records.

In: a path, a mapping document (or none: the header is recognized), a DuckDB connection, a scratch
folder that outlives the tables. Out: a `Reading`. Used by the runs of an import, by previews and by
`grantline check`, so that all of them say the same about a file. Knows no database and no network.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from collections.abc import Mapping as Document
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from grantline.errors import FileError
from grantline.formats.limits import Limits
from grantline.formats.options import FileOptions
from grantline.formats.read import read
from grantline.formats.table import Table
from grantline.mapping.apply import apply
from grantline.mapping.document import Mapping, load
from grantline.mapping.propose import Proposal, known_header, propose
from grantline.mapping.records import Records
from grantline.mapping.source import Unproven
from grantline.mapping.sql import INVISIBLE

Stage = Callable[[str], AbstractContextManager[None]]


@dataclass(frozen=True)
class Reading:
    """A file that was read and mapped. `proposal` is None where the mapping names the columns."""

    table: Table
    mapping: Mapping
    records: Records
    proposal: Proposal | None


def as_mapping(document: str | Document[str, Any] | Mapping | None) -> Mapping:
    """The mapping that `document` describes; None is the empty one, by which headers are recognized.

    Raises: `MappingInvalid`, `HeaderDuplicate`; also for what the `file` section says.
    """
    if document is None:
        return Mapping(columns=())
    mapping = document if isinstance(document, Mapping) else load(document)
    FileOptions.from_document(mapping.file)
    return mapping


def read_table(
    path: Path,
    mapping: Mapping,
    con: duckdb.DuckDBPyConnection,
    scratch: Path,
    *,
    limits: Limits | None = None,
    path_name: str | None = None,
    lazy: bool = False,
) -> tuple[Table, Mapping, Proposal | None]:
    """The file's table, and the mapping with its columns: the document's own, or those proposed.

    `lazy` leaves the scan that proves a text file clean to whoever maps it (`Table.expected_count`).

    Raises: `FileError`, `SourceTooLarge`.
    """
    options = FileOptions.from_document(mapping.file)
    known = _Known(mapping)
    table = read(
        path, options, limits or Limits(), con, scratch, known=known, used=known.used, path_name=path_name, lazy=lazy
    )
    if mapping.columns:
        return table, mapping, None
    proposal = propose(table.columns)
    completed = replace(
        mapping,
        columns=proposal.mapping.columns,
        constants=mapping.constants or proposal.mapping.constants,
        where=mapping.where or proposal.mapping.where,
    )
    return replace(table, format=replace(table.format, layout=proposal.layout)), completed, proposal


def read_records(
    path: Path,
    document: str | Document[str, Any] | Mapping | None,
    con: duckdb.DuckDBPyConnection,
    scratch: Path,
    *,
    limits: Limits | None = None,
    path_name: str | None = None,
    prefix: str = "map_",
    stage: Stage = lambda name: nullcontext(),
) -> Reading:
    """The file's records, in temporary tables of `con` that begin with `prefix`.

    A text file that looks clean is not scanned before it is mapped: the first pass of the mapping proves
    it. Where it does not, or where anything is wrong, the file is read again, exactly, so that what is
    said about it never depends on the way. `stage` is entered for `read` and `map`.

    Raises: `FileError` where the whole file is refused, `SourceTooLarge` where a limit is exceeded.
    """
    given = as_mapping(document)

    def attempt(lazy: bool) -> Reading:
        with stage("read"):
            table, mapping, proposal = read_table(
                path, given, con, scratch, limits=limits, path_name=path_name, lazy=lazy
            )
        with stage("map"):
            records = apply(con, table, mapping, prefix)
        return Reading(table, mapping, records, proposal)

    try:
        return attempt(lazy=True)
    except (Unproven, FileError):
        return attempt(lazy=False)


class _Known:
    """Whether a row looks like the header: it holds every mapped name, or names that we know."""

    def __init__(self, mapping: Mapping) -> None:
        self._sources = {_clean(rule.source) for rule in mapping.columns}
        self._sources |= {_clean(condition.column) for condition in mapping.where}

    def __call__(self, columns: Sequence[str]) -> bool:
        if not self._sources:
            return known_header(columns)
        return self._sources <= {_clean(column) for column in columns}

    def used(self, columns: Sequence[str]) -> list[int]:
        """The columns, by index, that the mapping reads: its own, or those that the header suggests."""
        sources = self._sources
        if not sources:
            try:
                sources = {_clean(rule.source) for rule in propose(columns).mapping.columns}
            except FileError:
                return list(range(len(columns)))
        return [place for place, column in enumerate(columns) if _clean(column) in sources]


def _clean(name: str) -> str:
    return unicodedata.normalize("NFC", name).strip(INVISIBLE)
