"""The stages *read* and *map* as one: a file and a mapping document become records.

In: a path, a mapping document (or none: the header is recognized), a DuckDB connection, a scratch
folder that outlives the tables. Out: a `Reading`. Used by the runs of an import, by previews and by
`grantline check`, so that all of them say the same about a file. Knows no database and no network.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from collections.abc import Mapping as Document
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from grantline.errors import FileEmpty, FileError, FileStructure
from grantline.formats.limits import Limits
from grantline.formats.options import FileOptions
from grantline.formats.packed import inner_head
from grantline.formats.read import read
from grantline.formats.table import Table
from grantline.mapping.apply import map_source
from grantline.mapping.combine import Part, combine, is_resolved
from grantline.mapping.document import ColumnRule, Mapping, load
from grantline.mapping.layouts import LINUX_GROUP
from grantline.mapping.names import plain
from grantline.mapping.others import Others
from grantline.mapping.propose import Proposal, known_header, propose
from grantline.mapping.records import Records
from grantline.mapping.source import Unproven
from grantline.reading.file_connector import (
    SECTIONS,
    flat_parts,
    folded,
    has_rows,
    is_flat,
    is_workbook,
    sheet_parts,
    with_unknown_types,
)
from grantline.reading.parts import PartFile, PartSet, find_parts
from grantline.reading.sets import read_set

GROUP_LINE = re.compile(rb"(?:[^:,\s]+:[^:,\s]*:\d+:[^:\s]*|[+-][^:\s]*:[^:]*:\d*:[^:]*)\s*")
GROUP_BYTES, GROUP_LINES = 16 * 1024, 50
LINUX_GROUP_FILE = {
    "format": "csv",
    "delimiter": ":",
    "quote": None,
    "header_row": None,
    "names": list(LINUX_GROUP),
}
"""How /etc/group is read: it has no header, and says by itself that it is one."""

KEYS = ("account.id", "resource.type", "resource.name", "entitlement.name")
"""Targets that identify something."""

FEW_ROWS = 10
"""Refused rows below which a file is taken whatever their share: small files have large shares."""

ROW_ERROR_SHARE = 0.05
"""Share of refused rows above which a file is refused."""

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
    for rule in mapping.sources:
        FileOptions.from_document(mapping.of_source(rule).file)
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
    in_set: bool = False,
) -> tuple[Table, Mapping, Proposal | None]:
    """The file's table, and the mapping with its columns: the document's own, or those proposed.

    `lazy` leaves the scan that proves a text file clean to whoever maps it (`Table.expected_count`).

    Raises: `FileError`, `SourceTooLarge`.
    """
    if not mapping.columns and not mapping.file and _is_linux_group(path):
        mapping = replace(mapping, file=dict(LINUX_GROUP_FILE))
    options = FileOptions.from_document(mapping.file)
    known = _Known(mapping, in_set=in_set)
    table = read(
        path,
        options,
        limits or Limits(),
        con,
        scratch,
        known=known,
        used=known.used,
        keys=known.keys,
        path_name=path_name,
        lazy=lazy,
    )
    if mapping.columns:
        return table, mapping, None
    proposal = propose(table.columns, in_set=in_set)
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
    row_error_share: float = ROW_ERROR_SHARE,
    checked: bool = True,
    stage: Stage = lambda name: nullcontext(),
    others: Others | None = None,
) -> Reading:
    """The file's records, in temporary tables of `con` that begin with `prefix`.

    A text file that looks clean is not scanned before it is mapped: the first pass of the mapping proves
    it. Where it does not, or where anything is wrong, the file is read again, exactly, so that what is
    said about it never depends on the way. `stage` is entered for `read` and `map`. Without `checked`
    no cell is looked at; that is for measuring only. `others` is what other imports of the application
    list, to which the file may refer.

    Raises: `FileError` where the whole file is refused, `SourceTooLarge` where a limit is exceeded.
    """
    given = as_mapping(document)

    found = find_parts(path, given, scratch, limits or Limits())
    found = _of_file_connector(path, given, found, con, scratch, limits) or found
    if found is not None:
        reading = _read_several(found, given, con, scratch, limits, prefix, stage, others)
        if reading is not None:
            return _acceptable(reading, row_error_share)

    def attempt(lazy: bool) -> Reading:
        with stage("read"):
            table, mapping, proposal = read_table(
                path, given, con, scratch, limits=limits, path_name=path_name, lazy=lazy
            )
        with stage("map"):
            records = _map(con, table, mapping, prefix, others, checked=checked)
        return Reading(table, mapping, records, proposal)

    try:
        reading = attempt(lazy=True)
    except (Unproven, FileError):
        reading = attempt(lazy=False)
    return _acceptable(reading, row_error_share)


def _map(
    con: duckdb.DuckDBPyConnection, table: Table, mapping: Mapping, prefix: str, others: Others | None, *, checked: bool
) -> Records:
    """The records of one table, resolved against what other imports list where it refers to that."""
    own = f"{prefix}own_" if others is not None else prefix
    records, work = map_source(con, table, mapping, own, checked=checked)
    if not is_resolved(records.references, others):
        return records
    return combine(con, [Part("", records, work)], prefix, others)


def _read_several(
    found: PartSet,
    given: Mapping,
    con: duckdb.DuckDBPyConnection,
    scratch: Path,
    limits: Limits | None,
    prefix: str,
    stage: Stage,
    others: Others | None,
) -> Reading | None:
    """The files or sheets of a set as one; None where it turns out to be one table."""

    def read_part(file: PartFile, lazy: bool) -> tuple[Table, Mapping, Proposal | None]:
        if file.table is not None:
            return file.table, file.mapping, None
        assert file.path is not None, "a part without a table is a file"  # noqa: S101
        with stage("read"):
            return read_table(
                file.path, file.mapping, con, scratch, limits=limits, path_name=file.name, lazy=lazy, in_set=True
            )

    with stage("map"):
        whole = read_set(con, found, given, read_part, prefix)
        if whole is None:
            return None
        return Reading(whole.table, whole.mapping, combine(con, whole.parts, prefix, others), whole.proposal)


def _of_file_connector(
    path: Path,
    given: Mapping,
    found: PartSet | None,
    con: duckdb.DuckDBPyConnection,
    scratch: Path,
    limits: Limits | None,
) -> PartSet | None:
    """The parts of a file connector's input; None where the file is none, or where a mapping is given."""
    if given.columns or given.sources or given.mode != "full" or path.is_dir():
        return None
    if found is None:
        table = _flat_table(path, given, con, scratch, limits or Limits())
        parts = with_unknown_types(con, flat_parts(table), table) if table is not None else None
    elif is_workbook([part.name for part in found.parts]):
        parts = sheet_parts(_sheet_tables(found, con, scratch, limits or Limits()))
    else:
        return None
    return replace(parts, parts=tuple(part for part in parts.parts if has_rows(con, part))) if parts else None


