"""What is left when a worker dies: jobs marked as running, runs without an owner.

In: the queue's heartbeats. Out: stalled jobs are queued again, and a running run whose job is gone
goes back to *queued* with a new job. Safe to run at any time: a worker that was only slow has lost its
claim by then and cannot publish.
"""

from __future__ import annotations

import structlog
from asgiref.sync import async_to_sync
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from grantline.control.runs import rules as runs
from grantline.control.runs.models import Run, RunState
from grantline.control.tenancy import system_scope
from grantline.jobs.tasks import defer_run

log = structlog.get_logger(__name__)


def recover_runs() -> int:
    """Queue what a dead worker left behind. Returns how many runs were queued again."""
    with system_scope("runs of every organization may have lost their worker"):
        return _recover_runs()


def _recover_runs() -> int:
    _retry_stalled_jobs()
    recovered = 0
    working = _runs_with_live_jobs()
    since = timezone.now() - runs.STALLED_AFTER
    lost = Run.objects.filter(
        Q(state=RunState.RUNNING, started_at__lt=since) | Q(state=RunState.QUEUED, queued_at__lt=since)
    )
    for run in lost:
        if run.pk in working:
            continue
        with transaction.atomic():
            if run.state == RunState.RUNNING and not runs.requeue(run):
                continue
            defer_run(run)
        recovered += 1
        log.warning("run.recovered", run_id=run.pk)
    return recovered


def _retry_stalled_jobs() -> None:
    """Jobs whose worker stopped sending heartbeats: the run goes back to queued, the job is retried."""
    for job in async_to_sync(app.job_manager.get_stalled_jobs)():
        run_id = str(job.task_kwargs.get("run_id", ""))
        if run_id:
            Run.objects.filter(pk=run_id, state=RunState.RUNNING).update(
                state=RunState.QUEUED, claim="", stage="", started_at=None
            )
        if job.id is not None:
            app.job_manager.retry_job_by_id(job.id, retry_at=timezone.now())


def _runs_with_live_jobs() -> set[str]:
    jobs = ProcrastinateJob.objects.filter(task_name="grantline.run_import", status__in=("todo", "doing"))
    return {str(arguments.get("run_id")) for arguments in jobs.values_list("args", flat=True)}
