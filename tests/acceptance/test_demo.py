"""`grantline demo --once`: the whole job on real parts, and its summary."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.processes import grantline

pytestmark = pytest.mark.acceptance


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    done = grantline("demo", "--once", data_dir=tmp_path_factory.mktemp("demo"))
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_every_check_passes(summary: dict[str, Any]) -> None:
    assert summary["external_id"].startswith("gl_")
    assert [check["name"] for check in summary["checks"]] == [
        "role_assumed",
        "refused_without_external_id",
        "refused_with_wrong_external_id",
        "refused_with_another_organizations_external_id",
        "region_found",
        "bucket_listed",
        "object_readable",
    ]
    assert {check["outcome"] for check in summary["checks"]} == {"pass"}


def test_every_import_has_its_catalog(summary: dict[str, Any]) -> None:
    first = {item["application"]: item["versions"][0] for item in summary["imports"]}
    assert first["Payments"]["grants"] == 100_000
    assert first["People directory"]["accounts"] == 5_000
    assert first["Company wiki"]["accounts"] == 3_000
    assert first["Company wiki"]["entitlements"] == 10


def test_the_schedule_found_the_change(summary: dict[str, Any]) -> None:
    changed = next(item for item in summary["imports"] if item["key"].startswith("access/payments/"))
    one, two = changed["versions"]
    assert changed["changes"] == {"added": 45, "removed": 60, "changed": 0}
    assert two["grants"] == one["grants"] - 15
    assert two["accounts"] == one["accounts"]


def test_seconds_are_told_per_stage(summary: dict[str, Any]) -> None:
    assert {"start", "check", "first_sync", "scheduled_sync"} <= summary["seconds"].keys()


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    done = grantline("demo", "--once", "--data-dir", str(tmp_path), data_dir=tmp_path)
    assert done.returncode == 64
    assert "was not made by a demo" in done.stderr
    assert (tmp_path / "precious.txt").read_text() == "mine"