def _flat_table(
    path: Path, given: Mapping, con: duckdb.DuckDBPyConnection, scratch: Path, limits: Limits
) -> Table | None:
    """The table, where the start of the file says that it may be the connector's CSV."""
    head = inner_head(path, limits).replace(b"\0", b"").lower()[:4096]
    if b"record" not in head or b"slug" not in head:
        return None
    options = FileOptions.from_document(given.file)
    try:
        table = read(path, options, limits, con, scratch, known=is_flat)
    except FileError:
        return None  # told in full by the ordinary way
    return table if is_flat(table.columns) else None


def _sheet_tables(found: PartSet, con: duckdb.DuckDBPyConnection, scratch: Path, limits: Limits) -> dict[str, Table]:
    tables = {}
    for part in found.parts:
        if part.path is not None and folded(part.name) in SECTIONS:
            with suppress(FileEmpty):  # sheets without rows say nothing
                options = FileOptions.from_document(part.mapping.file)
                tables[part.name] = read(part.path, options, limits, con, scratch)
    return tables


def _acceptable(reading: Reading, row_error_share: float) -> Reading:
    """Raises: `FileStructure` where so many rows are refused that the file itself must be wrong."""
    records = reading.records
    rejected = records.rows_rejected - records.rows_dangling
    if rejected < FEW_ROWS or rejected <= row_error_share * records.rows_read:
        return reading
    errors = Counter((issue.code, issue.column) for issue in records.issues if issue.severity == "error")
    (code, column), _ = errors.most_common(1)[0]
    example = next(issue for issue in records.issues if (issue.code, issue.column) == (code, column))
    unlisted, share = records.rows_unlisted, _percent(records.rows_unlisted / records.rows_read)
    words = (
        f" {unlisted:,} of them ({share} of all rows) name accounts or entitlements that no import of this application"
        " lists."
    )
    raise FileStructure(
        f"{rejected:,} of {records.rows_read:,} rows are refused ({_percent(rejected / records.rows_read)}); the limit"
        f" is {_percent(row_error_share)}.{words if unlisted else ''} The most frequent reason is {code}"
        f"{f' in {column}' if column else ''}, such as: {example.message}",
        remedy="Correct the file or the mapping and import it again; the limit is GRANTLINE_ROW_ERROR_SHARE.",
        row=example.row,
        line=example.line,
        column=example.column,
        cell=example.cell,
        issues=records.issues,
    )


def _percent(share: float) -> str:
    return f"{share * 100:.0f} %"


def _is_linux_group(path: Path) -> bool:
    """Whether every line at the start of the file is one of /etc/group: `wheel:x:10:user01,user02`."""
    with path.open("rb") as file:
        lines = file.read(GROUP_BYTES).splitlines()[:GROUP_LINES]
    filled = [line for line in lines[: -1 if len(lines) == GROUP_LINES else None] if line.strip()]
    return bool(filled) and all(GROUP_LINE.fullmatch(line) for line in filled)


class _Known:
    """Whether a row looks like the header: it holds every mapped name, or names that we know."""

    def __init__(self, mapping: Mapping, *, in_set: bool = False) -> None:
        self._in_set, self._mapping = in_set, mapping
        self._sources = {plain(rule.source) for rule in mapping.columns}
        self._sources |= {plain(condition.column) for condition in mapping.where}

    def __call__(self, columns: Sequence[str]) -> bool:
        if not self._sources:
            return known_header(columns, in_set=self._in_set)
        return self._sources <= {plain(column) for column in columns}

    def used(self, columns: Sequence[str]) -> list[int]:
        """The columns, by index, that the mapping reads: its own, or those that the header suggests."""
        sources = self._sources
        if not sources:
            rules = self._rules(columns)
            if rules is None:
                return list(range(len(columns)))
            sources = {plain(rule.source) for rule in rules}
        return [place for place, column in enumerate(columns) if plain(column) in sources]

    def keys(self, columns: Sequence[str]) -> list[int]:
        """The columns, by index, that identify an account or an entitlement."""
        rules = [rule for rule in self._rules(columns) or () if rule.to in KEYS]
        sources = {plain(rule.source) for rule in rules}
        return [place for place, column in enumerate(columns) if plain(column) in sources]

    def _rules(self, columns: Sequence[str]) -> tuple[ColumnRule, ...] | None:
        """The mapping's rules, or those that the header suggests; None where it suggests none."""
        if self._mapping.columns:
            return self._mapping.columns
        try:
            return propose(columns, in_set=self._in_set).mapping.columns
        except FileError:
            return None
