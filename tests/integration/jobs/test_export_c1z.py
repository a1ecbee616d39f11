"""A published application as a c1z file, and back."""

from __future__ import annotations

import contextlib
from pathlib import Path

import duckdb
import pytest

from grantline.cli import export, main
from grantline.reading import read_records
from tests.integration.jobs.conftest import World, grants_csv

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.integration]


@pytest.fixture(autouse=True)
def started(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line uses the test's database."""
    monkeypatch.setattr(export, "started", contextlib.nullcontext)


def test_an_application_as_c1z(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world.put("access/grants.csv", grants_csv(("ann", "sales", "reader"), ("bob", "sales", "writer")))
    item = world.make_import("access/grants.csv")
    first = world.run(item)
    world.put("access/grants.csv", grants_csv(("ann", "sales", "reader"), ("bob", "sales", "reader")))
    world.run(item)
    output = tmp_path / "x.c1z"
    arguments = ["export", "--application", item.application_id, "--format", "c1z"]
    assert main.main([*arguments, "--kind", "grants", "--output", str(output)]) == 64
    assert main.main(arguments) == 64
    assert main.main([*arguments, "--output", str(output)]) == 0
    con = duckdb.connect()
    records = read_records(output, None, con, tmp_path).records
    grants = con.execute(
        f"SELECT a.id, e.resource_type, e.resource, e.entitlement FROM {records.grants} g"
        f" JOIN {records.accounts} a ON a.n = g.account"
        f" JOIN {records.entitlements} e ON e.n = g.entitlement ORDER BY ALL"
    ).fetchall()
    assert grants == [("ann", "Ledger", "sales", "reader"), ("bob", "Ledger", "sales", "reader")]
    assert first.version is not None
    earlier = first.version.published_at.isoformat()
    assert main.main([*arguments, "--compare-with", earlier, "--output", str(output)]) == 0
    assert read_records(output, None, con, tmp_path, prefix="again_").records.issues == ()
    assert not list(tmp_path.glob("*.part"))


def test_nothing_published_is_nothing_to_write(world: World, tmp_path: Path) -> None:
    item = world.make_import("access/none.csv")
    arguments = ["export", "--application", item.application_id, "--format", "c1z", "--output", str(tmp_path / "x")]
    assert main.main(arguments) == 64
