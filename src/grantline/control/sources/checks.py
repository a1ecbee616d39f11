"""Checks of data sources: begun by a person or the schedule, one at a time, and what follows from them.

In: a scope and a source, then what the check found. Out: rows of `ConnectionCheck`, and the source's new
state (`trust` decides it). Invariants: a check speaks only for the values and the External ID it was begun
with; one that was given up in between changes nothing; a check of the schedule leaves the state as it is
until its result is known.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, models, transaction
from django.utils import timezone

from grantline.aws.check import ROLE_IN_USE, TRUST_STEPS
from grantline.control.audit.rules import Action, record
from grantline.control.organizations.roles import Permission
from grantline.control.organizations.rules import worker_scope
from grantline.control.sources.external_ids import replace
from grantline.control.sources.models import CheckKind, CheckTrigger, ConnectionCheck, DataSource, SourceState
from grantline.control.sources.trust import Doubt, Finding, settle
from grantline.control.tenancy import Scope, get, scoped, system_scope
from grantline.errors import InputInvalid

CONNECTION_FIELDS = ("role_arn", "bucket", "prefix", "region", "bucket_owner")
"""What the proof of trust is about; a change of any ends it."""
STALLED_CHECK_SECONDS = 300
"""A check older than this without an end has lost its worker."""
ROLE_IS_UNIQUE = "a_role_belongs_to_one_verified_data_source"
"""The constraint that keeps two connected sources from having one role."""
LOST = timedelta(minutes=10)
"""When the schedule looks at a source whose check never ended."""
TAKEN = "This role already belongs to another data source that is connected, so it cannot be connected here."
TAKEN_REMEDY = (
    "A role belongs to one data source. Make a role of its own for this one. If the other one is out of use, "
    "delete it; a role that no longer lets the other one in is free again within minutes."
)


@transaction.atomic
def begin_check(scope: Scope, source_id: str) -> ConnectionCheck:
    """A check of the values stored now, for a person; the source is *checking* until it ends.

    One that a person began for the same values and that is under way is returned instead. Raises:
    `InputInvalid` where no role is stored yet.
    """
    scope.require(Permission.SOURCE_WRITE)
    source = get(DataSource, scope, source_id, lock=True)
    if not source.role_arn:
        raise InputInvalid("There is no role to check yet: paste the role's ARN first.", field="role_arn")
    running = _under_way(source)
    if running is not None:
        is_same = running.trigger == CheckTrigger.PERSON and running.values == connection_values(source)
        if is_same and not _is_stalled(running):
            return running
    before = _give_up(source, running)
    source.state, source.next_probe_at = SourceState.CHECKING.value, timezone.now() + LOST
    source.save(update_fields=["state", "next_probe_at"])
    record(scope, Action.SOURCE_CHECK, source, name=source.name, after=connection_values(source))
    return _begun(source, before, CheckKind.CONNECTION, CheckTrigger.PERSON, scope.actor_name)


def sources_to_probe(now: datetime, limit: int = 200) -> list[DataSource]:
    """Sources of all organizations whose trust is to be proven again. Only the schedule calls this."""
    with system_scope("the schedule proves the roles of every organization"):
        rows = DataSource.objects.filter(next_probe_at__lte=now).exclude(role_arn="")
        return list(rows.order_by("next_probe_at")[:limit])


def check_to_carry_out(check_id: str) -> ConnectionCheck | None:
    """The check that a job names, unless it ended already."""
    with system_scope("a job names a check: whose is it?"):
        rows = ConnectionCheck.objects.select_related("data_source")
        return rows.filter(pk=check_id, finished_at__isnull=True).first()


@transaction.atomic
def begin_probe(source: DataSource) -> ConnectionCheck | None:
    """A check of a source whose time has come, for the schedule; None where it is not due (any more).

    A connected source is asked only whether its role still refuses others; any other gets every step,
    since it may come back.
    """
    now = timezone.now()
    source = get(DataSource, source, source.pk, lock=True)
    if source.next_probe_at is None or source.next_probe_at > now or not source.role_arn:
        return None
    running = _under_way(source)
    source.next_probe_at = now + LOST
    source.save(update_fields=["next_probe_at"])
    if running is not None and not _is_stalled(running):
        return None
    before = _give_up(source, running)
    kind = CheckKind.TRUST if source.state == SourceState.CONNECTED else CheckKind.CONNECTION
    return _begun(source, before, kind, CheckTrigger.SCHEDULE, worker_scope(source.organization_id).actor_name)


def note_progress(check: ConnectionCheck, *, steps: list[dict[str, Any]], waiting_seconds: int | None) -> None:
    """Store what a check has found so far, for pages that watch it."""
    check.steps, check.waiting_seconds = steps, waiting_seconds
    check.save(update_fields=["steps", "waiting_seconds"])


@transaction.atomic
def finish_check(
    check: ConnectionCheck,
    *,
    trusted: bool,
    ok: bool,
    found_region: str,
    doubt: Doubt = "closed",
    reason: str = "",
) -> DataSource:
    """End a check and give the source the state that follows; `doubt` and `reason` say why it is not trusted.

    A check that was given up, or whose values or External ID are not the stored ones any more, says
    nothing about the source. A role that another connected source has is not given away.
    """
    source = get(DataSource, check, check.data_source_id, lock=True)
    if not scoped(ConnectionCheck, check).filter(pk=check.pk, finished_at__isnull=True).exists():
        return source
    now = timezone.now()
    check.finished_at, check.trusted, check.ok, check.waiting_seconds = now, trusted, ok, None
    check.save()
    if not _speaks_for(check, source):
        return source
    finding = Finding(trusted, ok, doubt, reason, found_region)
    try:
        with transaction.atomic():
            _conclude(source, check, finding, now)
    except IntegrityError as error:
        if ROLE_IS_UNIQUE not in str(error):
            raise
        source = get(DataSource, check, source.pk, lock=True)
        _refuse_taken(check)
        _ask_again(source, now)
        _conclude(source, check, Finding(False, False, "taken", TAKEN, found_region), now)
    return source


def latest_check(source: DataSource) -> ConnectionCheck | None:
    """The newest check of a data source that a person wants to see: one of the schedule that found
    everything as it was, or has not ended, is left out."""
    rows = scoped(ConnectionCheck, source).filter(data_source=source)
    quiet = models.Q(kind=CheckKind.TRUST) & (models.Q(ok=True) | models.Q(finished_at__isnull=True))
    return rows.exclude(quiet).order_by("-started_at").first()


def connection_values(source: DataSource) -> dict[str, str]:
    """What a check is about."""
    return {field: getattr(source, field) for field in CONNECTION_FIELDS}


def _conclude(source: DataSource, check: ConnectionCheck, finding: Finding, now: datetime) -> None:
    scope = worker_scope(source.organization_id)
    event = settle(source, finding, state_before=check.state_before, now=now)
    if finding.trusted and check.external_id == source.pending_external_id:
        replace(scope, source)
    source.save()
    if event is not None:
        record(scope, event, source, name=source.name, after={"state": source.state, "reason": finding.reason})


def _speaks_for(check: ConnectionCheck, source: DataSource) -> bool:
    ids = (source.external_id, source.pending_external_id)
    return check.values == connection_values(source) and check.external_id in ids


def _refuse_taken(check: ConnectionCheck) -> None:
    """Say in the check's steps that the role is another's, in words that name nobody."""
    refused = {"outcome": "fail", "code": ROLE_IN_USE, "message": TAKEN, "remedy": TAKEN_REMEDY}
    check.steps = [{**step, **(refused if step.get("name") == TRUST_STEPS[-1] else {})} for step in check.steps]
    check.trusted = check.ok = False
    check.save(update_fields=["steps", "trusted", "ok"])


def _ask_again(source: DataSource, now: datetime) -> None:
    """Whoever has the role may not have it any more: prove that now, not tomorrow."""
    with system_scope("the role may be one of another organization's data source"):
        holders = DataSource.objects.filter(role_arn=source.role_arn, verified_at__isnull=False).exclude(pk=source.pk)
        holders.filter(next_probe_at__gt=now).update(next_probe_at=now)


def _under_way(source: DataSource) -> ConnectionCheck | None:
    return scoped(ConnectionCheck, source).filter(data_source=source, finished_at__isnull=True).first()


def _is_stalled(check: ConnectionCheck) -> bool:
    return (timezone.now() - check.started_at).total_seconds() >= STALLED_CHECK_SECONDS


def _give_up(source: DataSource, running: ConnectionCheck | None) -> str:
    """End a check whose place a new one takes; the state that the source had before both."""
    if running is None:
        return source.state
    scoped(ConnectionCheck, source).filter(pk=running.pk).update(finished_at=timezone.now())
    return running.state_before if source.state == SourceState.CHECKING else source.state


def _begun(source: DataSource, before: str, kind: CheckKind, trigger: CheckTrigger, by: str) -> ConnectionCheck:
    return ConnectionCheck.objects.create(
        organization_id=source.organization_id,
        data_source=source,
        kind=kind.value,
        trigger=trigger.value,
        requested_by=by,
        values=connection_values(source),
        external_id=source.external_id,
        state_before=before,
    )
