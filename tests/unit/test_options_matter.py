"""Every option of a mapping: a file whose records, issues or refusal are others with the option than without."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from grantline.cli.check import check
from grantline.formats.options import FileOptions
from grantline.mapping.document import COLUMN_OPTIONS, OPTIONS, SOURCE_OPTIONS, WHERE_OPTIONS

CSV = "user_id,name,groups\nA001,Person 01,g-a;g-b\nA002,Person 02,g-a\n"
ID = {"source": "user_id", "to": "account.id"}


def book(fill: Callable[[Any], None]) -> bytes:
    workbook, data = openpyxl.Workbook(), io.BytesIO()
    fill(workbook)
    workbook.save(data)
    return data.getvalue()


def merged(workbook: Any) -> None:
    sheet = workbook.active
    for row in (["group", "member"], ["g-a", "A001"], [None, "A002"]):
        sheet.append(row)
    sheet.merge_cells("A2:A3")


def padded(workbook: Any) -> None:
    sheet = workbook.active
    sheet.append(["user_id"])
    sheet.append([42])
    sheet["A2"].number_format = "00000"


def two_sheets(workbook: Any) -> None:
    for name in ("One", "Two"):
        sheet = workbook.create_sheet(name)
        sheet.append(["user_id"])
        sheet.append([f"{name}-1"])
    del workbook["Sheet"]


def packed() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("users.csv", CSV)
        archive.writestr("other.txt", "x")
    return data.getvalue()


@dataclass
class Case:
    """A file, a mapping, and the option's value that is put into it."""

    value: Any
    data: str | bytes | dict[str, str] = CSV
    base: dict[str, Any] = field(default_factory=dict)


def columns(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"columns": [ID, *rules]}


ROLE = {"source": "groups", "to": "entitlements"}
DATE = {"source": "when", "to": "account.created_at"}
FILE: dict[str, Case] = {
    "format": Case("xlsx"),
    "encoding": Case("windows-1252", "user_id,name\nA1,Zoë\n".encode("cp1252")),
    "delimiter": Case(",", "user_id;a,b\nA1;x,y\n"),
    "quote": Case("'", "user_id,name\nA1,'a, b'\n"),
    "escape": Case("\\", 'user_id,name\nA1,"a \\" b"\n'),
    "header_row": Case(2, "user_id,name\naccount,name\nA1,x\n"),
    "names": Case(["user_id", "name"], "A1,Person\n"),
    "skip_rows_starting_with": Case(["A001"]),
    "stop_at_row_starting_with": Case("A002"),
    "skip_last": Case(1),
    "comment": Case("A001"),
    "count_row": Case("EOF", CSV + "EOF,2\n"),
    "fill_down": Case(["name"], "user_id,name\nA1,x\nA2,\n"),
    "sheet": Case("Two", book(two_sheets)),
    "fill_merged": Case(True, book(merged)),
    "displayed_text": Case(True, book(padded)),
    "protective_prefix": Case("'", "user_id\n'0042\n"),
    "records": Case("b", '{"a": [{"id": "1"}], "b": [{"id": "2"}]}'),
    "items": Case({"groups": "id"}, '[{"id": "1", "groups": [{"id": "g"}]}]'),
    "member": Case("users*", packed()),
}
COLUMNS: dict[str, Case] = {
    "resource_type": Case("team", base=ROLE),
    "split": Case(";", base=ROLE),
    "parts": Case("-", base=ROLE),
    "date": Case("%d/%m/%Y", "user_id,when\nA1,05/03/2026\n", DATE),
    "zone": Case("Europe/Paris", "user_id,when\nA1,2026-06-01 00:30:00\n", DATE),
    "serials": Case(True, "user_id,when\nA1,46023\n", DATE),
    "pattern": Case("[a-z ]+", base={"source": "name", "to": "account.display_name"}),
    "nulls": Case(["Person 01"], base={"source": "name", "to": "account.display_name"}),
    "map": Case({"Person 01": "One"}, base={"source": "name", "to": "account.display_name"}),
    "case": Case("sensitive", "user_id\na\nA\n", {"source": "user_id", "to": "account.id"}),
    "source": Case("groups", base={"source": "name", "to": "profile.x"}),
    "to": Case("profile.y", base={"source": "name", "to": "profile.x"}),
}
SET = {"users.csv": "user_id,name\nA001,Person\n", "other.csv": "user_id,name\nA002,Person\n"}
MEMBERS = {"source": "groups", "to": "entitlement.name"}
WHOLE: dict[str, Case] = {
    "version": Case(2),
    "file": Case({"skip_last": 1}),
    "mode": Case("delta", "user_id,op\nA1,x\n"),
    "columns": Case([ID]),
    "constants": Case({"resource.type": "team"}, base=columns(MEMBERS)),
    "where": Case([{"column": "name", "equals": "Person 01"}], base=columns()),
    "sources": Case([{"match": "users.csv"}], SET),
    "ready": Case("_SUCCESS", SET),
}
WHERE: dict[str, Case] = {
    "column": Case("groups", base={"equals": "Person 01"}),
    "is": Case("empty"),
    "equals": Case("Person 01"),
    "differs": Case("Person 01"),
    "in": Case(["Person 01"]),
    "not_in": Case(["Person 01"]),
}
SOURCES: dict[str, Case] = {
    "match": Case("other.csv"),
    "sheet": Case("Two", book(two_sheets)),
    "file": Case({"names": ["a", "user_id"], "header_row": 1}),
    "columns": Case([ID]),
    "constants": Case({"account.status": "disabled"}, base={"columns": [ID]}),
    "where": Case([{"column": "name", "equals": "x"}]),
}


