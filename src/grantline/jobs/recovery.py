"""What is left when a worker dies: jobs marked as running, runs without an owner.

In: the queue's heartbeats. Out: jobs of silent workers are queued again, and a running run whose job is
gone goes back to *queued* with a new job. Safe to run at any time, by any number of workers: one does it,
and a worker that was only slow has lost its claim by then and cannot publish. Every worker calls it from a
thread of its own (`worker`), not through the queue, whose locks a dead worker may hold.
"""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.exceptions import UniqueViolation

from grantline.control.runs import rules as runs
from grantline.control.runs.models import Run, RunState
from grantline.control.tenancy import system_scope
from grantline.jobs.tasks import defer_run

log = structlog.get_logger(__name__)

TRY_LOCK = "SELECT pg_try_advisory_xact_lock(hashtext('grantline.recover'))"
REMOVE = "SELECT procrastinate_finish_job_v1(%s, 'failed', true)"
PATIENCE = 3
"""A run whose job cannot be found is lost after so many times `lost_after_seconds`."""


def recover_runs() -> int:
    """Queue what a dead worker left behind. Returns how many runs were queued again; 0 where another worker
    is at it."""
    with system_scope("runs of every organization may have lost their worker"), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(TRY_LOCK)
            if not cursor.fetchone()[0]:
                return 0
        return _retry_stalled_jobs() + _requeue_lost_runs()


def _retry_stalled_jobs() -> int:
    """Jobs whose worker stopped sending heartbeats: the run goes back to queued, the job is retried."""
    silent_since = Now() - timedelta(seconds=settings.GRANTLINE.lost_after_seconds)
    stalled = ProcrastinateJob.objects.filter(status="doing").filter(
        Q(worker__isnull=True) | Q(worker__last_heartbeat__lt=silent_since)
    )
    recovered = 0
    for job in stalled:
        run_id = str(job.args.get("run_id", ""))
        if run_id:
            lost = Run.objects.filter(pk=run_id, state=RunState.RUNNING).first()
            recovered += lost is not None and runs.requeue(lost)
        _retry(job)
        log.warning("job.recovered", task=job.task_name, run_id=run_id or None)
    return recovered


def _retry(job: ProcrastinateJob) -> None:
    try:
        with transaction.atomic():
            app.job_manager.retry_job_by_id(job.pk, retry_at=timezone.now())
    except UniqueViolation:
        # A periodic task whose next turn is in the queue already: the lost one has to go, since its lock
        # would keep that turn waiting for ever.
        with connection.cursor() as cursor:
            cursor.execute(REMOVE, [job.pk])


def _requeue_lost_runs() -> int:
    recovered = 0
    working = _runs_with_live_jobs()
    since = Now() - timedelta(seconds=PATIENCE * settings.GRANTLINE.lost_after_seconds)
    lost = Run.objects.filter(
        Q(state=RunState.RUNNING, started_at__lt=since) | Q(state=RunState.QUEUED, queued_at__lt=since)
    )
    for run in lost:
        if run.pk in working:
            continue
        if run.state == RunState.RUNNING and not runs.requeue(run):
            continue
        defer_run(run)
        recovered += 1
        log.warning("run.recovered", run_id=run.pk)
    return recovered


def _runs_with_live_jobs() -> set[str]:
    jobs = ProcrastinateJob.objects.filter(task_name="grantline.run_import", status__in=("todo", "doing"))
    return {str(arguments.get("run_id")) for arguments in jobs.values_list("args", flat=True)}
