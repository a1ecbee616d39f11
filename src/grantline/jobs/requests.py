"""What pages, API and command line ask of the jobs.

In: a scope and ids. Out: rows of the control plane. Each function checks the permission, changes the
state and queues the job in one transaction, so that neither is there without the other.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction

from grantline.aws.objects import Level, browse
from grantline.control.applications.rules import require
from grantline.control.imports.models import Import, Upload
from grantline.control.imports.rules import read as read_import
from grantline.control.organizations.roles import Permission
from grantline.control.runs import rules as runs
from grantline.control.runs.models import Run, Trigger
from grantline.control.sources import checks
from grantline.control.sources import rules as sources
from grantline.control.sources.models import ConnectionCheck
from grantline.control.tenancy import Scope
from grantline.jobs.installation import aws_service
from grantline.jobs.sessions import session_for
from grantline.jobs.tasks import defer_check, defer_run


@transaction.atomic
def sync(scope: Scope, import_id: str, trigger: Trigger = Trigger.BUTTON, *, upload: Upload | None = None) -> Run:
    """A run of an import, now: the one that is queued or running already, or a new one.

    Raises: `NotFound`, `NotAllowed`, `Conflict` for an import that takes files by hand and got none.
    """
    item = read_import(scope, import_id)
    require(scope, item.application, Permission.IMPORT_RUN)
    run, created = runs.queue(scope, item, trigger, upload=upload)
    if created:
        defer_run(run)
    return run


@transaction.atomic
def start_check(scope: Scope, source_id: str) -> ConnectionCheck:
    """A connection check of a data source, carried out by a worker; its row shows the steps as they
    come in. Raises: `InputInvalid` where there is no role yet, `NotFound`, `NotAllowed`."""
    check = checks.begin_check(scope, source_id)
    defer_check(check)
    return check


def check_now(scope: Scope, source_id: str) -> ConnectionCheck:
    """The same, carried out here: returns when every step has its outcome (up to about a minute)."""
    from grantline.jobs.checks import carry_out

    check = checks.begin_check(scope, source_id)
    carry_out(check.pk, aws_service())
    check.refresh_from_db()
    return check


def list_bucket(
    scope: Scope, source_id: str, prefix: str = "", token: str | None = None, *, page_size: int = 200
) -> Level:
    """One page of one level of a connected data source's bucket: folders and objects under `prefix`.

    Raises: `Conflict` for a source that is not connected, `SourceError` with what the bucket answered.
    """
    source = sources.read(scope, source_id)
    session = session_for(source, subject_id=source.pk)
    return browse(session, prefix or None, page_size=page_size, token=token)


def approve(scope: Scope, run_id: str, reason: str) -> Run:
    """Publish what a held run proposes. Raises: `NotFound`, `NotAllowed`, `Conflict`, `InputInvalid`."""
    from grantline.jobs.publishing import publish_held

    return publish_held(scope, run_id, reason)


def rollback(scope: Scope, import_id: str, version: int, reason: str) -> Run:
    """A queued run that brings an earlier version of an import back; see `jobs.rollback`."""
    from grantline.jobs.rollback import rollback as queue_rollback

    return queue_rollback(scope, import_id, version, reason)


def preview(scope: Scope, item: Import, mapping: dict[str, Any] | None = None) -> dict[str, Any]:
    """What the import's file would bring, without storing anything; see `jobs.preview`."""
    from grantline.jobs.preview import preview_import

    return preview_import(scope, item, mapping)
