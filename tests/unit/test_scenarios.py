"""Runs every folder of `tests/scenarios` through `grantline check`: a new fault is a new folder.

A folder holds one input file (`input.*`, or a folder `input` of several), perhaps `mapping.yaml` and the
file of last time
(`previous.*`), and `expected.json`: the exit code, and a part of the answer of `check --json --records`.
Objects match where each key that is expected is there and matches; lists match in length and order.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from grantline.cli.main import main

ROOT = Path(__file__).parent.parent / "scenarios"
FOLDERS = sorted(path.parent for path in ROOT.glob("*/expected.json"))


def one(folder: Path, pattern: str) -> Path | None:
    found = [*folder.glob(pattern), *(path for path in folder.glob(pattern.removesuffix(".*")) if path.is_dir())]
    assert len(found) < 2, f"{folder.name} has several {pattern}"
    return found[0] if found else None


def answer(folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    source = one(folder, "input.*")
    assert source is not None, f"{folder.name} has no input file"
    arguments = ["check", str(source), "--json", "--records"]
    for option, pattern in (("--mapping", "mapping.*"), ("--previous", "previous.*")):
        path = one(folder, pattern)
        arguments += [option, str(path)] if path else []
    code = main(arguments)
    return code, json.loads(capsys.readouterr().out)


def differences(expected: Any, found: Any, place: str = "") -> list[str]:
    """Where `found` does not hold what is expected, each with its place."""
    if isinstance(expected, dict) and isinstance(found, dict):
        missing = [f"{place}.{key} is missing" for key in expected if key not in found]
        return missing + [
            problem
            for key in expected.keys() & found.keys()
            for problem in differences(expected[key], found[key], f"{place}.{key}")
        ]
    if isinstance(expected, list) and isinstance(found, list):
        if len(expected) != len(found):
            return [f"{place} has {len(found)} entries, not {len(expected)}: {found}"]
        return [
            problem
            for index, (want, have) in enumerate(zip(expected, found, strict=True))
            for problem in differences(want, have, f"{place}[{index}]")
        ]
    return [] if expected == found else [f"{place} is {found!r}, not {expected!r}"]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_scenario(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    code, found = answer(folder, capsys)
    assert differences(expected["answer"], found) == []
    assert code == expected["exit_code"]


def test_every_folder_states_what_it_expects() -> None:
    folders = {path for path in ROOT.iterdir() if path.is_dir()}
    assert folders
    assert folders == set(FOLDERS)
