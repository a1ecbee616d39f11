"""Removing files that nothing names any more.

In: the versions and runs of the control plane. Out: fewer files. Invariant: what the current version, a
held run, or the history of any kept version needs is never removed; neither is anything younger than the
catalog's grace period, because a run may be about to publish it. Here too: merging history daily, which
changes no answer, and applying retention, which takes answers about the far past away.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import structlog
from django.conf import settings
from django.utils import timezone

from grantline.catalog.merge import forget, merge_history
from grantline.control.imports import retention
from grantline.control.imports.models import Import
from grantline.control.lake import folder_of, history_of, lake_root
from grantline.control.runs.models import Run, RunState
from grantline.control.tenancy import acting_for, system_scope
from grantline.jobs.installation import open_duckdb

log = structlog.get_logger(__name__)

SNAPSHOTS_KEPT = 3
"""Newest versions whose current rows stay on disk; older states are answered from the history."""
FORGETTING_GRACE = timedelta(minutes=15)
"""How long the files of a forgotten past stay: look-ups that began before must be able to end."""
SPOOL_SECONDS = 6 * 3600


def clean_lake() -> int:
    """Remove what no version and no held run needs, and folders of deleted imports. Returns how many."""
    with system_scope("the lake holds the files of every organization"):
        return _clean_lake()


def _clean_lake() -> int:
    gone = 0
    for item in Import.objects.all():
        held = set(item.runs.filter(state=RunState.HELD).values_list("staged_version_id", flat=True))
        newest = item.versions.order_by("-number").values_list("pk", flat=True)[:SNAPSHOTS_KEPT]
        gone += len(folder_of(item).clean_up({*newest, *held}, _history_to_keep(item), staged=held))
    gone += _remove_deleted_imports()
    if gone:
        log.info("lake.cleaned", folders=gone)
    return gone


def _history_to_keep(item: Import) -> list[str]:
    """The versions whose history stays, oldest first; that of forgotten ones a while longer, because a
    look-up may have begun before they were."""
    if item.kept_from_at is not None and timezone.now() - item.kept_from_at < FORGETTING_GRACE:
        return list(item.versions.filter(has_history=True).order_by("number").values_list("pk", flat=True))
    return history_of(item)


def merge_histories() -> int:
    """Merge the history of every import where that pays. Returns how many were merged."""
    with system_scope("the lake holds the files of every organization"):
        items = list(Import.objects.filter(current_version__isnull=False).select_related("current_version"))
        histories = {item.pk: history_of(item) for item in items}
    merged = 0
    with tempfile.TemporaryDirectory(prefix="merge-", dir=settings.GRANTLINE.data_dir) as scratch:
        for item in items:
            with contextlib.closing(open_duckdb(Path(scratch))) as con:
                merged += merge_history(con, folder_of(item), histories[item.pk]) is not None
    if merged:
        log.info("lake.merged", imports=merged)
    return merged


def forget_past() -> int:
    """Apply every import's retention. Returns for how many imports something was forgotten."""
    with system_scope("retention is applied for every organization"):
        items = list(Import.objects.filter(current_version__isnull=False).select_related("organization"))
    forgotten = 0
    for item in items:
        with acting_for(item):
            forgotten += retention.apply(item)
        with acting_for(item), tempfile.TemporaryDirectory(prefix="merge-", dir=settings.GRANTLINE.data_dir) as scratch:
            if item.kept_from > 1:
                with contextlib.closing(open_duckdb(Path(scratch))) as con:
                    forget(con, folder_of(item), history_of(item), item.kept_from)
    return forgotten


def clean_spool() -> int:
    """Remove what a dead worker left in the spool. Returns how many folders and files."""
    oldest = time.time() - SPOOL_SECONDS
    with system_scope("the spool holds the files of every organization"):
        running = set(Run.objects.filter(state=RunState.RUNNING).values_list("pk", flat=True))
    gone = 0
    for folder in settings.GRANTLINE.spool_dir.glob("*/*"):
        if folder.name.rsplit("-", 1)[0] not in running and folder.stat().st_mtime < oldest:
            shutil.rmtree(folder, ignore_errors=True) if folder.is_dir() else folder.unlink(missing_ok=True)
            gone += 1
    return gone


def _remove_deleted_imports() -> int:
    folders = list(lake_root().glob("*/imp_*"))  # before the rows: a new import has its row first
    known = set(Import.objects.values_list("pk", flat=True))
    gone = 0
    for folder in folders:
        if folder.name not in known:
            shutil.rmtree(folder, ignore_errors=True)
            gone += 1
    return gone