def answer(folder: Path, case: Case, document: dict[str, Any]) -> Any:
    import yaml

    folder.mkdir()
    (folder / "scratch").mkdir()
    path = folder / "input"
    if isinstance(case.data, dict):
        path.mkdir()
        for name, text in case.data.items():
            (path / name).write_text(text)
    else:
        path.write_bytes(case.data if isinstance(case.data, bytes) else case.data.encode())
    mapping = folder / "mapping.yaml"
    mapping.write_text(yaml.safe_dump({"version": 1, **document}))
    found = check(path, mapping, None, folder / "scratch", records=True)
    kept = ("outcome", "error", "counts", "issues", "accounts", "entitlements", "grants")
    return {name: found[name] for name in kept if name in found} | {"mode": (found["mapping"] or {}).get("mode")}


def both(tmp_path: Path, case: Case, without: dict[str, Any], with_it: dict[str, Any]) -> None:
    assert answer(tmp_path / "without", case, without) != answer(tmp_path / "with", case, with_it)


@pytest.mark.parametrize("name", [f.name for f in fields(FileOptions)])
def test_file(tmp_path: Path, name: str) -> None:
    both(tmp_path, FILE[name], {}, {"file": {name: FILE[name].value}})


@pytest.mark.parametrize("name", COLUMN_OPTIONS)
def test_column(tmp_path: Path, name: str) -> None:
    case = COLUMNS[name]
    first = [] if case.base["to"] == "account.id" else [ID]
    document = {"columns": [*first, case.base]}
    both(tmp_path, case, document, {"columns": [*first, case.base | {name: case.value}]})


@pytest.mark.parametrize("name", OPTIONS)
def test_whole(tmp_path: Path, name: str) -> None:
    case = WHOLE[name]
    both(tmp_path, case, case.base, case.base | {name: case.value})


@pytest.mark.parametrize("name", WHERE_OPTIONS)
def test_where(tmp_path: Path, name: str) -> None:
    case = WHERE[name]
    condition = {"column": "name", **case.base, name: case.value}
    without = [{"column": "name", **case.base}] if case.base else None
    both(tmp_path, case, columns() | {"where": without}, columns() | {"where": [condition]})


@pytest.mark.parametrize("name", SOURCE_OPTIONS)
def test_source(tmp_path: Path, name: str) -> None:
    case = SOURCES[name]
    case.data = case.data if name == "sheet" else SET
    start = {"sheet": "One"} if name == "sheet" else {"match": "users.csv"}
    both(tmp_path, case, {"sources": [start | case.base]}, {"sources": [start | case.base | {name: case.value}]})
