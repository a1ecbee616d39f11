"""The tasks of the queue, and the schedule.

A task's arguments are ids. Every task is idempotent: what it does is decided by the state in the
database, not by having been queued. One run of an import at a time is a lock of the queue and a
constraint of the database. Periodic tasks fire once over all workers.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import structlog
from django.db import close_old_connections
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
MERGE_HOUR = "40 2 * * *"
DELIVERY_RETRY = RetryStrategy(max_attempts=8, exponential_wait=5)
"""Seconds 5, 25, 125, … up to about a day and a half in all."""
DATABASE_RETRY = RetryStrategy(max_attempts=5, wait=2, exponential_wait=2)
"""For a database that goes away in mid-run; every other failure is the run's verdict already."""


def on_a_good_connection(task: Callable[..., None]) -> Callable[..., None]:
    """`task`, begun without the connection that an earlier one left broken in this thread."""

    @functools.wraps(task)
    def begun(*arguments: Any, **named: Any) -> None:
        close_old_connections()
        task(*arguments, **named)

    return begun


@app.task(name="grantline.run_import", pass_context=False, retry=DATABASE_RETRY)
@on_a_good_connection
def run_import(run_id: str) -> None:
    """Carry out one queued run."""
    from grantline.jobs.run import carry_out

    carry_out(run_id)


@app.task(name="grantline.check_source", retry=DATABASE_RETRY)
@on_a_good_connection
def check_source(check_id: str) -> None:
    """Carry out one connection check."""
    from grantline.jobs.checks import carry_out

    carry_out(check_id, aws_service())


@app.periodic(cron="* * * * * */5")
@app.task(name="grantline.look", queueing_lock="grantline.look", lock="grantline.look")
@on_a_good_connection
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
@on_a_good_connection
def probe_sources(timestamp: int) -> None:
    """Queue a check for every data source whose trust is to be proven again. Every minute."""
    from grantline.jobs.probes import start_due_probes

    start_due_probes(timezone.now())


@app.periodic(cron=CLEAN_UP_MINUTES)
@app.task(name="grantline.clean_up", queueing_lock="grantline.clean_up", lock="grantline.clean_up")
@on_a_good_connection
def clean_up(timestamp: int) -> None:
    """Remove files that nothing names any more; match accounts that an earlier release has indexed."""
    from grantline.jobs.cleaning import clean_lake, clean_spool, forget_past
    from grantline.jobs.people import match_earlier_accounts

    match_earlier_accounts()
    forget_past()
    clean_lake()
    clean_spool()


@app.periodic(cron="* * * * *")
@app.task(name="grantline.tell", queueing_lock="grantline.tell", lock="grantline.tell")
@on_a_good_connection
def tell(timestamp: int) -> None:
    """Tell members what needs them since the last time. Every minute."""
    from grantline.jobs.notices import tell

    tell()


@app.task(name="grantline.send_email", retry=DELIVERY_RETRY)
@on_a_good_connection
def send_email(organization_id: str, notice_id: str, address: str) -> None:
    """Send one notice to one address."""
    from grantline.jobs.notices import email

    email(organization_id, notice_id, address)


@app.task(name="grantline.send_webhook", retry=DELIVERY_RETRY)
@on_a_good_connection
def send_webhook(organization_id: str, notice_id: str, endpoint_id: str) -> None:
    """Send one notice to one endpoint."""
    from grantline.jobs.notices import webhook

    webhook(organization_id, notice_id, endpoint_id)


def defer_check(check: ConnectionCheck) -> None:
    """Put a check into the queue."""
    check_source.configure(queueing_lock=f"check:{check.pk}").defer(check_id=check.pk)


@app.periodic(cron=MERGE_HOUR)
@app.task(name="grantline.merge", queueing_lock="grantline.merge", lock="grantline.merge")
@on_a_good_connection
def merge(timestamp: int) -> None:
    """Merge history, so that past days stay quick to read. Daily."""
    from grantline.jobs.cleaning import merge_histories

    merge_histories()


def defer_run(run: Run) -> None:
    """Put a queued run into the queue: one queued job and one running job per import."""
    from procrastinate.exceptions import AlreadyEnqueued

    job = run_import.configure(lock=f"import:{run.of_import_id}", queueing_lock=f"run:{run.pk}")
    try:
        job.defer(run_id=run.pk)
    except AlreadyEnqueued:
        log.debug("run.already_queued", run_id=run.pk)
