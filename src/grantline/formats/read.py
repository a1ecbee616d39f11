"""The entry of the room: a file becomes a table.

In: a path, the options of the mapping, the limits, a DuckDB connection, a scratch folder that outlives
the table. Out: a `Table`. Owns the dispatch alone: recognize by content, unpack, hand to the reader of
that format; a declared format must agree with the content.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from grantline.errors import FileEmpty
from grantline.formats.csv_text import read_text
from grantline.formats.dialect import Known
from grantline.formats.limits import Limits
from grantline.formats.options import FileOptions
from grantline.formats.ranged import refuse_ranged
from grantline.formats.recognize import HEAD_BYTES, Kind, recognize
from grantline.formats.table import Table
from grantline.formats.workbook import read_workbook


def read(
    path: Path,
    options: FileOptions,
    limits: Limits,
    con: duckdb.DuckDBPyConnection,
    scratch: Path,
    *,
    known: Known | None = None,
    path_name: str | None = None,
) -> Table:
    """The table in `path`.

    `known` says whether names look like a header; `path_name` is the file's own name, for messages.
    The table's SQL reads `path` or files in `scratch`, so both must outlive it; `con` must keep
    DuckDB's `preserve_insertion_order` on, by which rows are numbered.

    Raises: `FileError` where the whole file is refused, `SourceTooLarge` where a limit is exceeded.
    """
    name = path_name or path.name
    if path.stat().st_size == 0:
        raise FileEmpty("The file holds 0 bytes.")
    with path.open("rb") as file:
        kind = recognize(file.read(HEAD_BYTES), name)
    table = _read_kind(kind, path, options, limits, con, scratch, known, name)
    refuse_ranged(table.columns)
    return table


def _read_kind(
    kind: Kind,
    path: Path,
    options: FileOptions,
    limits: Limits,
    con: duckdb.DuckDBPyConnection,
    scratch: Path,
    known: Known | None,
    name: str,
) -> Table:
    if kind == "zip":
        return read_workbook(path, "xlsx", options, limits, con, scratch, known)
    return read_text(path, options, limits, con, scratch, known)
