"""Rules of runs: one queued and one running per import, published only by who holds the claim.

The state machine:

    queued → running → unchanged | published | failed | held
                          held → published (approved) | discarded (by a person, or by a newer run)

Invariants, each a constraint of the database too: at most one run of an import is queued, one running,
one held; a published run has a version; the pointer of the import, the version, the run, the account
index and the audit event change in one transaction.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.db import IntegrityError, models, transaction
from django.utils import timezone

from grantline.catalog.model import Manifest
from grantline.control.applications.rules import require
from grantline.control.audit.rules import Action, record
from grantline.control.imports.models import Import, Upload
from grantline.control.imports.schedule import next_look
from grantline.control.organizations.roles import Permission
from grantline.control.organizations.rules import worker_scope
from grantline.control.runs.models import ISSUES_KEPT, Run, RunIssue, RunState, Trigger, Version
from grantline.control.tenancy import HasOrganization, Scope, get, scoped, system_scope
from grantline.errors import Conflict, GrantlineError, InputInvalid, NotFound, answer
from grantline.issues import Issue

STAGES = ("fetch", "read", "map", "diff", "guard", "publish")
BY_ITSELF = (Trigger.SCHEDULE, Trigger.REFERENCES)
"""Triggers that are no person's doing."""
NEWER = "a newer file replaced it"


class ClaimLost(Exception):
    """The run belongs to another worker by now; this one must not write anything."""


@transaction.atomic
def queue(scope: Scope, item: Import, trigger: Trigger, *, upload: Upload | None = None) -> tuple[Run, bool]:
    """A queued run of `item`, and whether it is new.

    Where one is queued or running already it is returned instead, unless a file by hand was given.
    Raises: `Conflict` for an import that takes files by hand and got none.
    """
    item = get(Import, scope, item.pk, lock=True)
    active = scoped(Run, scope).filter(of_import=item, state__in=(RunState.QUEUED, RunState.RUNNING))
    found = active.order_by("-number").first()
    if found is not None:
        if upload is not None:
            raise Conflict("A run of this import is under way.", remedy="Wait until it has ended.")
        return found, False
    if item.data_source_id is None and upload is None:
        raise Conflict(
            "This import takes files by hand; there is no bucket to look into.",
            remedy="Upload a file for it.",
        )
    last = item.runs.aggregate(models.Max("number"))["number__max"] or 0
    run = Run.objects.create(
        organization_id=scope.organization_id,
        of_import=item,
        number=last + 1,
        trigger=trigger.value,
        requested_by=scope.actor_name if trigger not in BY_ITSELF else "",
        upload=upload,
    )
    if trigger not in BY_ITSELF:
        record(scope, Action.IMPORT_SYNC, item, name=item.title, after={"run": run.pk})
    return run, True


@transaction.atomic
def queue_rollback(scope: Scope, item: Import, version: int, reason: str) -> Run:
    """A queued run that brings an earlier version back, with the event that says why.

    Raises: `InputInvalid` for the reason or the number, `Conflict` while a run is under way.
    """
    item = get(Import, scope, item.pk, lock=True)
    reason = valid_reason(reason, "Say why this version is to come back")
    current = item.current_version.number if item.current_version else 0
    if not item.kept_from <= version < current:
        kept = f"Versions {item.kept_from:,} to {current - 1:,} can come back." if current > item.kept_from else ""
        raise InputInvalid(
            f"Version {version:,} cannot come back: "
            + ("it is the current one." if version == current else "there is none, or it is not kept any more."),
            field="version",
            remedy=kept or "There is no earlier version yet.",
        )
    if item.runs.filter(state__in=(RunState.QUEUED, RunState.RUNNING)).exists():
        raise Conflict("A run of this import is under way.", remedy="Wait until it has ended.")
    last = item.runs.aggregate(models.Max("number"))["number__max"] or 0
    run = Run.objects.create(
        organization_id=scope.organization_id,
        of_import=item,
        number=last + 1,
        trigger=Trigger.ROLLBACK.value,
        requested_by=scope.actor_name,
        restores=version,
        reason=reason,
    )
    after = {"run": run.pk, "version": current, "restores": version, "reason": reason}
    record(scope, Action.IMPORT_ROLLBACK, item, name=item.title, after=after)
    return run


