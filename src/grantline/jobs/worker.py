"""A worker: takes jobs from the queue until it is told to stop.

In: how many jobs side by side. Out: nothing; it returns when SIGINT or SIGTERM came and the running
jobs ended, or the grace ran out (then another worker picks them up).
"""

from __future__ import annotations

import asyncio

from procrastinate.contrib.django import app


def work(*, concurrency: int, grace_seconds: float) -> None:
    """Work on every queue. Blocks."""
    asyncio.run(_work(concurrency, grace_seconds))


async def _work(concurrency: int, grace_seconds: float) -> None:
    worker_app = app.with_connector(app.connector.get_worker_connector())  # type: ignore[attr-defined]
    async with worker_app.open_async():
        await worker_app.run_worker_async(
            concurrency=concurrency,
            fetch_job_polling_interval=2.0,
            shutdown_graceful_timeout=grace_seconds,
            update_heartbeat_interval=5.0,
            stalled_worker_timeout=20.0,
            delete_jobs="successful",
        )
