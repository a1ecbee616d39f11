"""A check as it is watched: what is being done, and when it will never end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from grantline.aws.check import STEPS
from grantline.control.sources.models import ConnectionCheck
from grantline.web.sources.checking import DOING, TITLES, CheckView

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def view(age_seconds: int = 0, steps: int = 0, **values: Any) -> CheckView:
    done = [{"name": name, "outcome": "pass", "message": "So it is."} for name in STEPS[:steps]]
    check = ConnectionCheck(started_at=NOW - timedelta(seconds=age_seconds), steps=done, **values)
    return CheckView(check, NOW)


def test_every_step_has_words() -> None:
    assert tuple(TITLES) == tuple(DOING) == STEPS


@pytest.mark.parametrize("done", range(1, len(STEPS)))
def test_the_last_line_says_what_is_being_done(done: int) -> None:
    assert view(5, done).lines[-1]["title"] == DOING[STEPS[done]]


@pytest.mark.parametrize(("age", "written", "shown"), [(12, 12, 12), (15, 12, 15), (40, 12, 17), (70, 58, 60)])
def test_waiting_counts_on_between_two_notes(age: int, written: int, shown: int) -> None:
    line = view(age, waiting_seconds=written).lines[-1]

    assert line["title"] == f"Waiting for AWS to notice the new role: {shown} of 60 seconds"


def test_what_is_spoken_has_no_seconds() -> None:
    assert view(12, waiting_seconds=12).spoken == "Waiting for AWS to notice the new role"


def test_a_check_whose_worker_is_gone_is_lost_and_asks_no_more() -> None:
    assert view(299).is_running
    assert view(301).is_lost
    assert not view(301).is_running
    assert not view(301, finished_at=NOW).is_lost


def test_nobody_takes_it_up() -> None:
    assert not view(10).awaits_worker
    assert view(30).awaits_worker
    assert not view(30, steps=1).awaits_worker


def test_the_mark_changes_with_every_news() -> None:
    marks = {
        view(1).mark,
        view(30).mark,
        view(1, steps=1).mark,
        view(5, waiting_seconds=3).mark,
        view(9, steps=6, finished_at=NOW).mark,
    }

    assert len(marks) == 5
