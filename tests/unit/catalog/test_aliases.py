"""Keys that are the same: integers are kept, rows are merged, chains are followed."""

from __future__ import annotations

import pytest

from grantline.catalog.aliases import Aliases, aliased, resolved
from grantline.catalog.lookups import account_history, accounts, changes, grant_history, grants

OLD = ("role", "ledger", "READ")
NEW = ("role", "ledger", "Read")
PAIRS = Aliases({("jdoe",): ("john",)}, {OLD: NEW})


def snapshots(feed):
    return [("imp_1", feed.current)]


def load(feed, came, *args, **kwargs):
    return feed.publish(aliased(feed.con, came(feed.con, *args, **kwargs), PAIRS))


def held(feed, version=None):
    as_of = {"imp_1": version} if version else None
    return {(one.account, one.entitlement) for one in grants(feed.con, snapshots(feed), as_of=as_of).items}


def test_without_aliases_nothing_is_touched(feed, came):
    incoming = came(feed.con, ["U1"])
    assert aliased(feed.con, incoming, Aliases()) is incoming


def test_a_renamed_account_and_entitlement_keep_their_integers(feed, came):
    load(feed, came, ["U1"], [("U1", ("a", "b", "c"))])
    feed.load(["jdoe", "U1"], [("jdoe", OLD)])
    found = load(feed, came, ["john", "U1"], [("john", NEW)])
    assert (found.changes.accounts.changed, found.changes.entitlements.changed) == (1, 1)
    assert (found.changes.grants.added, found.changes.grants.removed) == (0, 0)
    assert held(feed) == {("john", "Read")}
    assert held(feed, 2) == {("jdoe", "READ")}


def test_a_rename_is_one_change_with_both_keys(feed, came):
    feed.load(["jdoe", "U1"], [("jdoe", OLD)])
    load(feed, came, ["john", "U1"], [("john", NEW)])
    page = changes(feed.con, snapshots(feed))
    assert [(one.kind, one.op, one.before, one.after) for one in page.items] == [
        ("account", "changed", {"id": "jdoe"}, {"id": "john"}),
        ("entitlement", "changed", {"entitlement": "READ"}, {"entitlement": "Read"}),
    ]
    load(feed, came, ["john", "U1"], [("john", NEW), ("U1", NEW)])
    both = changes(feed.con, snapshots(feed), between={"imp_1": (1, 3)})
    assert sorted((one.kind, one.op) for one in both.items) == [
        ("account", "changed"),
        ("entitlement", "changed"),
        ("grant", "added"),
    ]


def test_old_keys_in_a_file_mean_the_new_ones(feed, came):
    load(feed, came, ["john", "U1"], [("john", NEW)])
    found = load(feed, came, {"jdoe": {}, "U1": {}}, [("jdoe", OLD)])
    assert not found.is_worth_writing or found.changes.grants.removed == 0
    assert held(feed) == {("john", "Read")}


def test_both_spellings_in_one_file_are_one_row(feed, came):
    accounts_given = {"jdoe": {"email": "old@example.com"}, "john": {"email": "new@example.com"}}
    load(feed, came, accounts_given, {("jdoe", OLD): {"expires_at": "2027"}, ("john", NEW): {}, ("jdoe", NEW): {}})
    (one,) = accounts(feed.con, snapshots(feed)).items
    assert (one.id, one.fields["email"]) == ("john", "new@example.com")
    (grant,) = grants(feed.con, snapshots(feed)).items
    assert (grant.account, grant.entitlement, grant.expires_at) == ("john", "Read", "2027")


def test_a_delta_removes_what_is_known_by_its_old_key(feed, came):
    feed.load(["jdoe", "U1"], [("jdoe", OLD), ("U1", OLD)])
    load(feed, came, removals=[("john", None)], mode="delta")
    assert held(feed) == {("U1", "READ")}


def test_a_delta_removes_a_grant_known_by_its_old_keys(feed, came):
    feed.load(["jdoe", "U1"], [("jdoe", OLD), ("U1", OLD)])
    load(feed, came, removals=[("john", NEW)], mode="delta")
    assert {account for account, _ in held(feed)} == {"U1"}


def test_history_goes_on_under_the_new_key_without_a_new_version(feed):
    feed.load(["jdoe"], [("jdoe", OLD)])
    feed.load(["john"], [("john", NEW)])
    apart = account_history(feed.con, snapshots(feed), "john")
    assert {event.op for event in apart} == {"added"}
    joined = account_history(feed.con, snapshots(feed), "john", PAIRS)
    assert [(event.kind, event.op, event.since.number) for event in joined] == [
        ("account", "changed", 2),
        ("account", "added", 1),
        ("grant", "added", 1),
    ]
    assert [(one.since, one.until) for one in grant_history(feed.con, snapshots(feed), "john", NEW, PAIRS)] == [
        (1, 2),
        (2, None),
    ]


def test_resolved_follows_chains_and_refuses_circles():
    assert resolved({("a",): ("b",), ("b",): ("c",)}) == {("a",): ("c",), ("b",): ("c",)}
    with pytest.raises(ValueError, match="alias of itself"):
        resolved({("a",): ("b",), ("b",): ("a",)})
