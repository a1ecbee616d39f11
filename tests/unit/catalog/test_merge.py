"""Merged history says the same as the single folders, and is never needed."""

from __future__ import annotations

import shutil

from grantline.catalog.lookups import accounts, grants
from grantline.catalog.merge import merge_history

READ = ("role", "ledger", "read")


def emails(feed, snapshot, number):
    page = accounts(feed.con, [("imp_1", snapshot)], as_of={"imp_1": number})
    return [item.fields["email"] for item in page.items]


def filled(feed, versions=6):
    for number in range(1, versions + 1):
        feed.load({"U1": {"email": f"u{number}@example.com"}}, [("U1", READ)] if number % 2 else [])
    return feed


def again(feed):
    return feed.place.snapshot(feed.current.number, f"ver_{feed.current.number}", feed.history)


def test_merge_history_is_found_by_the_next_snapshot_and_says_the_same(feed):
    filled(feed)
    folder = merge_history(feed.con, feed.place, feed.history, worth_merging=2)
    snapshot = again(feed)
    assert snapshot.history == (folder,)
    for number in range(1, 7):
        assert emails(feed, snapshot, number) == [f"u{number}@example.com"]
        assert len(grants(feed.con, [("imp_1", snapshot)], as_of={"imp_1": number}).items) == number % 2


def test_merge_history_goes_on_where_it_ended(feed):
    filled(feed, 4)
    first = merge_history(feed.con, feed.place, feed.history, worth_merging=2)
    feed.load({"U1": {"email": "u5@example.com"}}, [("U1", READ)])
    assert again(feed).history == (first, feed.place.history("ver_5"))
    assert merge_history(feed.con, feed.place, feed.history, worth_merging=2) is None
    second = merge_history(feed.con, feed.place, feed.history, worth_merging=1)
    assert again(feed).history == (second,)
    assert [emails(feed, again(feed), n) for n in (1, 4, 5)] == [[f"u{n}@example.com"] for n in (1, 4, 5)]


def test_a_merged_folder_that_covers_other_versions_is_not_used(feed):
    filled(feed)
    merge_history(feed.con, feed.place, feed.history, worth_merging=2)
    older = feed.place.snapshot(4, "ver_4", feed.history[:3])
    assert older.history == tuple(feed.place.history(name) for name in feed.history[:3])


def test_a_merged_folder_may_vanish(feed):
    filled(feed)
    folder = merge_history(feed.con, feed.place, feed.history, worth_merging=2)
    shutil.rmtree(folder)
    assert emails(feed, again(feed), 2) == ["u2@example.com"]


def test_clean_up_keeps_the_merged_folder_that_covers_most(feed):
    filled(feed, 4)
    first = merge_history(feed.con, feed.place, feed.history, worth_merging=2)
    feed.load({"U1": {"email": "u5@example.com"}})
    second = merge_history(feed.con, feed.place, feed.history, worth_merging=1)
    feed.place.clean_up({"ver_5"}, set(feed.history), grace_seconds=-60)
    assert second.exists()
    assert not first.exists()
    assert all(feed.place.history(name).exists() for name in feed.history)
