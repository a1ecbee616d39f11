"""JSON, from records to a table.

In: a JSON document or JSON lines. Out: a `Table` over a normalised copy in `scratch`. The columns are
the keys of all records in the order they are met, keys inside objects as `a.b`; a list of plain values
is one cell, joined with a separator that none of its values holds (`Table.separators`). Two passes: the
first finds the columns and separators, the second writes.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb

from grantline.errors import FileEmpty, HeaderMissing
from grantline.formats.dialect import clean_name
from grantline.formats.json_stream import DuplicateKeys, JsonRecord, JsonRecords
from grantline.formats.limits import Limits
from grantline.formats.normal import NormalFile, Used
from grantline.formats.options import FileOptions
from grantline.formats.table import LIST_SEPARATORS, Format, Place, Table
from grantline.issues import Issue


def read_json(
    path: Path,
    options: FileOptions,
    lines_only: bool,
    limits: Limits,
    con: duckdb.DuckDBPyConnection,
    scratch: Path,
    used: Used | None = None,
) -> Table:
    """The table of a UTF-8 JSON file.

    Raises: `FileStructure`, `FileEmpty`, `SourceTooLarge`, `UnicodeDecodeError`.
    """
    records = options.records
    shape, found = _Shape(limits, dict(options.items)), JsonRecords(path, limits, records, lines_only)
    for record in found:
        shape.see(record.value)
    if shape.count == 0:
        raise FileEmpty("The JSON document holds no records.")
    shape.refuse_unknown_items()
    source = JsonRecords(path, limits, records, lines_only)
    deadline = time.monotonic() + limits.seconds
    with NormalFile(scratch, shape.names(), limits, used) as file:
        for record in source:
            _write(file, record, shape, found.shape)
            if time.monotonic() > deadline:
                raise limits.too_large("seconds", f"Reading was stopped at record {file.row_count:,}")
        if source.next_page is not None:
            file.report(_more_pages(source.next_page))
    notes = list(source.notes)
    if records is None and source.shape not in ("array", "lines"):
        notes.append(f'The records were found under "{source.shape}".')
    format = Format("jsonl" if source.shape == "lines" else "json")
    table = file.table(con, format, lambda line: Place(line=line), notes, _cleaned(shape.separators()))

    def places(rows: Iterable[int]) -> dict[int, Place]:
        return {row: replace(place, path=record_path(source.shape, row)) for row, place in table.places(rows).items()}

    return replace(table, places=places)


def record_path(shape: str, row: int) -> str:
    """The JSON path of a record: `$[1]` in a list, `$.Users[1]` under a key, `$` where a line is one."""
    if shape == "lines":
        return "$"
    steps = "" if shape == "array" else json_step(shape)
    return f"${steps}[{row - 1}]"


def json_step(name: str) -> str:
    """The steps to the key `a.b`, as JSON path writes them."""
    return "".join(f".{part}" if part.isidentifier() else f"[{json.dumps(part)}]" for part in name.split("."))


def _more_pages(key: str) -> Issue:
    return Issue(
        "value_invalid",
        f'The document says that more pages follow ("{key}"), so records may be missing.',
        severity="warning",
        cell=f"${json_step(key)}",
        column=key,
        remedy="Have the job write all pages into one file.",
    )


def _cleaned(separators: dict[str, str]) -> dict[str, str]:
    return {clean_name(name): mark for name, mark in separators.items()}


class _Refused(Exception):
    """A value of the record cannot be a cell; `column` names it."""

    def __init__(self, message: str, column: str | None = None, remedy: str | None = None) -> None:
        super().__init__(message)
        self.message, self.column, self.remedy = message, column, remedy


@dataclass
class _Shape:
    """The columns of all records, and for each list column the separators still free."""

    limits: Limits
    items: dict[str, str]
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
                cell = self.values(name, cell)
                free = self.free.setdefault(name, list(LIST_SEPARATORS))
                texts = [_scalar(item) for item in cell if not isinstance(item, (dict, list))]
                self.free[name] = [mark for mark in free if not any(mark in text for text in texts)]

    def values(self, name: str, items: list[Any]) -> list[Any]:
        """The list's values: of an object the one under the key that the mapping names."""
        key = self.items.get(name)
        if key is None:
            return items
        return [item[key] if isinstance(item, dict) and key in item else item for item in items]

    def refuse_unknown_items(self) -> None:
        """Raises: `HeaderMissing` where the mapping names a list that is not there."""
        for name in self.items:
            if name not in self.free:
                raise HeaderMissing(f"file.items names the list {name!r}, which no record has.", column=name)

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


def _write(file: NormalFile, record: JsonRecord, shape: _Shape, where: str) -> None:
    cells = [""] * len(shape.columns)
    try:
        _fill(cells, record.value, shape, file.used)
    except _Refused as fault:
        issue = Issue(
            "value_invalid",
            fault.message,
            row=file.row_count + 1,
            line=record.line,
            cell=record_path(where, file.row_count + 1) + (json_step(fault.column) if fault.column else ""),
            column=fault.column,
            remedy=fault.remedy,
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
            cell = shape.values(name, cell)
            if any(isinstance(item, (dict, list)) for item in cell):
                if shape.columns[name] not in used:
                    continue
                fault = fault or _Refused(
                    f"{name} holds a list of objects or lists, not of values.",
                    name,
                    f"Say in the mapping which key of the objects is the value: file.items: {{{name}: id}}.",
                )
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