def valid_reason(reason: str, ask: str) -> str:
    """A reason fit for the audit log. Raises: `InputInvalid`."""
    reason = reason.strip()
    if not 3 <= len(reason) <= 2000 or "\x00" in reason:
        raise InputInvalid(f"{ask}, in 3 to 2,000 characters; it is kept in the audit log.", field="reason")
    return reason


def read(scope: Scope, run_id: str) -> Run:
    """One run. Raises: `NotFound`."""
    scope.require(Permission.IMPORT_READ)
    related = ["of_import", "of_import__application", "of_import__data_source", "version"]
    return get(Run, scope, run_id, related=related)


def list_runs(scope: Scope, item: Import | None = None) -> models.QuerySet[Run]:
    """The organization's runs (of one import), newest first."""
    scope.require(Permission.IMPORT_READ)
    rows = scoped(Run, scope).select_related("of_import", "of_import__application", "version")
    if item is not None:
        return rows.filter(of_import=item).order_by("-number")
    return rows.order_by("-queued_at", "-id")


def list_versions(scope: Scope, item: Import) -> models.QuerySet[Version]:
    """The versions of an import that can be asked about, newest first, each with its run."""
    scope.require(Permission.IMPORT_READ)
    rows = scoped(Version, scope).filter(of_import=item, number__gte=item.kept_from)
    return rows.select_related("run").order_by("-number")


def claim(run_id: str) -> Run | None:
    """Make a queued run *running* with a new claim; None where it is not queued any more, or another
    run of the import is running."""
    with system_scope("a job names a run: whose is it?"):
        return _claim(run_id)


def _claim(run_id: str) -> Run | None:
    token = secrets.token_hex(16)
    try:
        with transaction.atomic():
            changed = Run.objects.filter(pk=run_id, state=RunState.QUEUED).update(
                state=RunState.RUNNING, claim=token, started_at=timezone.now(), stage=STAGES[0]
            )
    except IntegrityError:
        return None
    if not changed:
        return None
    related = ("of_import", "of_import__application", "of_import__data_source", "of_import__current_version")
    return Run.objects.select_related(*related, "upload").get(pk=run_id)


def note_progress(run: Run, **values: Any) -> None:
    """Store what a running run has found so far. Raises: `ClaimLost`."""
    _update_claimed(run, values)


def finish_unchanged(run: Run, *, timings: dict[str, float], settles_held: bool = False, **facts: Any) -> None:
    """End a run that found nothing new. `settles_held`: it read a newer file than the held one, which says
    what is known already, so that there is nothing left to decide."""
    with transaction.atomic():
        item = _locked(run)
        if settles_held:
            _discard_held(item, NEWER, by="Grantline", besides=run)
        _end(run, RunState.UNCHANGED, timings=timings, **facts)
        _note_success(item, changed=False)


def fail(run: Run, error: GrantlineError, *, timings: dict[str, float], **facts: Any) -> None:
    """End a run that could not finish; the import's data stays as it is."""
    with transaction.atomic():
        item = _locked(run)
        _end(run, RunState.FAILED, error=error.document(), timings=timings, **facts)
        now = timezone.now()
        item.failing_since = item.failing_since or now
        item.failure_count += 1
        item.looked_at = now
        item.save(update_fields=["failing_since", "failure_count", "looked_at"])


def hold(
    run: Run,
    *,
    version_id: str,
    reasons: Sequence[str],
    base_number: int,
    breaches: Sequence[dict[str, Any]] = (),
    **facts: Any,
) -> None:
    """Stop a run at the guard: its version is staged, nothing else changes, a person decides.

    An older held run of the import is discarded: the newer file replaces its proposal.
    """
    with transaction.atomic():
        item = _locked(run)
        _discard_held(item, NEWER, by="Grantline")
        guard = {"code": "removal_guard", "reasons": list(reasons), "breaches": list(breaches)}
        _end(run, RunState.HELD, staged_version_id=version_id, guard=guard, base_number=base_number, **facts)
        item.looked_at, item.failing_since, item.failure_count = timezone.now(), None, 0
        item.save(update_fields=["looked_at", "failing_since", "failure_count"])
        after = {"reasons": list(reasons)}
        record(worker_scope(run.organization_id), Action.RUN_HOLD, run, name=item.title, after=after)


