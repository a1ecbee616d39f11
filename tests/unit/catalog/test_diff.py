"""The diff: what comes, goes, changes and stays."""

from __future__ import annotations

from typing import Any

from grantline.catalog.columns import ACCOUNT, ENTITLEMENT, GRANT
from grantline.catalog.model import Counts, KindChanges

READ = ("role", "ledger", "read")
WRITE = ("role", "ledger", "write")


def rows(feed: Any, shape: Any) -> list[tuple[Any, ...]]:
    """The current rows on disk, without NULLs' noise: `{column: value}` as sorted tuples."""
    file = feed.current.folder / shape.file
    return feed.con.execute(f"SELECT * FROM read_parquet('{file}') ORDER BY ALL").fetchall()


def column(feed: Any, shape: Any, *names: str) -> list[tuple[Any, ...]]:
    file = feed.current.folder / shape.file
    return feed.con.execute(f"SELECT {', '.join(names)} FROM read_parquet('{file}') ORDER BY ALL").fetchall()


def test_diff_of_the_first_version_adds_everything(feed):
    found = feed.load(["U1", "U2"], [("U1", READ), ("U1", WRITE)])
    assert found.before is None
    assert found.counts == Counts(accounts=2, resources=1, entitlements=2, grants=2)
    assert found.changes.grants == KindChanges(added=2)
    assert found.is_worth_writing
    assert not feed.manifest.has_history


def test_diff_of_the_same_content_in_another_order_changes_nothing(feed, came):
    feed.load({"U1": {"email": "one@example.com"}, "U2": {}}, [("U1", READ), ("U2", WRITE)])
    found = feed.compare(came(feed.con, {"U2": {}, "U1": {"email": "one@example.com"}}, [("U2", WRITE), ("U1", READ)]))
    assert not found.changes.any
    assert not found.is_worth_writing


def test_diff_counts_added_removed_and_changed_per_kind(feed):
    feed.load(
        {"U1": {"email": "one@example.com"}, "U2": {}}, {("U1", READ): {"expires_at": "2026-01-01"}, ("U2", READ): {}}
    )
    found = feed.load(
        {"U1": {"email": "uno@example.com"}, "U3": {}},
        {("U1", READ): {"expires_at": "2027-01-01"}, ("U3", WRITE): {}},
    )
    assert found.changes.accounts == KindChanges(added=1, removed=1, changed=1)
    assert found.changes.entitlements == KindChanges(added=1)
    assert found.changes.grants == KindChanges(added=1, removed=1, changed=1)
    assert found.counts == Counts(accounts=2, resources=1, entitlements=2, grants=2)
    assert found.leavers_grants == 1


def test_diff_keeps_since_of_unchanged_rows(feed):
    feed.load({"U1": {}, "U2": {"email": "two@example.com"}}, [("U1", READ), ("U2", READ)])
    feed.load({"U1": {}, "U2": {"email": "deux@example.com"}}, [("U1", READ), ("U1", WRITE)])
    assert column(feed, ACCOUNT, "id", "since") == [("U1", 1), ("U2", 2)]
    assert column(feed, GRANT, "since") == [(1,), (2,)]


def test_diff_gives_a_returning_account_a_new_integer(feed):
    feed.load(["U1", "U2"], [("U2", READ)])
    feed.load(["U1"], [("U1", READ)])
    found = feed.load(["U1", "U2"], [("U1", READ), ("U2", READ)])
    assert column(feed, ACCOUNT, "id", "n", "since") == [("U1", 0, 1), ("U2", 2, 3)]
    assert found.next_account == 3


def test_diff_gives_new_keys_new_integers_and_old_keys_their_own(feed):
    feed.load(["U1", "U2"], [("U1", READ)])
    feed.load(["U9", "U2", "U1"], [("U1", READ), ("U9", WRITE)])
    assert column(feed, ACCOUNT, "id", "n") == [("U1", 0), ("U2", 1), ("U9", 2)]
    assert column(feed, ENTITLEMENT, "entitlement", "n") == [("read", 0), ("write", 1)]


def test_diff_keeps_fields_that_are_not_stated_and_clears_blank_ones(feed):
    feed.load({"U1": {"email": "one@example.com", "manager_id": "U9"}})
    found = feed.load({"U1": {}, "U2": {}}, stated=frozenset({"account.id", "account.email"}))
    assert column(feed, ACCOUNT, "id", "email", "manager_id") == [("U1", None, "U9"), ("U2", None, None)]
    assert found.changes.accounts == KindChanges(added=1, changed=1)


def test_diff_keeps_grant_dates_that_are_not_stated(feed, came):
    grant = ("U1", READ)
    feed.load(["U1"], {grant: {"granted_at": "2026-01-01", "expires_at": "2026-06-01"}})
    found = feed.load(["U1"], {grant: {"expires_at": "2026-07-01"}}, stated=frozenset({"grant.expires_at"}))
    assert found.changes.grants == KindChanges(changed=1)
    assert column(feed, GRANT, "granted_at", "expires_at") == [("2026-01-01", "2026-07-01")]


