"""The stage *guard*: a fall that is too big stops here, and so does growth where it is limited.

In: the changes of a run, what was there before, how far its attributes are filled, the import's limits.
Out: a `Verdict`, which says in figures and in sentences why a run is held. A pure function.

The rule, for each of accounts, entitlements and grants:

- The first version is never held, and neither is the removal of a single row.
- A fall of `count` rows or more (10) is held where it is more than `share` (20 %) of what was there.
- A smaller fall of accounts is held by the same share: in a small source eight of ten are the same
  accident as eight thousand of ten thousand. A smaller fall of entitlements or grants is held where
  more than half would go, since a few of them move every day.
- Grants that end with their account are not counted while fewer than `count` accounts leave: leavers
  are judged as accounts.

An attribute that the file states is judged like grants, by the rows that would be filled if its share
were still the old one. Growth is held where a limit is set, from `count` rows on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from grantline.catalog.diff import Diff
from grantline.catalog.filled import Fill
from grantline.catalog.model import Changes, Counts, KindChanges

SMALL_FALL_SHARE = 0.5
"""The share above which a small fall of entitlements, grants or of an attribute is held."""


@dataclass(frozen=True)
class GuardLimits:
    """The limits of one import: `share` from 0 to 1, `count` from 1, `growth_share` from 0 or none."""

    share: float = 0.20
    count: int = 10
    growth_share: float | None = None


@dataclass(frozen=True)
class Breach:
    """One limit that a run breaks: `rows` of `before` would go (or come), which is more than `limit`.

    `of` is `accounts`, `entitlements`, `grants`, or an attribute such as `account.email`.
    """

    of: str
    what: Literal["fall", "fill", "growth"]
    rows: int
    before: int
    limit: float

    @property
    def share(self) -> float:
        """The share of what was there."""
        return self.rows / self.before if self.before else 0.0


@dataclass(frozen=True)
class Verdict:
    """Whether the run is held, and why: one sentence and one breach per limit that it breaks."""

    held: bool
    reasons: tuple[str, ...] = ()
    breaches: tuple[Breach, ...] = ()


def guard(diff: Diff, limits: GuardLimits, fills: Iterable[Fill] = ()) -> Verdict:
    """Judge a run's diff."""
    return judge(diff.changes, diff.before, limits, diff.leavers_grants, fills)


def judge(
    changes: Changes,
    before: Counts | None,
    limits: GuardLimits,
    leavers_grants: int = 0,
    fills: Iterable[Fill] = (),
) -> Verdict:
    """Judge changes by what was there before (None: this is the first version).

    `leavers_grants` says how many of the removed grants belonged to accounts that are removed as well.
    """
    if before is None:
        return Verdict(held=False)
    found = [
        *_falls(changes, before, limits, leavers_grants),
        *_fill_falls(fills, limits),
        *_growth(changes, before, limits),
    ]
    return Verdict(bool(found), tuple(sentence for _, sentence in found), tuple(breach for breach, _ in found))


def _falls(changes: Changes, before: Counts, limits: GuardLimits, leavers_grants: int) -> Iterable[tuple[Breach, str]]:
    grants = changes.grants.removed
    if changes.accounts.removed < limits.count:
        grants -= leavers_grants
    falls = (
        ("accounts", changes.accounts.removed, before.accounts, limits.share),
        ("entitlements", changes.entitlements.removed, before.entitlements, SMALL_FALL_SHARE),
        ("grants", grants, before.grants, SMALL_FALL_SHARE),
    )
    for kind, removed, there, small_share in falls:
        share = _limit(removed, limits, small_share)
        if _falls_too_far(removed, there, share, limits.count):
            yield (
                Breach(kind, "fall", removed, there, share),
                f"The file would remove {removed:,} of {there:,} {kind} ({_percent(removed / there)} %); "
                f"the limit is {_percent(share)} %.",
            )


def _fill_falls(fills: Iterable[Fill], limits: GuardLimits) -> Iterable[tuple[Breach, str]]:
    for fill in fills:
        share = _limit(fill.missing, limits, SMALL_FALL_SHARE)
        if _falls_too_far(fill.missing, fill.expected, share, limits.count):
            yield (
                Breach(fill.of, "fill", fill.missing, fill.expected, share),
                f"The file would leave {fill.of} empty in {fill.missing:,} rows that should have it: its filled share "
                f"falls from {_percent(fill.share_before)} % to {_percent(fill.share_after)} %; "
                f"the limit is a fall of {_percent(share)} %.",
            )


def _growth(changes: Changes, before: Counts, limits: GuardLimits) -> Iterable[tuple[Breach, str]]:
    if limits.growth_share is None:
        return
    kinds: tuple[tuple[str, KindChanges, int], ...] = (
        ("accounts", changes.accounts, before.accounts),
        ("entitlements", changes.entitlements, before.entitlements),
        ("grants", changes.grants, before.grants),
    )
    for kind, numbers, there in kinds:
        more = numbers.added - numbers.removed
        if there > 0 and more >= max(limits.count, 2) and more / there > limits.growth_share:
            yield (
                Breach(kind, "growth", more, there, limits.growth_share),
                f"The file would add {more:,} to {there:,} {kind} ({_percent(more / there)} % more); "
                f"the limit on growth is {_percent(limits.growth_share)} %.",
            )


def _limit(rows: int, limits: GuardLimits, small_share: float) -> float:
    return limits.share if rows >= limits.count else max(limits.share, small_share)


def _falls_too_far(removed: int, before: int, share: float, count: int) -> bool:
    return removed >= min(2, count) and before > 0 and removed / before > share


def _percent(share: float) -> str:
    return f"{share * 100:.1f}".removesuffix(".0")
