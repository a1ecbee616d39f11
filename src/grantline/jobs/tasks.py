"""The tasks of the queue, and the schedule.

A task's arguments are ids. Every task is idempotent: what it does is decided by the state in the
database, not by having been queued. One run of an import at a time is a lock of the queue and a
constraint of the database. Periodic tasks fire once over all workers.
"""

from __future__ import annotations

import structlog
from django.utils import timezone
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from grantline.control.imports import rules as imports
from grantline.control.imports.models import Import
from grantline.control.organizations.rules import worker_scope
from grantline.control.runs import rules as runs
from grantline.control.runs.models import Run, RunState, Trigger
from grantline.control.sources.models import ConnectionCheck
from grantline.control.tenancy import acting_for
from grantline.jobs.installation import aws_service

log = structlog.get_logger(__name__)

CLEAN_UP_MINUTES = "*/20 * * * *"
DATABASE_RETRY = RetryStrategy(max_attempts=5, wait=2, exponential_wait=2)
"""For a database that goes away in mid-run; every other failure is the run's verdict already."""


@app.task(name="grantline.run_import", pass_context=False, retry=DATABASE_RETRY)
def run_import(run_id: str) -> None:
    """Carry out one queued run."""
    from grantline.jobs.run import carry_out

    carry_out(run_id)


@app.task(name="grantline.check_source", retry=DATABASE_RETRY)
def check_source(check_id: str) -> None:
    """Carry out one connection check."""
    from grantline.jobs.checks import carry_out

    carry_out(check_id, aws_service())


@app.periodic(cron="* * * * * */5")
@app.task(name="grantline.look", queueing_lock="grantline.look", lock="grantline.look")
def look(timestamp: int) -> None:
    """Queue a run for every import whose time has come. Every five seconds; cheap when nothing is due."""
    for item in imports.due(timezone.now()):
        with acting_for(item):
            _look_into(item)


def _look_into(item: Import) -> None:
    runs.schedule_next(item)
    if item.runs.filter(state=RunState.HELD).exists():
        log.debug("look.held", import_id=item.pk)
    run, created = runs.queue(worker_scope(item.organization_id), item, Trigger.SCHEDULE)
    if created:
        defer_run(run)
        log.info("look.due", import_id=item.pk, run_id=run.pk)


@app.periodic(cron="* * * * *")
@app.task(name="grantline.probe_sources", queueing_lock="grantline.probe_sources", lock="grantline.probe_sources")
def probe_sources(timestamp: int) -> None:
    """Queue a check for every data source whose trust is to be proven again. Every minute."""
    from grantline.jobs.probes import start_due_probes

    start_due_probes(timezone.now())


@app.periodic(cron="* * * * *")
@app.task(name="grantline.recover", queueing_lock="grantline.recover", lock="grantline.recover")
def recover(timestamp: int) -> None:
    """Put runs back into the queue whose worker is gone, and defer queued runs that no job names."""
    from grantline.jobs.recovery import recover_runs

    recover_runs()


@app.periodic(cron=CLEAN_UP_MINUTES)
@app.task(name="grantline.clean_up", queueing_lock="grantline.clean_up", lock="grantline.clean_up")
def clean_up(timestamp: int) -> None:
    """Remove files that nothing names any more."""
    from grantline.jobs.cleaning import clean_lake, clean_spool

    clean_lake()
    clean_spool()


def defer_check(check: ConnectionCheck) -> None:
    """Put a check into the queue."""
    check_source.configure(queueing_lock=f"check:{check.pk}").defer(check_id=check.pk)


def defer_run(run: Run) -> None:
    """Put a queued run into the queue: one queued job and one running job per import."""
    from procrastinate.exceptions import AlreadyEnqueued

    job = run_import.configure(lock=f"import:{run.of_import_id}", queueing_lock=f"run:{run.pk}")
    try:
        job.defer(run_id=run.pk)
    except AlreadyEnqueued:
        log.debug("run.already_queued", run_id=run.pk)
