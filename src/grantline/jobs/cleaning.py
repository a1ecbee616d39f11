"""Removing files that nothing names any more.

In: the versions and runs of the control plane. Out: fewer files. Invariant: a folder that the current
version, a held run, or the history of any kept version names is never removed; neither is anything
younger than the catalog's grace period, because a run may be about to publish it.
"""

from __future__ import annotations

import shutil
import time

import structlog
from django.conf import settings

from grantline.control.imports.models import Import
from grantline.control.lake import folder_of, lake_root
from grantline.control.runs.models import Run, RunState
from grantline.control.tenancy import system_scope

log = structlog.get_logger(__name__)

SNAPSHOTS_KEPT = 3
"""Newest versions whose current rows stay on disk; older states are answered from the history."""
SPOOL_SECONDS = 6 * 3600


def clean_lake() -> int:
    """Remove what no version and no held run needs, and folders of deleted imports. Returns how many."""
    with system_scope("the lake holds the files of every organization"):
        return _clean_lake()


def _clean_lake() -> int:
    gone = 0
    for item in Import.objects.all():
        versions = list(item.versions.order_by("-number").values_list("pk", "has_history"))
        held = item.runs.filter(state=RunState.HELD).values_list("staged_version_id", flat=True)
        keep = {version_id for version_id, _ in versions[:SNAPSHOTS_KEPT]} | set(held)
        history = {version_id for version_id, has_history in versions if has_history} | set(held)
        gone += len(folder_of(item).clean_up(keep, history))
    gone += _remove_deleted_imports()
    if gone:
        log.info("lake.cleaned", folders=gone)
    return gone


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