def publish(
    run: Run,
    manifest: Manifest,
    version_id: str,
    *,
    scope: Scope | None = None,
    seen: dict[str, Any] | None,
    index: Any,
    **facts: Any,
) -> Version:
    """Move the import's pointer to a new version, in one transaction with everything that says so.

    `index` is called inside the transaction to bring the account index up to date. Raises: `ClaimLost`
    where the run is not this worker's any more; `Conflict` where another version was published since
    the diff was made.
    """
    with transaction.atomic():
        item = _locked(run)
        base = item.current_version.number if item.current_version else 0
        if manifest.number != base + 1:
            raise Conflict(
                f"The proposal was made against version {manifest.number - 1}, but {base} is current.",
                remedy="Discard it and sync again.",
            )
        version = Version.objects.create(
            id=version_id,
            organization_id=run.organization_id,
            of_import=item,
            number=manifest.number,
            counts=asdict(manifest.counts),
            changes=asdict(manifest.changes),
            has_history=bool(manifest.history_files),
            size_bytes=sum((*manifest.files.values(), *manifest.history_files.values())),
        )
        item.current_version = version
        if seen is not None:
            item.seen = seen
        if run.restores is None:
            _note_success(item, changed=True)
        else:  # no file was looked at, so a failing or stale import stays that
            item.changed_at = timezone.now()
            item.save()
        index()
        _discard_held(item, NEWER if run.restores is None else "a rollback replaced it", by="Grantline", besides=run)
        _end(run, RunState.PUBLISHED, version=version, changes=asdict(manifest.changes), **facts)
        record(
            scope or worker_scope(run.organization_id),
            Action.RUN_PUBLISH,
            run,
            name=item.title,
            after={"version": version.number, **asdict(manifest.counts)},
        )
    return version


@transaction.atomic
def discard(scope: Scope, run_id: str, reason: str = "") -> Run:
    """Drop what a held run would have changed. Raises: `Conflict` where the run is not held."""
    run = held(scope, run_id)
    run.state, run.decided_by, run.decided_reason = RunState.DISCARDED.value, scope.actor_name, reason.strip()
    run.save(update_fields=["state", "decided_by", "decided_reason"])
    record(scope, Action.RUN_DISCARD, run, name=run.of_import.title, after={"reason": run.decided_reason})
    return run


def held(scope: Scope, run_id: str) -> Run:
    """A held run that the scope may decide about, locked. Raises: `NotFound`, `NotAllowed`, `Conflict`."""
    run = get(Run, scope, run_id, lock=True)
    require(scope, run.of_import.application, Permission.RUN_DECIDE)
    if run.state != RunState.HELD:
        raise Conflict(f"The run is {run.state}, not held; there is nothing to decide.")
    return run


def store_issues(run: Run, issues: Sequence[Issue]) -> None:
    """Keep the first `ISSUES_KEPT` issues of a run; earlier ones of the same run are replaced."""
    rows = [
        RunIssue(
            organization_id=run.organization_id,
            run=run,
            ordinal=number,
            code=issue.code,
            severity=issue.severity,
            row=issue.row,
            line=issue.line,
            file=_storable(issue.file)[:1024],
            cell=(issue.cell or "")[:100],
            column=_storable(issue.column),
            value=_storable(issue.value),
            message=_storable(issue.message),
            remedy=_storable(issue.remedy),
            record=[[_storable(header), _storable(text)] for header, text in issue.record or ()] or None,
        )
        for number, issue in enumerate(issues[:ISSUES_KEPT], start=1)
    ]
    with transaction.atomic():
        run.issues.all().delete()
        RunIssue.objects.bulk_create(rows, batch_size=2000)


