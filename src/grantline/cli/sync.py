"""`grantline sync IMPORT_ID`: queue a run of an import, and wait for its verdict."""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING

from grantline.config.start import started
from grantline.errors import NotFound

if TYPE_CHECKING:
    from grantline.control.runs.models import Run

POLL_SECONDS = 0.5


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = subparsers.add_parser("sync", help="look into an import's bucket now")
    parser.add_argument("import_id", metavar="IMPORT_ID", help="id of the import (imp_…)")
    parser.add_argument("--no-wait", action="store_true", help="queue the run and return at once")
    parser.add_argument("--timeout", type=float, default=600, help="seconds to wait for the verdict (default: 600)")


def run(args: argparse.Namespace) -> int:
    """Sync. Exit code 0 where the run was published or found nothing new, 2 where it failed or is held.

    Raises: `NotFound`.
    """
    with started():
        from grantline.control.imports.models import Import
        from grantline.control.organizations.rules import worker_scope
        from grantline.control.runs.models import Run, Trigger
        from grantline.control.tenancy import enter, system_scope
        from grantline.jobs.requests import sync

        with system_scope("the command line names an import: whose is it?"):
            item = Import.objects.filter(pk=args.import_id).first()
        if item is None:
            raise NotFound(f"There is no import {args.import_id!r}.", remedy="The import's page shows its id.")
        enter(item)
        queued = sync(worker_scope(item.organization_id), item.pk, Trigger.BUTTON)
        print(f"Run {queued.pk} is {queued.state}. A worker carries it out.")
        if args.no_wait:
            return 0
        deadline = time.monotonic() + args.timeout
        found = queued
        while not found.is_over and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
            found = Run.objects.get(pk=queued.pk)
    return _verdict(found)


def _verdict(run: Run) -> int:
    state, error = run.state, run.error
    if state in ("queued", "running"):
        print("The run is still under way. Is a worker running?", file=sys.stderr)
        return 75
    print(f"The run is {state}.")
    if error:
        print(f"{error['code']}: {error['message']}\n{error['remedy']}", file=sys.stderr)
    return 0 if state in ("published", "unchanged") else 2
