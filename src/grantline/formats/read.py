"""The entry of the room: a file becomes a table.

In: a path, the options of the mapping, the limits, a DuckDB connection, a scratch folder that outlives
the table. Out: a `Table`. Owns the dispatch alone: recognize by content, unpack, hand to the reader of
that format; a declared format must agree with the content.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from grantline.errors import FileEmpty, FileStructure, MappingInvalid
from grantline.formats.csv_text import as_utf8, bad_utf8, read_text
from grantline.formats.dialect import Known
from grantline.formats.json_text import read_json
from grantline.formats.limits import Limits
from grantline.formats.normal import Used
from grantline.formats.options import FileOptions, refuse_unused
from grantline.formats.parquet import read_parquet
from grantline.formats.protection import without_prefix
from grantline.formats.ranged import refuse_ranged
from grantline.formats.recognize import HEAD_BYTES, Kind, recognize
from grantline.formats.table import Table
from grantline.formats.unpack import unpack, zip_members
from grantline.formats.workbook import read_workbook

PACKED = ("gzip", "zstd", "bz2", "xz", "zip")

AGREEING = {"csv": ("text", "json"), "jsonl": ("json",)}
"""Declared format → contents that may be it: a CSV may begin with a bracket."""

NAMES = {
    "text": "delimited text",
    "json": "JSON",
    "xlsx": "a workbook (.xlsx)",
    "ods": "a workbook (.ods)",
    "parquet": "Parquet",
}
"""Contents in words."""


def read(
    path: Path,
    options: FileOptions,
    limits: Limits,
    con: duckdb.DuckDBPyConnection,
    scratch: Path,
    *,
    known: Known | None = None,
    used: Used | None = None,
    keys: Used | None = None,
    path_name: str | None = None,
    lazy: bool = False,
) -> Table:
    """The table in `path`.

    `known` says whether names look like a header; `used` which columns the mapping reads (by index;
    None: all), so that a fault in a cell of another column refuses no row; `keys` which of them identify
    something; `path_name` is the file's
    own name, for messages. With `lazy`, a text file that looks clean is not scanned
    (`Table.expected_count`).
    The table's SQL reads `path` or files in `scratch`, so both must outlive it; `con` must keep
    DuckDB's `preserve_insertion_order` on, by which rows are numbered.

    Raises: `FileError` where the whole file is refused, `SourceTooLarge` where a limit is exceeded.
    """
    job = _Job(options, limits, con, scratch, known, used, keys, path_name or path.name, lazy)
    table = job.table(path)
    refuse_ranged(table.columns)
    return table


@dataclass(frozen=True)
class _Job:
    """What every reader needs, once."""

    options: FileOptions
    limits: Limits
    con: duckdb.DuckDBPyConnection
    scratch: Path
    known: Known | None
    used: Used | None
    keys: Used | None
    name: str
    lazy: bool

    def table(self, path: Path, layers: tuple[str, ...] = ()) -> Table:
        """The table in `path`, below `layers` of compression."""
        if path.stat().st_size == 0:
            raise FileEmpty("The file holds 0 bytes." if not layers else "The packed file holds 0 bytes.")
        with path.open("rb") as file:
            kind = recognize(file.read(HEAD_BYTES), self.name if not layers else "")
        found = _content(path, kind)
        if found in PACKED:
            if len(layers) == self.limits.layers:
                raise self.limits.too_large("layers", "The file is packed more than twice")
            inside = unpack(path, kind, self.limits, self.scratch, self.options.member)
            return self.table(inside, (*layers, found))
        found = _agreed(found, self.options)
        refuse_unused(self.options, found)
        if self.options.member is not None and "zip" not in layers:
            raise MappingInvalid("file.member names a file in a ZIP, but this file is none.")
        table = without_prefix(self._read(path, found), self.options.protective_prefix)
        if layers:
            table = replace(table, format=replace(table.format, compression="+".join(layers)))
        return table

    def _read(self, path: Path, kind: str) -> Table:
        if kind in ("xlsx", "ods"):
            return read_workbook(
                path, kind, self.options, self.limits, self.con, self.scratch, self.known, self.used, self.keys
            )
        if kind == "parquet":
            return read_parquet(path, self.limits, self.con, self.scratch, self.used)
        if kind in ("json", "jsonl"):
            return self._read_json(path, lines_only=kind == "jsonl")
        return read_text(path, self.options, self.limits, self.con, self.scratch, self.known, self.used, lazy=self.lazy)

    def _read_json(self, path: Path, *, lines_only: bool) -> Table:
        encoding, text = as_utf8(path, self.options, self.scratch)
        try:
            table = read_json(text, self.options, lines_only, self.limits, self.con, self.scratch, self.used)
        except UnicodeDecodeError as fault:
            raise bad_utf8(text, encoding, self.options, None, self.scratch, delimited=False) from fault
        return replace(table, format=replace(table.format, encoding=encoding.name))


def _content(path: Path, kind: Kind) -> str:
    """`kind`, with a ZIP told apart: a workbook or a packed file."""
    if kind != "zip":
        return kind
    names = {member.filename for member in zip_members(path)}
    if "xl/workbook.xml" in names:
        return "xlsx"
    if "xl/workbook.bin" in names:
        raise FileStructure("Binary workbooks (.xlsb) are not read.", remedy="Save it as .xlsx or CSV.")
    if {"mimetype", "content.xml"} <= names:
        return "ods"
    return "zip"


def _agreed(found: str, options: FileOptions) -> str:
    """The format to read; a declared one must agree with the content.

    Raises: `FileStructure`.
    """
    declared = options.format
    if declared == "auto":
        return "csv" if found == "text" else found
    if declared == found or found in AGREEING.get(declared, ()):
        return declared
    raise FileStructure(
        f"The mapping declares {declared}, but the file's content is {NAMES[found]}.",
        remedy=f"Set file.format to auto or {'csv' if found == 'text' else found}, or correct the file.",
    )
