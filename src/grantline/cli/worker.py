"""`grantline worker`: carries out runs and connection checks, and keeps the schedule.

Any number may run on any number of machines: the queue gives each job to one, and the periodic tasks
fire once over all of them.
"""

from __future__ import annotations

import argparse

from grantline.cli.supervised import add_flag, end_with_parent
from grantline.config.start import started

GRACE_SECONDS = 20
"""How long jobs may go on after the worker was told to stop; then they are left to another worker."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    add_flag(subparsers.add_parser("worker", help="start a worker alone"))


def run(args: argparse.Namespace) -> int:
    """Work until told to stop."""
    with started() as settings:
        from grantline.jobs.worker import work

        end_with_parent(args)
        work(concurrency=settings.worker_concurrency, grace_seconds=GRACE_SECONDS)
    return 0
