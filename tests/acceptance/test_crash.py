"""Workers that die by kill -9 at every point of a run, and others that finish what they left.

Real worker processes, one PostgreSQL, one local AWS. What is found after each death is the old version or
the new one, whole; after the recovery it is the new one, once.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from grantline.control.accounts.models import AccountIndex
from grantline.control.applications.catalog import catalog_of
from grantline.control.audit.models import AuditEvent
from grantline.control.audit.verify import verify
from grantline.control.imports.models import Import
from grantline.control.lake import folder_of
from grantline.control.runs.models import Run, RunState, Trigger
from grantline.jobs.cleaning import clean_lake, clean_spool
from grantline.jobs.points import POINTS
from grantline.jobs.requests import sync
from tests.acceptance.workers import wait_until, worker
from tests.integration.jobs.conftest import World, grants_csv

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.acceptance]

OLD = [(f"U{number:03d}", "L1", "Viewer") for number in range(30)]
NEW = [*OLD[2:], ("U900", "L1", "Viewer")]
RECOVERY_SECONDS = 60
LOST_AFTER_SECONDS = 5
AT_ONCE = 5
"""Doomed workers side by side; the machine has few cores."""


def accounts(world: World, item: Import, **more: Any) -> list[str]:
    item.refresh_from_db()
    rows = catalog_of(world.scope, item.application, **more).grants(limit=100).items
    return sorted(row["account"] for row in rows)


def names(grants: list[tuple[str, str, str]]) -> list[str]:
    return sorted(user for user, _, _ in grants)


def make_imports(world: World, count: int) -> list[Import]:
    """Imports with a first version each, whose files have changed since."""
    items = []
    for number in range(count):
        key = f"access/{number}.csv"
        world.put(key, grants_csv(*OLD))
        item = world.make_import(key, application=f"Application {number}")
        assert world.run(item).state == "published"
        world.put(key, grants_csv(*NEW))
        items.append(item)
    return items


def die_at(world: World, points: list[tuple[str, Import]], log: Path) -> None:
    """Queue a run of each import and let as many workers die, each at its point."""
    with ExitStack() as started:
        for _, item in points:
            sync(world.scope, item.pk, Trigger.BUTTON)
        doomed = [
            started.enter_context(
                worker(
                    log,
                    GRANTLINE_DEBUG="true",
                    GRANTLINE_CRASH_AT=point,
                    GRANTLINE_WORKER_CONCURRENCY="1",
                    GRANTLINE_LOST_AFTER_SECONDS="3600",
                )
            )
            for point, _ in points
        ]
        for process in doomed:
            wait_until(lambda process=process: process.poll() is not None, 60, log)  # type: ignore[misc]
            assert process.returncode == -signal.SIGKILL, log.read_text(errors="replace")[-4000:]


def is_whole(world: World, item: Import) -> int:
    """The number of the version that is current, after a look at everything that says so."""
    found = accounts(world, item)
    assert item.current_version is not None
    number = item.current_version.number
    assert found == names(OLD if number == 1 else NEW)
    index = AccountIndex.objects.filter(import_id=item.pk).values_list("key", flat=True)
    assert sorted(index) == found
    assert item.versions.count() == number
    assert item.runs.filter(state=RunState.PUBLISHED).count() == number
    published = AuditEvent.objects.filter(action="run:publish", subject_id__in=item.runs.values("pk"))
    assert published.count() == number
    return number


def grow_old(folder: Path) -> None:
    """Two days pass, for the files of a folder."""
    past = time.time() - 2 * 86400
    for path in sorted(folder.rglob("*"), reverse=True):
        os.utime(path, (past, past))


def lost(world: World, item: Import, grants: list[tuple[str, str, str]], **more: Any) -> int:
    """How many of these rows the catalog does not answer with."""
    return len(set(names(grants)) - set(accounts(world, item, **more)))


def test_a_worker_killed_at_any_point_loses_nothing(
    world: World, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    log = tmp_path / "workers.log"
    items = make_imports(world, len(POINTS))
    moment = timezone.now()
    points = list(zip(POINTS, items, strict=True))
    for start in range(0, len(points), AT_ONCE):
        die_at(world, points[start : start + AT_ONCE], log)
    versions = [is_whole(world, item) for item in items]
    assert versions.count(2) == 1  # the one whose worker died after its transaction
    assert Run.objects.filter(state=RunState.RUNNING).count() == len(POINTS) - 1

    more = {"GRANTLINE_LOST_AFTER_SECONDS": str(LOST_AFTER_SECONDS)}
    with worker(log, **more), worker(log, **more):
        wait_until(_all_ended, RECOVERY_SECONDS, log)
    assert [is_whole(world, item) for item in items] == [2] * len(items)
    assert [accounts(world, item, as_of=moment) for item in items] == [names(OLD)] * len(items)
    assert verify(world.scope).is_whole

    grow_old(settings.GRANTLINE.data_dir)
    clean_lake()
    clean_spool()
    for item in items:
        place = folder_of(item)
        kept = {version.pk for version in item.versions.all()}
        assert {path.name for path in (place.folder / "versions").iterdir()} == kept
        assert [path.name for path in (place.folder / "history").iterdir()] == [item.current_version_id]
    assert list(settings.GRANTLINE.spool_dir.glob("*/*")) == []
    assert [is_whole(world, item) for item in items] == [2] * len(items)
    assert [accounts(world, item, as_of=moment) for item in items] == [names(OLD)] * len(items)
    record_property("each point once, real workers: points of failure tried", len(POINTS))
    record_property("each point once, real workers: kills survived", len(items))
    rows_lost = sum(lost(world, item, NEW) + lost(world, item, OLD, as_of=moment) for item in items)
    record_property("each point once, real workers: rows compared", (len(NEW) + len(OLD)) * len(items))
    record_property("each point once, real workers: rows lost", rows_lost)


def _all_ended() -> bool:
    return not Run.objects.filter(state__in=(RunState.QUEUED, RunState.RUNNING)).exists()


def test_two_workers_and_two_schedulers_run_each_import_once(world: World, tmp_path: Path) -> None:
    log = tmp_path / "workers.log"
    items = make_imports(world, 20)
    Import.objects.update(next_run_at=timezone.now())
    more = {"GRANTLINE_WORKER_CONCURRENCY": "3", "GRANTLINE_LOST_AFTER_SECONDS": str(LOST_AFTER_SECONDS)}
    with worker(log, **more), worker(log, **more):
        wait_until(lambda: Run.objects.filter(number=2, state=RunState.PUBLISHED).count() == len(items), 60, log)
        Import.objects.update(next_run_at=timezone.now())  # once more, now that both are warm
        wait_until(lambda: Run.objects.filter(number=3, state=RunState.UNCHANGED).count() == len(items), 60, log)
    assert [is_whole(world, item) for item in items] == [2] * len(items)
    assert Run.objects.filter(trigger="schedule").count() == 2 * len(items)
    spans = list(Run.objects.order_by("of_import", "number").values_list("of_import", "started_at", "finished_at"))
    for (one, _, ended), (other, began, _) in zip(spans, spans[1:], strict=False):
        assert one != other or ended <= began
    assert verify(world.scope).is_whole