def list_issues(
    scope: HasOrganization, run: Run, code: str = "", *, with_records: bool = False
) -> models.QuerySet[RunIssue]:
    """The kept issues of a run in file order; their masked rows only where asked for, they are long."""
    rows = scoped(RunIssue, scope).filter(run=run)
    rows = rows.annotate(has_record=models.Q(record__isnull=False))
    rows = rows if with_records else rows.defer("record")
    return (rows.filter(code=code) if code else rows).order_by("ordinal")


def read_record(scope: Scope, run: Run, ordinal: int) -> RunIssue:
    """One issue with its masked row. Raises: `NotFound` where there is none, or no row was kept with it."""
    found = list_issues(scope, run, with_records=True).filter(ordinal=ordinal, record__isnull=False).first()
    if found is None:
        raise NotFound("No row of the file was kept with this issue.")
    return found


def requeue(run: Run) -> bool:
    """Queue a running run again whose worker is gone; False where it was not running any more."""
    return bool(
        scoped(Run, run)
        .filter(pk=run.pk, state=RunState.RUNNING, claim=run.claim)
        .update(state=RunState.QUEUED, claim="", stage="", started_at=None, progress_bytes=None)
    )


def _update_claimed(run: Run, values: dict[str, Any]) -> None:
    changed = scoped(Run, run).filter(pk=run.pk, claim=run.claim, state=RunState.RUNNING).update(**values)
    if not changed:
        raise ClaimLost(run.pk)
    for name, value in values.items():
        setattr(run, name, value)


def _locked(run: Run) -> Import:
    """The run's import, locked. Held runs have no claim to lose; running ones must still be ours."""
    item = get(Import, run, run.of_import_id, lock=True)
    state = scoped(Run, run).filter(pk=run.pk, claim=run.claim).values_list("state", flat=True).first()
    if state not in (RunState.RUNNING, RunState.HELD):
        raise ClaimLost(run.pk)
    return item


def _end(run: Run, state: RunState, **facts: Any) -> None:
    values = {
        "state": state.value,
        "finished_at": timezone.now(),
        "stage": "",
        "progress_bytes": None,
        **facts,
    }
    scoped(Run, run).filter(pk=run.pk).update(**values)
    for name, value in values.items():
        setattr(run, name, value)


def _note_success(item: Import, *, changed: bool) -> None:
    now = timezone.now()
    item.looked_at, item.failing_since, item.failure_count = now, None, 0
    if changed:
        item.changed_at = now
    item.save()


def _discard_held(item: Import, reason: str, *, by: str, besides: Run | None = None) -> None:
    held_runs = item.runs.filter(state=RunState.HELD).exclude(pk=besides.pk if besides else "")
    for older in held_runs:
        values = {"state": RunState.DISCARDED.value, "decided_by": by, "decided_reason": reason}
        scoped(Run, item).filter(pk=older.pk).update(**values)
        after = {"reason": reason}
        record(worker_scope(item.organization_id), Action.RUN_DISCARD, older, name=item.title, after=after)


def _storable(text: str | None) -> str:
    """Text that PostgreSQL can hold: a NUL is shown as its picture."""
    return (text or "").replace("\x00", "␀").encode("utf-8", "replace").decode()


def note_seen(item: Import, seen: dict[str, Any] | None) -> None:
    """Remember what the last reading saw, so that the same object is not read again."""
    if seen is not None:
        item.seen = seen
        scoped(Import, item).filter(pk=item.pk).update(seen=seen)


def note_timings(run: Run, timings: dict[str, float]) -> None:
    """Write down how long the last stage took, which is known only after it."""
    scoped(Run, run).filter(pk=run.pk).update(timings=timings)


def schedule_next(item: Import) -> None:
    """Set when the import looks next, from now."""
    moment = next_look(item.pk, item.interval_seconds, timezone.now())
    scoped(Import, item).filter(pk=item.pk, paused_at__isnull=True).update(next_run_at=moment)


def state_after(error: GrantlineError) -> RunState:
    """The state a run ends in with this error, from the one table of answers."""
    return RunState(answer(error).run_state)
