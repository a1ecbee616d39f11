"""The guard: which falls are held, and what is said."""

from __future__ import annotations

import pytest

from grantline.catalog.guard import GuardLimits, guard, judge
from grantline.catalog.model import Changes, Counts, KindChanges

READ = ("role", "ledger", "read")
WRITE = ("role", "ledger", "write")


DEFAULT = GuardLimits()


def verdict(kind: str, removed: int, before: int, limits: GuardLimits = DEFAULT):
    return judge(
        Changes(**{kind: KindChanges(removed=removed)}),
        Counts(**{kind: before}),
        limits,
    )


@pytest.mark.parametrize(
    ("removed", "before"),
    [(8, 10), (3, 4), (2, 3), (2, 5), (4, 12), (9, 30), (21, 100), (1000, 1000), (2001, 10_000)],
)
def test_judge_holds_a_fall_of_accounts_above_the_share(removed, before):
    assert verdict("accounts", removed, before).held


@pytest.mark.parametrize(("removed", "before"), [(1, 5), (1, 3), (1, 2), (2, 10), (20, 100), (0, 5), (0, 0)])
def test_judge_lets_leavers_through(removed, before):
    assert not verdict("accounts", removed, before).held


@pytest.mark.parametrize("kind", ["entitlements", "grants"])
@pytest.mark.parametrize(
    ("removed", "before", "held"),
    [(2, 6, False), (3, 6, False), (4, 6, True), (8, 10, True), (10, 49, True), (10, 50, False), (300, 1000, True)],
)
def test_judge_of_entitlements_and_grants(kind, removed, before, held):
    assert verdict(kind, removed, before).held is held


def test_judge_says_what_would_go_and_the_limit():
    reasons = verdict("accounts", 8, 10).reasons
    assert reasons == ("The file would remove 8 of 10 accounts (80 %); the limit is 20 %.",)


def test_judge_names_every_kind_that_falls():
    changes = Changes(KindChanges(removed=50), KindChanges(removed=40), KindChanges(removed=30))
    reasons = judge(changes, Counts(accounts=60, entitlements=60, grants=60), GuardLimits()).reasons
    assert [reason.split(" (")[0].split()[-1] for reason in reasons] == ["accounts", "entitlements", "grants"]


def test_judge_never_holds_the_first_version():
    assert not judge(Changes(accounts=KindChanges(removed=9)), None, GuardLimits()).held


def test_judge_obeys_the_limits_of_the_import():
    assert not verdict("accounts", 8, 10, GuardLimits(share=0.8)).held
    assert verdict("accounts", 11, 100, GuardLimits(share=0.1)).held
    assert verdict("accounts", 1, 2, GuardLimits(count=1)).held
    assert not verdict("grants", 30, 100, GuardLimits(count=31)).held


def test_judge_does_not_count_the_grants_of_a_few_leavers():
    changes = Changes(accounts=KindChanges(removed=1), grants=KindChanges(removed=40))
    before = Counts(accounts=5, grants=60)
    assert judge(changes, before, GuardLimits()).held
    assert not judge(changes, before, GuardLimits(), leavers_grants=40).held


def test_judge_counts_the_grants_of_many_leavers():
    changes = Changes(accounts=KindChanges(removed=15), grants=KindChanges(removed=90))
    assert judge(changes, Counts(accounts=100, grants=100), GuardLimits(), leavers_grants=90).held


def test_guard_of_a_five_account_application_that_loses_one(feed, came):
    people = ["U1", "U2", "U3", "U4", "U5"]
    feed.load(people, [(name, key) for name in people for key in (READ, WRITE)])
    rest = people[:4]
    found = feed.compare(came(feed.con, rest, [(name, key) for name in rest for key in (READ, WRITE)]))
    assert found.changes.accounts.removed == 1
    assert not guard(found, GuardLimits()).held


def test_guard_of_a_file_that_was_cut(feed, came):
    feed.load([f"U{n:03}" for n in range(1, 11)])
    assert guard(feed.compare(came(feed.con, ["U001", "U002"])), GuardLimits()).held


def test_judge_limits_growth_only_where_it_is_told_to():
    changes = Changes(accounts=KindChanges(added=60, removed=5))
    assert not judge(changes, Counts(accounts=100), GuardLimits()).held
    assert not judge(changes, Counts(accounts=100), GuardLimits(growth_share=0.6)).held
    verdict = judge(changes, Counts(accounts=100), GuardLimits(growth_share=0.5))
    assert verdict.reasons == ("The file would add 55 to 100 accounts (55 % more); the limit on growth is 50 %.",)
    assert not judge(changes, Counts(accounts=100), GuardLimits(count=56, growth_share=0.5)).held


def test_judge_gives_each_breach_in_figures():
    (breach,) = verdict("accounts", 8, 10).breaches
    assert (breach.of, breach.what, breach.rows, breach.before, breach.limit, breach.share) == (
        "accounts",
        "fall",
        8,
        10,
        0.2,
        0.8,
    )
