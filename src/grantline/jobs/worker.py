"""A worker: takes jobs from the queue until it is told to stop, and looks after those of dead workers.

In: how many jobs side by side. Out: nothing; it returns when SIGINT or SIGTERM came and the running
jobs ended, or the grace ran out (then another worker picks them up).
"""

from __future__ import annotations

import asyncio
import threading

import structlog
from django.conf import settings
from django.db import Error, close_old_connections
from procrastinate.contrib.django import app

log = structlog.get_logger(__name__)

HEARTBEATS = 6
"""Heartbeats, and looks for dead workers, in the time after which a silent worker counts as dead."""


def work(*, concurrency: int, grace_seconds: float) -> None:
    """Work on every queue. Blocks."""
    stopped = threading.Event()
    watch = threading.Thread(target=_watch, args=(stopped,), name="recovery", daemon=True)
    watch.start()
    try:
        asyncio.run(_work(concurrency, grace_seconds))
    finally:
        stopped.set()


async def _work(concurrency: int, grace_seconds: float) -> None:
    lost_after = settings.GRANTLINE.lost_after_seconds
    worker_app = app.with_connector(app.connector.get_worker_connector())  # type: ignore[attr-defined]
    async with worker_app.open_async():
        await worker_app.run_worker_async(
            concurrency=concurrency,
            fetch_job_polling_interval=2.0,
            shutdown_graceful_timeout=grace_seconds,
            update_heartbeat_interval=lost_after / HEARTBEATS,
            stalled_worker_timeout=lost_after,
            delete_jobs="successful",
        )


def _watch(stopped: threading.Event) -> None:
    from grantline.jobs.recovery import recover_runs

    while not stopped.wait(settings.GRANTLINE.lost_after_seconds / HEARTBEATS):
        try:
            close_old_connections()
            recover_runs()
        except Error as error:  # the database is away; the next look may find it again
            log.warning("recovery.postponed", reason=type(error).__name__)
