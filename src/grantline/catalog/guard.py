"""The stage *guard*: a fall that is too big stops here.

In: the changes of a run, what was there before, the import's limits. Out: a `Verdict`, which says in
sentences why a run is held. A pure function.

The rule, for each of accounts, entitlements and grants:

- The first version is never held, and neither is the removal of a single row.
- A fall of `count` rows or more (10) is held where it is more than `share` (20 %) of what was there.
- A smaller fall of accounts is held by the same share: in a small source eight of ten are the same
  accident as eight thousand of ten thousand. A smaller fall of entitlements or grants is held where
  more than half would go, since a few of them move every day.
- Grants that end with their account are not counted while fewer than `count` accounts leave: leavers
  are judged as accounts.
"""

from __future__ import annotations

from dataclasses import dataclass

from grantline.catalog.diff import Diff
from grantline.catalog.model import Changes, Counts

SMALL_FALL_SHARE = 0.5
"""The share above which a small fall of entitlements or grants is held."""


@dataclass(frozen=True)
class GuardLimits:
    """The limits of one import: `share` from 0 to 1, `count` from 1."""

    share: float = 0.20
    count: int = 10


@dataclass(frozen=True)
class Verdict:
    """Whether the run is held, and why: one sentence per kind that falls too far."""

    held: bool
    reasons: tuple[str, ...] = ()


def guard(diff: Diff, limits: GuardLimits) -> Verdict:
    """Judge a run's diff."""
    return judge(diff.changes, diff.before, limits, diff.leavers_grants)


def judge(changes: Changes, before: Counts | None, limits: GuardLimits, leavers_grants: int = 0) -> Verdict:
    """Judge changes by what was there before (None: this is the first version).

    `leavers_grants` says how many of the removed grants belonged to accounts that are removed as well.
    """
    if before is None:
        return Verdict(held=False)
    grants = changes.grants.removed
    if changes.accounts.removed < limits.count:
        grants -= leavers_grants
    falls = (
        ("accounts", changes.accounts.removed, before.accounts, limits.share),
        ("entitlements", changes.entitlements.removed, before.entitlements, SMALL_FALL_SHARE),
        ("grants", grants, before.grants, SMALL_FALL_SHARE),
    )
    reasons = []
    for kind, removed, there, small_share in falls:
        share = limits.share if removed >= limits.count else max(limits.share, small_share)
        if _falls_too_far(removed, there, share, limits.count):
            reasons.append(_sentence(kind, removed, there, share))
    return Verdict(bool(reasons), tuple(reasons))


def _falls_too_far(removed: int, before: int, share: float, count: int) -> bool:
    return removed >= min(2, count) and before > 0 and removed / before > share


def _sentence(kind: str, removed: int, before: int, share: float) -> str:
    return (
        f"The file would remove {removed:,} of {before:,} {kind} ({_percent(removed / before)} %); "
        f"the limit is {_percent(share)} %."
    )


def _percent(share: float) -> str:
    return f"{share * 100:.1f}".removesuffix(".0")
