"""Finding what needs a person, from the state of things, and noting that it was found.

In: one organization's imports and data sources. Out: notices that are new, each exactly once however often
and by however many workers this is asked; notices whose trouble is over are closed, so that the next one is
news again. What is true is read from the state itself, so a worker that dies loses nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from grantline.control.applications.models import Application
from grantline.control.imports.models import Import
from grantline.control.imports.states import is_stale, with_active_states
from grantline.control.notices.models import Notice, NoticeKind
from grantline.control.organizations.roles import Permission
from grantline.control.sources.models import DataSource
from grantline.control.tenancy import HasOrganization, Scope, scoped

FAILURES_TOLD = 3
"""After so many failures in a row members are told; before that the next look may heal it."""


@dataclass(frozen=True)
class Trouble:
    """Something that is so now and needs a person."""

    kind: NoticeKind
    subject_id: str
    subject_name: str
    message: str
    application: Application | None = None


def list_notices(scope: Scope, *, open_only: bool = False) -> QuerySet[Notice]:
    """The organization's notices, newest first. Raises: `NotAllowed`."""
    scope.require(Permission.IMPORT_READ)
    rows = scoped(Notice, scope)
    return (rows.filter(closed_at__isnull=True) if open_only else rows).order_by("-opened_at", "-id")


@transaction.atomic
def review(owner: HasOrganization, now: datetime) -> list[Notice]:
    """Open a notice for every trouble without one, close those that are over. Returns the new ones."""
    troubles = {(trouble.kind.value, trouble.subject_id): trouble for trouble in _troubles(owner, now)}
    told = {(row.kind, row.subject_id): row for row in scoped(Notice, owner).filter(closed_at__isnull=True)}
    over = [row.pk for key, row in told.items() if key not in troubles]
    scoped(Notice, owner).filter(pk__in=over, closed_at__isnull=True).update(closed_at=now)
    rows = [
        Notice(
            organization_id=owner.organization_id,
            kind=trouble.kind.value,
            subject_id=trouble.subject_id,
            subject_name=trouble.subject_name[:1300],
            message=trouble.message,
            application=trouble.application,
            opened_at=now,
        )
        for key, trouble in troubles.items()
        if key not in told
    ]
    Notice.objects.bulk_create(rows, ignore_conflicts=True)  # another worker may be at it
    return list(scoped(Notice, owner).filter(pk__in=[row.pk for row in rows]).select_related("application"))


def _troubles(owner: HasOrganization, now: datetime) -> Iterator[Trouble]:
    items = scoped(Import, owner).select_related("application").order_by("pk")
    for item in with_active_states(items):
        yield from _import_troubles(item, now)
    for source in scoped(DataSource, owner).order_by("pk"):
        yield from _source_troubles(source)


def _import_troubles(item: Import, now: datetime) -> Iterator[Trouble]:
    def trouble(kind: NoticeKind, message: str) -> Trouble:
        return Trouble(kind, item.pk, f"{item.application.name}: {item.title}", message, item.application)

    if "held" in item.active_states:  # type: ignore[attr-defined] # annotated
        yield trouble(
            NoticeKind.RUN_HELD, "A run would remove more than the guard allows. Nothing changed; look and decide."
        )
    if item.paused_at is not None:
        return
    if item.failure_count >= FAILURES_TOLD:
        last = item.runs.filter(state="failed").order_by("-number").values_list("error", flat=True).first() or {}
        reason = f"{last.get('message', '')} {last.get('remedy', '')}".strip()
        yield trouble(
            NoticeKind.IMPORT_FAILING,
            f"The last {FAILURES_TOLD} runs or more failed; the last good data is kept. {reason}".strip(),
        )
    elif item.failing_since is None and item.looked_at is not None and is_stale(item, now):
        yield trouble(NoticeKind.IMPORT_STALE, "Nothing new has come for longer than it should.")


def _source_troubles(source: DataSource) -> Iterator[Trouble]:
    if source.suspended_at is not None:
        message = f"Nothing is read through it until its check passes. {source.suspended_reason}"
        yield Trouble(NoticeKind.SOURCE_SUSPENDED, source.pk, source.name, message.strip())
    elif source.proven_at is not None and source.verified_at is None:
        message = "Its role does not let Grantline in any more. Run the connection check; it says what to change."
        yield Trouble(NoticeKind.SOURCE_DISCONNECTED, source.pk, source.name, message)
