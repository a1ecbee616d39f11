"""What a check's result means for a data source, result by result."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from grantline.control.audit.rules import Action
from grantline.control.sources.models import DataSource, SourceState
from grantline.control.sources.trust import RETRY, SECOND_LOOK, UNKNOWNS, Doubt, Finding, end_proof, settle

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
BEFORE = NOW - timedelta(days=3)
TRUSTED = Finding(trusted=True, ok=True)


def proven(number: int = 1) -> DataSource:
    return DataSource(id=f"src_{number}", state="connected", verified_at=BEFORE, proven_at=BEFORE)


def suspended() -> DataSource:
    return DataSource(id="src_1", state="suspended", proven_at=BEFORE, suspended_at=BEFORE, suspended_reason="Open.")


def doubted(doubt: Doubt) -> Finding:
    return Finding(trusted=False, ok=False, doubt=doubt, reason="Because.")


def after(source: DataSource, finding: Finding, state_before: str = "connected") -> tuple[str, bool, Action | None]:
    """The state, whether it may be read, and the event."""
    event = settle(source, finding, state_before=state_before, now=NOW)
    return source.state, source.verified_at is not None, event


@pytest.mark.parametrize(
    ("source", "finding", "expected"),
    [
        (DataSource(id="src_1"), TRUSTED, ("connected", True, None)),
        (DataSource(id="src_1"), Finding(trusted=True, ok=False), ("needs_attention", True, None)),
        (DataSource(id="src_1"), doubted("open"), ("needs_attention", False, None)),
        (DataSource(id="src_1"), doubted("closed"), ("needs_attention", False, None)),
        (DataSource(id="src_1"), doubted("unknown"), ("needs_attention", False, None)),
        (proven(), doubted("open"), ("suspended", False, Action.SOURCE_SUSPEND)),
        (proven(), doubted("closed"), ("needs_attention", False, Action.SOURCE_LAPSE)),
        (proven(), doubted("taken"), ("needs_attention", False, Action.SOURCE_LAPSE)),
        (proven(), doubted("unknown"), ("connected", True, None)),
        (suspended(), doubted("open"), ("suspended", False, None)),
        (suspended(), doubted("closed"), ("suspended", False, None)),
        (suspended(), doubted("taken"), ("suspended", False, None)),
        (suspended(), doubted("unknown"), ("suspended", False, None)),
        (suspended(), TRUSTED, ("connected", True, Action.SOURCE_RESUME)),
        (suspended(), Finding(trusted=True, ok=False), ("needs_attention", True, Action.SOURCE_RESUME)),
    ],
)
def test_every_result_in_every_situation(
    source: DataSource, finding: Finding, expected: tuple[str, bool, Action | None]
) -> None:
    assert after(source, finding) == expected
    assert (source.suspended_at is not None) == (source.state == SourceState.SUSPENDED)


def test_a_proof_keeps_its_first_moment_and_notes_the_last() -> None:
    source = proven()
    after(source, TRUSTED)
    assert (source.verified_at, source.proven_at) == (BEFORE, NOW)


def test_a_first_proof_is_repeated_soon_a_later_one_within_a_day_at_its_own_time() -> None:
    first = DataSource(id="src_1")
    after(first, TRUSTED)
    assert first.next_probe_at == NOW + SECOND_LOOK
    times = set()
    for number in range(50):
        source = proven(number)
        after(source, TRUSTED)
        assert source.next_probe_at is not None
        assert NOW < source.next_probe_at <= NOW + timedelta(days=1)
        times.add(source.next_probe_at)
    assert len(times) > 45


def test_no_clear_answer_is_asked_again_ever_later_until_the_proof_ends() -> None:
    source, pauses = proven(), []
    for _ in range(UNKNOWNS - 1):
        assert after(source, doubted("unknown"))[:2] == ("connected", True)
        assert source.next_probe_at is not None
        pauses.append(source.next_probe_at - NOW)
    assert pauses == sorted(pauses)
    assert pauses[0] == timedelta(minutes=5)
    assert pauses[-1] <= RETRY
    assert after(source, doubted("unknown")) == ("needs_attention", False, Action.SOURCE_LAPSE)


def test_a_source_that_was_never_proven_is_left_to_its_people() -> None:
    source = DataSource(id="src_1")
    after(source, doubted("closed"))
    assert source.next_probe_at is None


def test_a_source_that_lost_its_proof_is_looked_at_again() -> None:
    for doubt in ("open", "closed", "taken"):
        source = proven()
        after(source, doubted(doubt))  # type: ignore[arg-type]
        assert source.next_probe_at is not None
        assert source.next_probe_at <= NOW + RETRY


def test_new_values_begin_anew() -> None:
    source = suspended()
    end_proof(source)
    assert (source.state, source.verified_at, source.proven_at, source.suspended_at) == (
        "awaiting_role",
        None,
        None,
        None,
    )
    assert after(source, doubted("open"))[0] == "needs_attention"
