"""JSON, from records to a table.

In: a JSON document or JSON lines. Out: a `Table` over a normalised copy in `scratch`. The columns are
the keys of all records in the order they are met, keys inside objects as `a.b`; a list of plain values
is one cell, joined with a separator that none of its values holds (`Table.separators`). Two passes: the
first finds the columns and separators, the second writes.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from grantline.errors import FileEmpty
from grantline.formats.dialect import clean_name
from grantline.formats.json_stream import DuplicateKeys, JsonRecord, JsonRecords
from grantline.formats.limits import Limits
from grantline.formats.normal import NormalFile, Used
from grantline.formats.table import LIST_SEPARATORS, Format, Place, Table
from grantline.issues import Issue


def read_json(
    path: Path,
    records: str | None,
    lines_only: bool,
    limits: Limits,
    con: duckdb.DuckDBPyConnection,
    scratch: Path,
    used: Used | None = None,
) -> Table:
    """The table of a UTF-8 JSON file.

    Raises: `FileStructure`, `FileEmpty`, `SourceTooLarge`, `UnicodeDecodeError`.
    """
    shape = _Shape(limits)
    for record in JsonRecords(path, limits, records, lines_only):
        shape.see(record.value)
    if shape.count == 0:
        raise FileEmpty("The JSON document holds no records.")
    source = JsonRecords(path, limits, records, lines_only)
    deadline = time.monotonic() + limits.seconds
    with NormalFile(scratch, shape.names(), limits, used) as file:
        for record in source:
            _write(file, record, shape)
            if time.monotonic() > deadline:
                raise limits.too_large("seconds", f"Reading was stopped at record {file.row_count:,}")
    notes = list(source.notes)
    if records is None and source.shape not in ("array", "lines"):
        notes.append(f'The records were found under "{source.shape}".')
    format = Format("jsonl" if source.shape == "lines" else "json")
    return file.table(con, format, lambda line: Place(line=line), notes, _cleaned(shape.separators()))


def _cleaned(separators: dict[str, str]) -> dict[str, str]:
    return {clean_name(name): mark for name, mark in separators.items()}


class _Refused(Exception):
    """A value of the record cannot be a cell; `column` names it."""

    def __init__(self, message: str, column: str | None = None) -> None:
        super().__init__(message)
        self.message, self.column = message, column


@dataclass
class _Shape:
    """The columns of all records, and for each list column the separators still free."""

    limits: Limits
    columns: dict[str, int] = field(default_factory=dict)
    free: dict[str, list[str]] = field(default_factory=dict)
    count: int = 0

    def see(self, value: Any) -> None:
        """Takes a record into account."""
        self.count += 1
        if not isinstance(value, dict):
            return
        for name, cell in _leaves(value, self.limits):
            if name not in self.columns:
                self.columns[name] = len(self.columns)
                if len(self.columns) > self.limits.columns:
                    raise self.limits.too_large("columns", f"The records have {len(self.columns):,} keys")
            if isinstance(cell, list):
                free = self.free.setdefault(name, list(LIST_SEPARATORS))
                texts = [_scalar(item) for item in cell if not isinstance(item, (dict, list))]
                self.free[name] = [mark for mark in free if not any(mark in text for text in texts)]

    def separators(self) -> dict[str, str]:
        """For each column of lists what its values are joined with."""
        return {name: (marks or LIST_SEPARATORS[-1:])[0] for name, marks in self.free.items()}

    def names(self) -> list[str]:
        """The columns' names as the table has them."""
        return [clean_name(name.encode("utf-8", "replace").decode()) for name in self.columns]


def _leaves(value: dict[str, Any], limits: Limits, prefix: str = "", depth: int = 1) -> Iterator[tuple[str, Any]]:
    if depth > limits.nesting:
        raise limits.too_large("nesting", f"The records are nested {depth} levels deep")
    for key, inner in value.items():
        if isinstance(inner, dict):
            yield from _leaves(inner, limits, f"{prefix}{key}.", depth + 1)
        else:
            yield f"{prefix}{key}", inner


def _scalar(value: Any) -> str:
    """A value that is no list and no object, as text; numbers are text already."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _write(file: NormalFile, record: JsonRecord, shape: _Shape) -> None:
    cells = [""] * len(shape.columns)
    try:
        _fill(cells, record.value, shape, file.used)
    except _Refused as fault:
        issue = Issue(
            "value_invalid",
            fault.message,
            row=file.row_count + 1,
            line=record.line,
            column=fault.column,
        )
        file.refuse(record.line, cells, issue)
        return
    file.checked(record.line, cells)


def _fill(cells: list[str], value: Any, shape: _Shape, used: Collection[int]) -> None:
    """Puts the record's values into `cells`; what can be told is there even where it is refused."""
    if not isinstance(value, dict):
        raise _Refused("The record is not an object.")
    separators = shape.separators() if shape.free else {}
    fault = _doubled(value)
    for name, cell in _leaves(value, shape.limits):
        if isinstance(cell, list):
            if any(isinstance(item, (dict, list)) for item in cell):
                if shape.columns[name] not in used:
                    continue
                fault = fault or _Refused(f"{name} holds a list of objects or lists, not of values.", name)
                continue
            cells[shape.columns[name]] = separators[name].join(_scalar(item) for item in cell)
        else:
            cells[shape.columns[name]] = _scalar(cell)
    if fault is not None:
        raise fault


def _doubled(value: Any) -> _Refused | None:
    """The fault of an object in which a key occurs twice, at any depth."""
    if isinstance(value, DuplicateKeys):
        return _Refused(f'The key "{value.key}" occurs twice.', value.key)
    if isinstance(value, dict):
        return next((fault for inner in value.values() if (fault := _doubled(inner))), None)
    return None