def test_diff_merges_profiles_key_by_key(feed, came):
    feed.load({"U1": {"profile": '{"city":"Köln","floor":"3","team":"a"}'}, "U2": {}})
    stated = frozenset({"account.profile.floor", "account.profile.team"})
    found = feed.load({"U1": {"profile": '{"floor":"4"}'}, "U2": {"profile": '{"team":"b"}'}}, stated=stated)
    assert column(feed, ACCOUNT, "profile") == [('{"city":"Köln","floor":"4"}',), ('{"team":"b"}',)]
    assert found.changes.accounts == KindChanges(changed=2)
    again = feed.compare(
        came(feed.con, {"U1": {"profile": '{"floor":"4"}'}, "U2": {"profile": '{"team":"b"}'}}, stated=stated)
    )
    assert not again.changes.any


def test_diff_replaces_the_profile_where_it_is_stated_as_a_whole(feed):
    feed.load({"U1": {"profile": '{"city":"Bonn"}'}})
    feed.load({"U1": {"profile": '{"floor":"4"}'}})
    assert column(feed, ACCOUNT, "profile") == [('{"floor":"4"}',)]


def test_diff_keeps_an_unconfirmed_account_with_its_grants_and_entitlements(feed):
    feed.load({"U1": {"email": "one@example.com"}, "U2": {}}, [("U1", READ), ("U1", WRITE), ("U2", READ)])
    found = feed.load(["U2"], [("U2", READ)], unconfirmed=["U1"])
    assert not found.changes.any
    assert found.marks_changed
    assert found.is_worth_writing
    assert column(feed, ACCOUNT, "id", "email", "since", "unconfirmed_since") == [
        ("U1", "one@example.com", 1, 2),
        ("U2", None, 1, None),
    ]
    assert column(feed, GRANT, "count(*)") == [(3,)]
    assert column(feed, ENTITLEMENT, "count(*)") == [(2,)]


def test_diff_takes_the_mark_away_when_the_account_is_confirmed_again(feed):
    feed.load(["U1"], [("U1", READ)])
    feed.load(["U2"], unconfirmed=["U1"])
    feed.load(["U2"], unconfirmed=["U1"])
    assert ("U1", 2) in column(feed, ACCOUNT, "id", "unconfirmed_since")
    found = feed.load(["U1", "U2"], [("U1", READ)])
    assert found.marks_changed
    assert not found.changes.any
    assert ("U1", None) in column(feed, ACCOUNT, "id", "unconfirmed_since")


def test_diff_of_a_partly_refused_account_takes_what_came_and_removes_nothing(feed):
    feed.load({"U1": {"email": "one@example.com"}}, [("U1", READ)])
    found = feed.load({"U1": {"email": "uno@example.com"}}, [("U1", WRITE)], unconfirmed=["U1"])
    assert found.changes.grants == KindChanges(added=1)
    assert column(feed, ACCOUNT, "email", "unconfirmed_since") == [("uno@example.com", 2)]


def test_diff_ignores_an_unconfirmed_account_that_was_never_known(feed):
    feed.load(["U1"])
    found = feed.load(["U1"], unconfirmed=["U7"])
    assert not found.is_worth_writing


def test_diff_in_mode_delta_touches_only_named_rows(feed):
    feed.load(["U1", "U2", "U3"], [("U1", READ), ("U2", READ), ("U3", READ)])
    found = feed.load(
        {"U3": {"email": "three@example.com"}, "U4": {}},
        [("U3", WRITE)],
        mode="delta",
        removals=[("U1", READ), ("U2", None)],
    )
    assert found.changes.accounts == KindChanges(added=1, removed=1, changed=1)
    assert found.changes.entitlements == KindChanges(added=1)
    assert found.changes.grants == KindChanges(added=1, removed=2)
    assert column(feed, ACCOUNT, "id", "email") == [("U1", None), ("U3", "three@example.com"), ("U4", None)]


def test_diff_in_mode_delta_adds_nothing_for_a_removal_of_the_unknown(feed):
    feed.load(["U1"], [("U1", READ)])
    found = feed.load([], mode="delta", removals=[("U8", READ), ("U9", None), ("U1", WRITE)])
    assert not found.changes.any


def test_diff_in_mode_delta_without_removals_keeps_what_is_absent(feed):
    feed.load(["U1", "U2"], [("U1", READ)])
    found = feed.load({"U2": {"email": "two@example.com"}}, mode="delta")
    assert found.changes.accounts == KindChanges(changed=1)
    assert found.counts.grants == 1


def test_diff_tells_entitlements_with_a_missing_part_apart(feed):
    bare = (None, None, "read")
    feed.load(["U1"], [("U1", bare), ("U1", READ)])
    found = feed.load(["U1"], [("U1", bare)])
    assert found.changes.entitlements == KindChanges(removed=1)
    assert found.counts.entitlements == 1
