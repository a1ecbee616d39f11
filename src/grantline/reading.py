"""The stages *read* and *map* as one: a file and a mapping document become records.

In: a path, a mapping document (or none: the header is recognized), a DuckDB connection, a scratch
folder that outlives the tables. Out: a `Reading`. Used by the runs of an import, by previews and by
`grantline check`, so that all of them say the same about a file. Knows no database and no network.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping as Document
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from grantline.formats.limits import Limits
from grantline.formats.options import FileOptions
from grantline.formats.read import read
from grantline.formats.table import Table
from grantline.mapping.apply import apply
from grantline.mapping.document import Mapping, load
from grantline.mapping.propose import Proposal, known_header, propose
from grantline.mapping.records import Records
from grantline.mapping.sql import INVISIBLE


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
) -> tuple[Table, Mapping, Proposal | None]:
    """The file's table, and the mapping with its columns: the document's own, or those proposed.

    Raises: `FileError`, `SourceTooLarge`.
    """
    options = FileOptions.from_document(mapping.file)
    known = _Known(mapping)
    table = read(path, options, limits or Limits(), con, scratch, known=known, path_name=path_name)
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
) -> Reading:
    """The file's records, in temporary tables of `con` that begin with `prefix`.

    Raises: `FileError` where the whole file is refused, `SourceTooLarge` where a limit is exceeded.
    """
    given = as_mapping(document)
    table, mapping, proposal = read_table(path, given, con, scratch, limits=limits, path_name=path_name)
    records = apply(con, table, mapping, prefix)
    return Reading(table, mapping, records, proposal)


class _Known:
    """Whether a row looks like the header: it holds every mapped name, or names that we know."""

    def __init__(self, mapping: Mapping) -> None:
        self._sources = {_clean(rule.source) for rule in mapping.columns}
        self._sources |= {_clean(condition.column) for condition in mapping.where}

    def __call__(self, columns: Sequence[str]) -> bool:
        if not self._sources:
            return known_header(columns)
        return self._sources <= {_clean(column) for column in columns}


def _clean(name: str) -> str:
    return unicodedata.normalize("NFC", name).strip(INVISIBLE)
