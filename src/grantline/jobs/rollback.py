"""Going back to an earlier version of an import.

In: an import, a version's number, a reason. Out: a run of its own, whose new version says what that one
said; what was true in between stays in the history. The file in the bucket is not read, and what the
import has seen is kept: the object that was undone is *unchanged* at the next look, so it does not come
back by itself. Where the same bytes come again as a new object (or by hand), the run is held and says so;
a file with other bytes is compared with what was restored, and the guard judges it as usual.
"""

from __future__ import annotations

from typing import Any

import duckdb
from django.db import transaction

from grantline.catalog.aliases import aliased
from grantline.catalog.diff import Diff, diff
from grantline.catalog.restore import restored
from grantline.control.applications.aliases import aliases_of
from grantline.control.applications.rules import require
from grantline.control.imports.models import Import
from grantline.control.imports.rules import read as read_import
from grantline.control.lake import snapshot_of
from grantline.control.organizations.roles import Permission
from grantline.control.runs import rules as runs
from grantline.control.runs.models import Run, Trigger
from grantline.control.tenancy import Scope
from grantline.errors import NotFound


@transaction.atomic
def rollback(scope: Scope, import_id: str, version: int, reason: str) -> Run:
    """A queued run that brings `version` back.

    Raises: `InputInvalid` for the reason or the number, `Conflict` while a run is under way or where the
    version is the current one, `NotFound`, `NotAllowed`.
    """
    from grantline.jobs.tasks import defer_run

    item = read_import(scope, import_id)
    require(scope, item.application, Permission.RUN_DECIDE)
    run = runs.queue_rollback(scope, item, version, reason)
    defer_run(run)
    return run


def restoring(con: duckdb.DuckDBPyConnection, item: Import, number: int) -> Diff:
    """What bringing version `number` back changes. Raises: `NotFound`, `LakeUnavailable`."""
    previous = snapshot_of(item)
    if previous is None or number < item.kept_from:
        raise NotFound(f"Version {number} is not kept any more.")
    incoming = aliased(con, restored(con, previous, number), aliases_of(item, item.application_id))
    return diff(con, incoming, previous, previous.number + 1)


def facts_then(item: Import, number: int) -> dict[str, Any] | None:
    """What the file of version `number` offered to other imports and referred to."""
    run = item.runs.filter(version__number=number).first()
    return run.reference_facts if run is not None else None


def standing_rollback(item: Import) -> Run | None:
    """The run that made the current version, where that is a rollback."""
    if item.current_version_id is None:
        return None
    return item.runs.filter(version_id=item.current_version_id, trigger=Trigger.ROLLBACK.value).first()


def undone_again(item: Import, sha256: str | None) -> str | None:
    """The sentence by which a file is held that the standing rollback has undone; None for other files."""
    run = standing_rollback(item)
    if run is None or run.version is None or run.restores is None or not sha256:
        return None
    undone = item.runs.filter(
        version__number__gt=run.restores, version__number__lt=run.version.number, evidence__sha256=sha256
    )
    again = undone.select_related("version").order_by("-number").first()
    if again is None or again.version is None:
        return None
    return (
        f"The file is byte for byte the one of version {again.version.number:,}, which the rollback to version "
        f"{run.restores:,} has undone; a person decides whether it comes back."
    )


def unchanged_note(item: Import) -> list[str]:
    """What an unchanged run says while a rollback stands."""
    run = standing_rollback(item)
    if run is None or run.restores is None:
        return []
    return [
        f"The import stands at the rollback to version {run.restores:,}. The file is the one that was there "
        "before it, so it is not imported again; a newer file will be compared with what was restored."
    ]
