"""Each limit: a file just above it, and that it can be set; a bomb ends soon, with memory flat."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import openpyxl
import pytest

from grantline.cli.check import check
from grantline.config.settings import LIMIT_RANGES, Settings, limit_values, share_value
from grantline.errors import SettingInvalid
from grantline.formats.limits import Limits

ROWS = b"user_id,name\n" + b"".join(b"A%06d,x\n" % number for number in range(2_000))


def workbook(far: str = "B2") -> bytes:
    book, data = openpyxl.Workbook(), io.BytesIO()
    book.active["A1"], book.active["A2"], book.active[far] = "user_id", "A1", "x"
    book.save(data)
    return data.getvalue()


def big_workbook() -> bytes:
    data, source = io.BytesIO(), zipfile.ZipFile(io.BytesIO(workbook()))
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, source.read(name))
        target.writestr("xl/more.bin", bytes(3 * 1024 * 1024))
    return data.getvalue()


EXCEEDING: dict[str, tuple[int, Callable[[], bytes]]] = {
    "unpacked_bytes": (1 << 20, lambda: gzip.compress(ROWS * 100)),
    "ratio": (10, lambda: gzip.compress(b"user_id\n" + b"a" * (20 << 20))),
    "rows": (1_000, lambda: ROWS),
    "columns": (2, lambda: b"user_id,a,b\nA1,x,y\n"),
    "workbook_bytes": (1 << 20, big_workbook),
    "workbook_cells": (100, lambda: workbook("AA2000")),
    "nesting": (3, lambda: b'[{"id": "A1", "a": {"b": {"c": {"d": 1}}}}]'),
    "layers": (1, lambda: gzip.compress(gzip.compress(ROWS))),
    "seconds": (1, lambda: ROWS),
}


def code_of(path: Path, scratch: Path) -> tuple[str | None, str]:
    error = check(path, None, None, scratch)["error"] or {"code": None, "message": ""}
    return error["code"], error["message"]


@pytest.mark.parametrize("name", [name for name in EXCEEDING if name != "seconds"])
def test_a_file_above_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    limit, make = EXCEEDING[name]
    path = tmp_path / "input"
    path.write_bytes(make())
    monkeypatch.setenv(f"GRANTLINE_LIMIT_{name.upper()}", str(limit))
    code, message = code_of(path, tmp_path)
    assert code == "source_too_large"
    assert f"the limit {name} is" in message
    monkeypatch.delenv(f"GRANTLINE_LIMIT_{name.upper()}")
    if name != "ratio":  # that one is above the default as well
        assert code_of(path, tmp_path)[0] is None


def test_a_cell_above_the_limit_costs_only_the_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "input.csv"
    path.write_bytes(b"user_id,name\nA1," + b"x" * 2_000 + b"\nA2,y\n")
    assert check(path, None, None, tmp_path)["issues"] == []
    monkeypatch.setenv("GRANTLINE_LIMIT_CELL_BYTES", "1024")
    found = check(path, None, None, tmp_path)
    assert found["counts"]["accounts"] == 2
    assert [issue["severity"] for issue in found["issues"]] == ["warning"]


def test_time_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "input.json"
    path.write_text(json.dumps([{"id": f"A{number}"} for number in range(1000)]))
    clock = iter(range(0, 10_000_000, 1000))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    assert code_of(path, tmp_path)[0] == "source_too_large"


def test_every_limit_is_a_setting_with_the_same_default() -> None:
    assert set(LIMIT_RANGES) == {field.name for field in fields(Limits)}
    assert set(EXCEEDING) | {"cell_bytes"} == set(LIMIT_RANGES)
    assert limit_values({}) == {field.name: field.default for field in fields(Limits)}
    assert Settings(data_dir=Path()).file_limits == limit_values({})


@pytest.mark.parametrize("name", LIMIT_RANGES)
def test_a_limit_out_of_range_is_refused(name: str) -> None:
    with pytest.raises(SettingInvalid, match=name.upper()):
        limit_values({f"GRANTLINE_LIMIT_{name.upper()}": str(LIMIT_RANGES[name][1] + 1)})


@pytest.mark.parametrize("text", ["1.5", "-1", "5%", "x"])
def test_a_share_is_between_0_and_1(text: str) -> None:
    assert share_value({"GRANTLINE_ROW_ERROR_SHARE": "0.25"}) == 0.25
    with pytest.raises(SettingInvalid):
        share_value({"GRANTLINE_ROW_ERROR_SHARE": text})


PROGRAM = """
import resource, sys, time
from pathlib import Path
from grantline.cli.check import check
small, bomb, scratch = map(Path, sys.argv[1:])
check(small, None, None, scratch)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
begun = time.monotonic()
print(check(bomb, None, None, scratch)["error"]["code"])
print(time.monotonic() - begun, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


def gzip_bomb(path: Path) -> None:
    with gzip.open(path, "wb", compresslevel=9) as file:
        for _ in range(512):
            file.write(bytes(1 << 20))


def zip_bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("users.csv", "w") as file:
        for _ in range(512):
            file.write(bytes(1 << 20))


@pytest.mark.parametrize("make", [gzip_bomb, zip_bomb])
def test_a_bomb_ends_soon_with_memory_flat(tmp_path: Path, make: Callable[[Path], None]) -> None:
    """512 MiB of zeros; in a process of its own, so that the peak of memory is its own."""
    (tmp_path / "small.gz").write_bytes(gzip.compress(ROWS))
    make(tmp_path / "bomb")
    (tmp_path / "scratch").mkdir()
    arguments = [sys.executable, "-c", PROGRAM, *(str(tmp_path / name) for name in ("small.gz", "bomb", "scratch"))]
    code, figures = subprocess.run(arguments, capture_output=True, text=True, check=True).stdout.split("\n", 1)
    seconds, grown_mib = map(float, figures.split())
    assert code == "source_too_large"
    assert seconds < 20
    assert grown_mib < 100
    assert len(list((tmp_path / "scratch").glob("unpacked-*"))) == 1, "the small file's alone"
