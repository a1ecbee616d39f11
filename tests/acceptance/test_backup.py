"""A backup that is made while a worker syncs, and what its restoration answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from grantline.control.imports.models import Import
from grantline.control.runs.models import Run, RunState, Trigger
from grantline.control.tenancy import acting_for
from grantline.jobs.requests import sync
from tests.acceptance.processes import environment, grantline
from tests.acceptance.workers import database_url, wait_until, worker
from tests.integration.jobs.conftest import World, grants_csv

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.acceptance]

ANSWERS = """
import json
from grantline.config.start import started
with started(migrate=False):
    from grantline.control.applications.catalog import catalog_of
    from grantline.control.audit.verify import verify
    from grantline.control.models import Import, AccountIndex
    from grantline.control.organizations.rules import worker_scope
    from grantline.control.tenancy import system_scope
    found = {}
    with system_scope("a test"):
        for item in Import.objects.select_related("application"):
            scope = worker_scope(item.organization_id)
            for version in item.versions.order_by("number"):
                rows = catalog_of(scope, item.application, version.published_at).grants(limit=1000).items
                found[f"{item.pk} {version.number}"] = sorted([r["account"], r["since"]["version"]] for r in rows)
            index = AccountIndex.objects.filter(import_id=item.pk).values_list("key", flat=True)
            found[f"{item.pk} index {item.current_version.number}"] = sorted(index)
            found[f"{item.pk} whole"] = verify(scope).is_whole
    print(json.dumps(found))
"""


def answers(data_dir: Path, **more: str) -> dict[str, Any]:
    """What an installation answers about every moment at which something changed."""
    done = subprocess.run(
        [sys.executable, "-c", ANSWERS],
        env=environment(data_dir, **more),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def rows(turn: int) -> list[tuple[str, str, str]]:
    """Thirty accounts, of which some change with every turn."""
    return [(f"U{(number + turn) % 40:03d}", "L1", "Viewer") for number in range(30)]


class Churn:
    """The customer writes new files and somebody syncs, again and again, until told to stop."""

    def __init__(self, world: World, items: list[Import]) -> None:
        self.world, self.items, self.turn = world, items, 1
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._go)

    def _go(self) -> None:
        from django.db import connection

        with acting_for(self.world.scope):
            while not self.stopped.wait(0.2):
                self.turn += 1
                for item in self.items:
                    self.world.put(item.key, grants_csv(*rows(self.turn)))
                    sync(self.world.scope, item.pk, Trigger.BUTTON)
        connection.close()


FORMS = ("copy", "copy.tar")


def test_backups_made_while_runs_go_on_answer_the_same(world: World, tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    items = []
    for number in range(3):
        world.put(f"access/{number}.csv", grants_csv(*rows(0)))
        items.append(world.make_import(f"access/{number}.csv", f"Application {number}", guard_share=1.0))
        assert world.run(items[-1]).state == "published"
    given = {"GRANTLINE_DATABASE_URL": database_url(), "GRANTLINE_SECRET_KEY": settings.GRANTLINE.secret_key}
    data_dir = settings.GRANTLINE.data_dir
    churn = Churn(world, items)
    with worker(log):
        churn.thread.start()
        try:
            wait_until(lambda: published() > 6, 60, log)
            for name in FORMS:
                done = grantline("backup", str(tmp_path / name), "--with-secret-key", data_dir=data_dir, **given)
                assert done.returncode == 0, done.stderr
                made_during = published()
                wait_until(lambda made=made_during: published() > made + 3, 60, log)  # type: ignore[misc]
        finally:
            churn.stopped.set()
            churn.thread.join(30)
    original = answers(data_dir, **given)
    assert not list((data_dir / "lake").glob(".backup*"))
    for name in FORMS:
        restored = tmp_path / f"restored-{name}"
        done = grantline("restore", str(tmp_path / name), "--data-dir", str(restored), data_dir=restored)
        assert done.returncode == 0, done.stderr
        answers_the_same(restored, original, items)


def published() -> int:
    return Run.objects.filter(state=RunState.PUBLISHED).count()


def answers_the_same(restored: Path, original: dict[str, Any], items: list[Import]) -> None:
    """The restored installation knows some of the original's versions, and those whole."""
    assert (restored / "secret_key").read_text().strip() == settings.GRANTLINE.secret_key
    found = answers(restored)
    versions = [key for key in found if key.split()[-1].isdigit() and "index" not in key]
    assert 6 < len(versions) < len([key for key in original if key.split()[-1].isdigit() and "index" not in key])
    assert {key: found[key] for key in versions} == {key: original[key] for key in versions}
    for key, index in found.items():
        if "index" in key:
            item, _, number = key.split()
            assert index == [account for account, _ in found[f"{item} {number}"]]
    assert all(found[f"{item.pk} whole"] for item in items)
    assert not [path for path in (restored / "lake").rglob("*") if "backup" in path.name]


def test_nothing_is_overwritten_and_nothing_broken_is_taken(world: World, tmp_path: Path) -> None:
    given = {"GRANTLINE_DATABASE_URL": database_url(), "GRANTLINE_SECRET_KEY": settings.GRANTLINE.secret_key}
    data_dir, target = settings.GRANTLINE.data_dir, tmp_path / "copy"
    assert grantline("backup", str(target), data_dir=data_dir, **given).returncode == 0
    again = grantline("backup", str(target), data_dir=data_dir, **given)
    assert (again.returncode, "never overwrites" in again.stderr) == (64, True), again.stderr
    assert not (target / "secret_key").exists()

    full = grantline("restore", str(target), "--data-dir", str(data_dir), data_dir=data_dir)
    assert (full.returncode, "is not empty" in full.stderr) == (64, True), full.stderr
    into = grantline("restore", str(target), "--data-dir", str(tmp_path / "other"), data_dir=tmp_path, **given)
    assert (into.returncode, "holds an installation already" in into.stderr) == (64, True), into.stderr

    with (target / "tables" / "control_user.copy").open("a") as file:
        file.write("x")
    broken = grantline("restore", str(target), "--data-dir", str(tmp_path / "new"), data_dir=tmp_path)
    assert (broken.returncode, "not as the backup wrote it" in broken.stderr) == (64, True), broken.stderr
    os.remove(target / "manifest.json")
    none = grantline("restore", str(target), "--data-dir", str(tmp_path / "newer"), data_dir=tmp_path)
    assert (none.returncode, "is no backup" in none.stderr) == (64, True), none.stderr
