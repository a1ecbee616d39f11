"""Work that is begun in a process of its own, which dies by SIGKILL at a named point.

The process is a fork of the test's, so that it is there within milliseconds and as warm as a worker that
has run for hours. It opens connections of its own; what it leaves behind is what a power cut leaves.
"""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.db import connection, connections

from grantline.control.runs.models import Run
from grantline.jobs.recovery import recover_runs

TAKEN = "UPDATE procrastinate_jobs SET status = 'doing' WHERE args ->> 'run_id' = %s AND status = 'todo'"

ENDED = "DELETE FROM procrastinate_jobs WHERE args ->> 'run_id' = %s"


def dies_at(point: str, work: Callable[[], Any]) -> bool:
    """Whether `work` came by `point` and was killed there; otherwise it was done to its end."""
    connections.close_all()  # a connection that two processes hold belongs to neither
    child = os.fork()
    if child == 0:
        _work_and_end(point, work)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0, "the work failed before the point; its output says how"
    return False


def _work_and_end(point: str, work: Callable[[], Any]) -> None:
    """In the child: never returns, and runs nothing of the test's own clean-up."""
    code = 1
    try:
        settings.GRANTLINE = replace(settings.GRANTLINE, crash_at=point)
        work()
        code = 0
    except BaseException:  # noqa: BLE001 - the child of a fork must not go on as a second test run
        traceback.print_exc()
    finally:
        os._exit(code)


def take(run: Run) -> None:
    """Mark the run's job as taken by a worker that sends no heartbeat, as a dead one does."""
    with connection.cursor() as cursor:
        cursor.execute(TAKEN, [run.pk])


def give_to_another(run: Run) -> None:
    """What the recovery of any living worker does about it: a run that was under way is queued again."""
    was_under_way = run.state == "running"
    assert recover_runs() == was_under_way
    run.refresh_from_db()
    assert run.state == "queued" or not was_under_way


def end_job(run: Run) -> None:
    """What the queue does when the job's task returns."""
    with connection.cursor() as cursor:
        cursor.execute(ENDED, [run.pk])
