"""What a check's result means for a data source: its proof, its state, and when it is proven again.

In: a locked row and what a check found. Out: the row's new values, not saved, and the event to record.
Rules, each fail-closed: only *trusted* gives the right to read. A role that lets others in suspends a
source that was proven before. A role that does not let us in ends the proof, and the source needs
attention. No clear answer changes nothing at first, and ends the proof when it lasts. A suspended source
comes back through a passing check alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from grantline.control.audit.rules import Action
from grantline.control.imports.schedule import next_look
from grantline.control.sources.models import DataSource, SourceState

Doubt = Literal["open", "closed", "taken", "unknown"]
"""Why a role is not trusted: it lets others in, it does not let us in, it is another's, or no clear answer."""

SECOND_LOOK: Final = timedelta(minutes=2)
"""AWS takes up to a minute to notice a changed policy; by then what was seen is what holds."""
DAY_SECONDS: Final = 24 * 3600
RETRY: Final = timedelta(hours=1)
"""How soon a source whose proof lapsed is looked at again."""
TAKEN_RETRY: Final = timedelta(minutes=3)
UNKNOWN_RETRY: Final = timedelta(minutes=5)
"""Doubled with every further try that gave no clear answer, up to `RETRY`."""
UNKNOWNS: Final = 6
"""So many tries in a row without a clear answer, over about two hours, end the proof."""


@dataclass(frozen=True)
class Finding:
    """What a check found. `doubt` says why where it is not `trusted`; `reason` says it in words."""

    trusted: bool
    ok: bool
    doubt: Doubt = "closed"
    reason: str = ""
    found_region: str = ""


def settle(source: DataSource, finding: Finding, *, state_before: str, now: datetime) -> Action | None:
    """Give `source` the values that follow from `finding`; the event that this is, if it is one."""
    source.checked_at = now
    source.found_region = finding.found_region or source.found_region
    if finding.trusted:
        return _trusted(source, finding.ok, now)
    if finding.doubt == "unknown":
        return _unknown(source, state_before, now)
    source.unknown_count = 0
    if finding.doubt == "open" and source.proven_at is not None:
        return _suspended(source, finding.reason, now)
    return _lapsed(source, now + (TAKEN_RETRY if finding.doubt == "taken" else RETRY), always=finding.doubt == "taken")


def end_proof(source: DataSource) -> None:
    """What was proven was about other values: begin anew. The caller saves the row."""
    source.verified_at = source.proven_at = source.suspended_at = source.next_probe_at = None
    source.suspended_reason, source.found_region, source.unknown_count = "", "", 0
    source.state = SourceState.AWAITING_ROLE.value


def _trusted(source: DataSource, ok: bool, now: datetime) -> Action | None:
    is_new, was_suspended = source.verified_at is None, source.suspended_at is not None
    source.verified_at = source.verified_at or now
    source.proven_at, source.suspended_at, source.suspended_reason, source.unknown_count = now, None, "", 0
    source.state = (SourceState.CONNECTED if ok else SourceState.NEEDS_ATTENTION).value
    source.next_probe_at = now + SECOND_LOOK if is_new else next_look(source.pk, DAY_SECONDS, now)
    return Action.SOURCE_RESUME if was_suspended else None


def _suspended(source: DataSource, reason: str, now: datetime) -> Action | None:
    is_new = source.suspended_at is None
    source.verified_at, source.state = None, SourceState.SUSPENDED.value
    source.suspended_at, source.suspended_reason = source.suspended_at or now, reason
    source.next_probe_at = now + RETRY
    return Action.SOURCE_SUSPEND if is_new else None


def _lapsed(source: DataSource, again_at: datetime, *, always: bool = False) -> Action | None:
    """The proof is gone; the schedule looks again where there was one (or `always`)."""
    had_proof = source.verified_at is not None
    source.verified_at = None
    is_suspended = source.suspended_at is not None
    source.state = (SourceState.SUSPENDED if is_suspended else SourceState.NEEDS_ATTENTION).value
    source.next_probe_at = again_at if always or source.proven_at is not None else None
    return Action.SOURCE_LAPSE if had_proof else None


def _unknown(source: DataSource, state_before: str, now: datetime) -> Action | None:
    source.unknown_count += 1
    if source.verified_at is None or source.unknown_count >= UNKNOWNS:
        return _lapsed(source, now + RETRY)
    kept = SourceState.NEEDS_ATTENTION.value if state_before == SourceState.CHECKING else state_before
    source.state = kept
    source.next_probe_at = now + min(UNKNOWN_RETRY * 2 ** (source.unknown_count - 1), RETRY)
    return None
