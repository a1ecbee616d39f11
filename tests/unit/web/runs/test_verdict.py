"""The verdict of a run: one sentence per state that says what happened to the data."""

from __future__ import annotations

import pytest

from grantline.control.runs.models import Run, RunState, Version
from grantline.web.runs.verdict import change_phrases, verdict

CHANGES = {"accounts": {"added": 1, "removed": 0, "changed": 2}, "grants": {"added": 12431, "removed": 3, "changed": 0}}


def test_verdict_of_a_published_run_counts_changes_and_issues() -> None:
    run = Run(state="published", version=Version(number=4), changes=CHANGES, issue_counts={"value_invalid": 2})
    assert verdict(run) == (
        "Published version 4: 1 account added, 2 accounts changed, 12,431 grants added, 3 grants removed. "
        "2 issues found in its rows."
    )


def test_verdict_of_a_held_run_says_that_nothing_changed() -> None:
    run = Run(state="held", changes={"accounts": {"removed": 321}, "grants": {"removed": 1}})
    assert verdict(run) == "Stopped before anything changed: 321 accounts and 1 grant would go. A person decides."


def test_verdict_of_a_failed_run_is_its_error() -> None:
    run = Run(state="failed", error={"code": "file_empty", "message": "The file holds no data rows."})
    assert verdict(run) == "The file holds no data rows. The last good data is kept."


@pytest.mark.parametrize("state", list(RunState))
def test_verdict_is_one_line_of_words_in_every_state(state: RunState) -> None:
    said = verdict(Run(state=state.value))
    assert said.endswith(".")
    assert "None" not in said


def test_change_phrases_of_nothing_are_none() -> None:
    assert change_phrases(None) == []
    assert change_phrases({"accounts": {"added": 0}}) == []
