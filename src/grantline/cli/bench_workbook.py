"""`grantline bench`, workbooks: reading and importing an XLSX file beside python-calamine's own bare read.

In: a plan (see `bench`). Out: one document with ratios by time and by processor time. The workbook holds the
grants of the plan's first file, texts in its table of shared strings as spreadsheet programs write them. The
bare read is calamine alone: open the file, get the sheet, turn it into lists; nothing is looked at or kept.
"""

from __future__ import annotations

import csv
import functools
import tempfile
import time
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import python_calamine as calamine

from grantline.catalog.connection import connect
from grantline.cli.bench import Plan, beside, import_file, in_child, make_files

NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
CONTENT = "application/vnd.openxmlformats-officedocument.spreadsheetml"
PARTS = {
    "[Content_Types].xml": (
        f'<Types xmlns="{PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{CONTENT}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{CONTENT}.worksheet+xml"/>'
        f'<Override PartName="/xl/sharedStrings.xml" ContentType="{CONTENT}.sharedStrings+xml"/></Types>'
    ),
    "_rels/.rels": (
        f'<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="r1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/workbook.xml": (
        f'<workbook xmlns="{NAMESPACE}" xmlns:r="{OFFICE}">'
        '<sheets><sheet name="Grants" sheetId="1" r:id="r1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        f'<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="r1" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="r2" Type="{OFFICE}/sharedStrings" Target="sharedStrings.xml"/></Relationships>'
    ),
}
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def measure_workbook(plan: Plan) -> dict[str, Any]:
    """Reading and the whole first load of a workbook of `plan.rows` × 8 cells."""
    in_child(make_workbook, plan)
    return {"rows": plan.rows, "file_bytes": _path(plan).stat().st_size, **in_child(_measured, plan)}


def make_workbook(plan: Plan) -> dict[str, Any]:
    """Write the plan's files, and the first one as a workbook."""
    make_files(plan)
    with plan.file(1).open(encoding="utf-8", newline="") as file:
        write_workbook(_path(plan), csv.reader(file))
    return {}


def write_workbook(path: Path, rows: Iterable[list[str]]) -> None:
    """Write `rows` of text as the only sheet of a workbook; at most 26 columns."""
    texts: dict[str, int] = {}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in PARTS.items():
            archive.writestr(name, HEAD + text)
        with archive.open("xl/worksheets/sheet1.xml", "w") as sheet:
            sheet.write(f'{HEAD}<worksheet xmlns="{NAMESPACE}"><sheetData>'.encode())
            sheet.writelines(line.encode() for line in _sheet_rows(rows, texts))
            sheet.write(b"</sheetData></worksheet>")
        with archive.open("xl/sharedStrings.xml", "w") as shared:
            shared.write(f'{HEAD}<sst xmlns="{NAMESPACE}" uniqueCount="{len(texts)}">'.encode())
            shared.writelines(f"<si><t>{escape(text)}</t></si>".encode() for text in texts)
            shared.write(b"</sst>")


def _sheet_rows(rows: Iterable[list[str]], texts: dict[str, int]) -> Iterator[str]:
    for number, row in enumerate(rows, 1):
        cells = (
            f'<c r="{chr(ord("A") + place)}{number}" t="s"><v>{texts.setdefault(text, len(texts))}</v></c>'
            for place, text in enumerate(row)
        )
        yield f'<row r="{number}" spans="1:{len(row)}">{"".join(cells)}</row>'


def _measured(plan: Plan) -> dict[str, Any]:
    bare = functools.partial(_bare_read, plan)
    read = beside(bare, functools.partial(_read, plan), plan.repeats)
    load = beside(bare, functools.partial(_load, plan), plan.repeats)
    # Rows are drawn at random: an account or an entitlement may have no row.
    return {"read": read, "first_load": load, "is_right": load["counts"]["grants"] == plan.rows}


def _path(plan: Plan) -> Path:
    return plan.folder / "grants-1.xlsx"


def _bare_read(plan: Plan) -> None:
    calamine.CalamineWorkbook.from_path(str(_path(plan))).get_sheet_by_index(0).to_python()


def _read(plan: Plan, _: int) -> dict[str, Any]:
    """The stage *read* alone: the file as a table of text that DuckDB can scan."""
    from grantline.reading import as_mapping, read_table

    con = connect(plan.memory_limit_mb, plan.threads, plan.folder / "spill")
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory(dir=plan.folder) as scratch:
        read_table(_path(plan), as_mapping(None), con, Path(scratch))
        seconds = time.perf_counter() - begun
    con.close()
    return {"seconds": seconds, "stages": {"read": seconds}}


def _load(plan: Plan, repeat: int) -> dict[str, Any]:
    return import_file(plan, _path(plan), 1, None, f"workbook{repeat}")


def workbook_text(result: dict[str, Any]) -> str:
    """The lines about the workbook."""
    read, load = result["read"], result["first_load"]
    size = f"{result['file_bytes'] / 1024 / 1024:,.1f} MiB"
    lines = [
        f"{result['rows']:,} x 8 cells as XLSX, {size}, beside calamine's bare read",
        f"{'':14}{'seconds':>9}{'bare':>8}{'ratio':>8}{'by CPU':>8}",
        *(
            f"{name:14}{found['seconds']:9.3f}{found['parse_seconds']:8.3f}{found['ratio']:7.1f}x{found['cpu_ratio']:7.1f}x"
            for name, found in (("read", read), ("first load", load))
        ),
        f"{'':14}peak memory {result['peak_memory_bytes'] / 1024 / 1024:.0f} MiB",
    ]
    if not result["is_right"]:
        lines.append("The import found something else than was made: these figures mean nothing.")
    return "\n".join(lines) + "\n"
