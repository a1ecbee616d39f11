"""The state of an import, in one vocabulary, with the sentence behind it.

Pure but for the clock that is passed in. In: an import whose `active_states` (states of its runs that
are not over, or held) were read with it. Out: `(ImportState, sentence)`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from django.contrib.postgres.aggregates import ArrayAgg
from django.db import models
from django.db.models import Q

from grantline.control.imports.models import Import


class ImportState(StrEnum):
    """What an import is, in the words of the pages; the worst first."""

    HELD = "held"
    FAILING = "failing"
    STALE = "stale"
    RUNNING = "running"
    PAUSED = "paused"
    NEW = "new"
    HEALTHY = "healthy"


NEEDS_A_PERSON = (ImportState.HELD, ImportState.FAILING, ImportState.STALE)


def with_active_states(rows: models.QuerySet[Import]) -> models.QuerySet[Import]:
    """`rows`, each with `active_states`: the states of its runs that are queued, running or held."""
    return rows.annotate(
        active_states=ArrayAgg(
            "runs__state", filter=Q(runs__state__in=("queued", "running", "held")), default=[], distinct=True
        )
    )


def import_state(item: Import, now: datetime) -> ImportState:
    """The state of one import at `now`."""
    active = _active_states(item)
    if "held" in active:
        return ImportState.HELD
    if "running" in active or "queued" in active:
        return ImportState.RUNNING
    if item.paused_at is not None:
        return ImportState.PAUSED
    if item.failing_since is not None:
        return ImportState.FAILING
    if item.looked_at is None:
        return ImportState.NEW
    return ImportState.STALE if is_stale(item, now) else ImportState.HEALTHY


def state_sentence(item: Import, state: ImportState, now: datetime) -> str:
    """One sentence that says what the state means for this import."""
    if state is ImportState.HELD:
        return "Held. A run would remove more than the guard allows and waits for a person."
    if state is ImportState.RUNNING:
        return "Running. A run is under way."
    if state is ImportState.PAUSED and item.paused_at:
        return f"Paused {_ago(now - item.paused_at)} ago. It does not look until somebody resumes it."
    if state is ImportState.FAILING and item.failing_since:
        times = "once" if item.failure_count == 1 else f"{item.failure_count} times in a row"
        return f"Failing since {_ago(now - item.failing_since)} ago ({times}). The last good data is kept."
    if state is ImportState.NEW:
        return "New. It has not looked yet."
    return _looked_sentence(item, state, now)


def _looked_sentence(item: Import, state: ImportState, now: datetime) -> str:
    looked = f"Looked {_ago(now - item.looked_at)} ago" if item.looked_at else "Never looked"
    changed = f"nothing new for {_ago(now - item.changed_at)}" if item.changed_at else "nothing found yet"
    if item.changed_at and item.looked_at and item.looked_at - item.changed_at < timedelta(seconds=60):
        changed = "and found something new"
    following = f"; next look at {item.next_run_at:%H:%M} UTC" if item.next_run_at else ""
    return f"{state.value.capitalize()}. {looked}, {changed}{following}."


def is_stale(item: Import, now: datetime) -> bool:
    """Whether it looked, or found something new, longer ago than it should have."""
    if item.data_source_id is not None and item.looked_at is not None:
        late = item.looked_at + timedelta(seconds=item.interval_seconds * 1.5)
        if now > late:
            return True
    if item.stale_after_seconds is None or item.changed_at is None:
        return False
    return now - item.changed_at > timedelta(seconds=item.stale_after_seconds)


def _active_states(item: Import) -> list[str]:
    known: list[str] | None = getattr(item, "active_states", None)
    if known is None:
        known = list(item.runs.filter(state__in=("queued", "running", "held")).values_list("state", flat=True))
    return known


def _ago(delta: timedelta) -> str:
    seconds = max(int(delta.total_seconds()), 0)
    for size, word in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count:,} {word}{'s' if count != 1 else ''}"
    return f"{seconds} second{'s' if seconds != 1 else ''}"
