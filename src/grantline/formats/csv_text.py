"""Delimited text, from bytes to a table.

In: a file recognized as text. Out: a `Table`. Owns the order: encoding, UTF-8 form, head, fast path,
exact path, and the whole-file errors that need both the head and the bytes (not decodable: where;
no data rows).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import duckdb

from grantline.errors import FileEncoding, FileError
from grantline.formats import encoding as encodings
from grantline.formats.csv_exact import read_exact
from grantline.formats.csv_fast import promise_fast, read_fast, suits
from grantline.formats.dialect import Head, Known, read_head
from grantline.formats.encoding import Encoding, Undecodable
from grantline.formats.limits import Limits
from grantline.formats.lines import head_lines, open_lines
from grantline.formats.normal import Used
from grantline.formats.options import FileOptions
from grantline.formats.table import Format, Table
from grantline.formats.tokens import Record, Records, UnclosedQuote

HEAD_BYTES = 64 * 1024
SAMPLES = 3
"""Values shown where the encoding has to be asked for."""
CELLS = re.compile(rb"[,;\t|\r\n\"]+")


def read_text(
    path: Path,
    options: FileOptions,
    limits: Limits,
    con: duckdb.DuckDBPyConnection,
    scratch: Path,
    known: Known | None = None,
    used: Used | None = None,
    *,
    lazy: bool = False,
) -> Table:
    """The table of a delimited text file; `lazy` gives one that only promises to be clean.

    Raises: `FileEncoding`, `FileStructure`, `HeaderMissing`, `FileEmpty`, `SourceTooLarge`.
    """
    encoding, text = as_utf8(path, options, scratch, known)
    head = read_head(head_lines(text), options, known)
    if len(head.columns) > limits.columns:
        raise limits.too_large("columns", f"The header has {len(head.columns):,} columns")
    table = None
    format = Format("csv", head.dialect.delimiter, encoding.name, header_row=head.header_line)
    if suits(head, options):
        if lazy:
            return promise_fast(text, head, limits, scratch, format)
        table = read_fast(text, head, limits, con, scratch, format)
    if table is None:
        try:
            table = read_exact(text, head, options, limits, con, scratch, format, used)
        except UnicodeDecodeError as fault:
            raise bad_utf8(text, encoding, options, known, scratch) from fault
    return table


def as_utf8(path: Path, options: FileOptions, scratch: Path, known: Known | None = None) -> tuple[Encoding, Path]:
    """The file's encoding, and a file in `scratch` with its text in UTF-8 (itself where it is).

    Raises: `FileEncoding`. Bytes of a file that should be UTF-8 already are not looked at.
    """
    with path.open("rb") as file:
        encoding = encodings.recognize(file.read(HEAD_BYTES), options.encoding)
    if encoding.is_utf8:
        return encoding, path
    text = scratch / f"text-{uuid4().hex}.csv"
    try:
        encodings.transcode(path, encoding, text)
    except Undecodable as fault:
        raise _undecodable(text, encoding, fault.offset, options, known) from fault
    return encoding, text


def bad_utf8(
    path: Path,
    encoding: Encoding,
    options: FileOptions,
    known: Known | None,
    scratch: Path,
    *,
    delimited: bool = True,
) -> FileEncoding:
    """The error for a file that is not UTF-8; decodes it again to find the byte."""
    prefix = scratch / f"prefix-{uuid4().hex}.csv"
    try:
        encodings.transcode(path, encoding, prefix)
    except Undecodable as fault:
        error = _undecodable(prefix, encoding, fault.offset, options, known, delimited=delimited)
        return _asking(error, path, fault.offset) if options.encoding == "auto" else error
    return FileEncoding("The file changed while it was read.")


def _asking(error: FileEncoding, path: Path, offset: int) -> FileEncoding:
    """The same error, showing what the file would say in the likeliest other encoding; nothing is guessed."""
    with path.open("rb") as file:
        file.seek(max(0, offset - 200))
        around = file.read(HEAD_BYTES)
    cells = [cell for cell in CELLS.split(around) if any(byte >= 0x80 for byte in cell)]
    samples = list(dict.fromkeys(cell.decode("cp1252", "replace").strip() for cell in cells))[:SAMPLES]
    shown = ", ".join(repr(sample[:60]) for sample in samples)
    error.facts["samples"] = samples
    error.remedy = (
        f"Name the encoding in the mapping (file.encoding), or save the file as UTF-8. As windows-1252 it holds"
        f" {shown}; where that is not what it should say, it is another encoding."
    )
    return error


def _undecodable(
    prefix: Path,
    encoding: Encoding,
    offset: int,
    options: FileOptions,
    known: Known | None,
    *,
    delimited: bool = True,
) -> FileEncoding:
    """The error for the byte at `offset`; `prefix` holds the text before it."""
    name = "UTF-8" if encoding.is_utf8 else encoding.name
    head = _head_or_none(prefix, options, known) if delimited else None
    row, line, column = _end_of(prefix, head)
    place = f" (line {line}" + (f", record {row}" if row else "") + (f", column {column})" if column else ")")
    return FileEncoding(
        f"The file is not {name}: the byte at offset {offset} does not belong to it{place}.",
        row=row,
        line=line,
        column=column,
        offset=offset,
    )


def _head_or_none(prefix: Path, options: FileOptions, known: Known | None) -> Head | None:
    try:
        return read_head(head_lines(prefix), replace(options, encoding="auto"), known)
    except FileError:
        return None


def _end_of(prefix: Path, head: Head | None) -> tuple[int | None, int, str | None]:
    """Record, physical line and column where `prefix` ends."""
    line_count, unfinished = _line_count(prefix)
    here = line_count if unfinished else line_count + 1
    if head is None or here <= head.data_after:
        return None, max(here, 1), None
    row = 0
    record: Record | None = None
    with open_lines(prefix, head.data_after) as lines:
        records = Records(lines, head.dialect, first_line=head.data_after + 1)
        try:
            for found in records:
                row, record = row + 1, found
        except UnclosedQuote as fault:
            return row + 1, fault.line, _name(head.columns, fault.cell_index)
    if record is None or not unfinished:
        return row + 1, here, _name(head.columns, 0)
    return row, record.line, _name(head.columns, len(record.cells) - 1)


def _line_count(path: Path) -> tuple[int, bool]:
    """How many physical lines, and whether the last one has no line end."""
    count, line = 0, "\n"
    with open_lines(path) as lines:
        for text in lines:
            count, line = count + 1, text
    return count, not line.endswith(("\n", "\r"))


def _name(columns: Sequence[str], index: int) -> str | None:
    return columns[index] if 0 <= index < len(columns) else None
