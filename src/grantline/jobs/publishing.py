"""Publishing what a held run proposed, after a person approved it.

In: the id of a held run and the person's reason. Out: the version that was staged, now current. The
files were written when the run was held; only the pointer, the index and the record change here.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path

from django.db import transaction

from grantline.catalog.index import write_index_of_version
from grantline.catalog.manifest import read_manifest
from grantline.control.accounts.rules import lock_index, update_index
from grantline.control.audit.rules import Action, record
from grantline.control.imports.models import Import
from grantline.control.imports.references import facts_of
from grantline.control.lake import folder_of
from grantline.control.runs import rules
from grantline.control.runs.models import Run
from grantline.control.tenancy import Scope, get
from grantline.errors import Conflict
from grantline.jobs.installation import open_duckdb, spool_folder
from grantline.jobs.points import APPROVAL, point
from grantline.jobs.references import wake_dependents


def publish_held(scope: Scope, run_id: str, reason: str) -> Run:
    """Make a held run's version the current one. Raises: `InputInvalid`, `Conflict`, `NotFound`."""
    reason = rules.valid_reason(reason, "Say why this removal is right")
    with transaction.atomic():
        run = rules.held(scope, run_id)
        item = get(Import, scope, run.of_import_id, lock=True)
        version = folder_of(item).version(run.staged_version_id)
        history = folder_of(item).history(run.staged_version_id)
        manifest = read_manifest(version)
        if manifest.number != (item.current_version.number if item.current_version else 0) + 1:
            raise Conflict(
                "Another version was published since this run was held.", remedy="Discard it and sync again."
            )
        lock_index(item)
        before = facts_of(item)
        run.decided_by, run.decided_reason = scope.actor_name, reason
        run.save(update_fields=["decided_by", "decided_reason"])
        folder = Path(tempfile.mkdtemp(prefix=f"{run.pk}-", dir=spool_folder(run.organization_id)))
        try:
            with contextlib.closing(open_duckdb(folder)) as con:
                changed, removed = folder / "changed.csv", folder / "removed.csv"
                write_index_of_version(con, version, history, manifest.number, changed, removed)
            record(scope, Action.RUN_APPROVE, run, name=item.title, after={"reason": reason})

            def index() -> None:
                update_index(item, changed, removed)
                point(APPROVAL)

            rules.publish(run, manifest, run.staged_version_id, scope=scope, seen=None, index=index)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    wake_dependents(item, before, manifest.changes)
    return run
