"""Merged history says the same as the single folders, also when these are gone."""

from __future__ import annotations

import shutil
import time

import pytest

from grantline.catalog.lookups import accounts, grants
from grantline.catalog.merge import Forgettable, forget, forgettable, merge_history
from grantline.errors import LakeUnavailable

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


def test_clean_up_removes_what_was_merged_and_answers_stay_the_same(feed):
    filled(feed, 4)
    first = merge_history(feed.con, feed.place, feed.history, worth_merging=2)
    feed.load({"U1": {"email": "u5@example.com"}})
    second = merge_history(feed.con, feed.place, feed.history, worth_merging=1)
    feed.place.clean_up({"ver_5"}, feed.history, grace_seconds=-60)
    assert second.exists()
    assert not first.exists()
    assert not any(feed.place.history(name).exists() for name in feed.history)
    assert [emails(feed, again(feed), n) for n in range(1, 6)] == [[f"u{n}@example.com"] for n in range(1, 6)]
    filled_again = feed.load({"U1": {"email": "u6@example.com"}})
    merge_history(feed.con, feed.place, feed.history, worth_merging=1)
    feed.place.clean_up({f"ver_{filled_again.number}"}, feed.history, grace_seconds=-60)
    assert [emails(feed, again(feed), n) for n in range(1, 7)] == [[f"u{n}@example.com"] for n in range(1, 7)]


def test_clean_up_keeps_both_while_the_merged_folder_is_young(feed):
    filled(feed, 4)
    first = merge_history(feed.con, feed.place, feed.history, worth_merging=2)
    feed.load({"U1": {"email": "u5@example.com"}})
    merge_history(feed.con, feed.place, feed.history, worth_merging=1)
    feed.place.clean_up({"ver_5"}, feed.history, grace_seconds=3600, now=time.time() + 1800)
    assert first.exists()
    assert all(feed.place.history(name).exists() for name in feed.history)


def test_history_that_is_missing_is_said_not_left_out(feed):
    filled(feed)
    shutil.rmtree(feed.place.history(feed.history[0]))
    with pytest.raises(LakeUnavailable):
        emails(feed, again(feed), 1)


def test_forget_removes_what_ended_up_to_a_version_and_nothing_else(feed):
    filled(feed)
    merge_history(feed.con, feed.place, feed.history, worth_merging=1)
    whole = feed.place.merged(feed.history[-1])
    assert forgettable(feed.con, [whole], 4).rows == 7
    kept = [name for name in feed.history if int(name.removeprefix("ver_")) > 4]
    folder = forget(feed.con, feed.place, kept, 4)
    assert folder is not None
    feed.place.clean_up({"ver_6"}, kept, grace_seconds=-60)
    assert [path.name for path in (feed.place.folder / "merged").iterdir()] == [folder.name]
    assert forgettable(feed.con, [folder], 4) == Forgettable(0, 0)
    snapshot = feed.place.snapshot(6, "ver_6", kept)
    assert snapshot.history == (folder,)
    assert [emails(feed, snapshot, n) for n in (4, 5, 6)] == [[f"u{n}@example.com"] for n in (4, 5, 6)]
    assert forget(feed.con, feed.place, kept, 4) is None
