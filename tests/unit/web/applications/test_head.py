"""Counts over 90 days: what is known at the end of each day, nothing invented before."""

from __future__ import annotations

from datetime import date, timedelta

from grantline.web.applications.head import daily_counts

TODAY = date(2026, 11, 25)


def test_daily_counts_begin_with_the_first_version() -> None:
    points = daily_counts([("imp_a", TODAY - timedelta(days=2), {"accounts": 7})], "accounts", TODAY)
    assert [(point.day, point.count) for point in points] == [(TODAY - timedelta(days=back), 7) for back in (2, 1, 0)]


def test_daily_counts_add_up_imports_and_take_the_last_version_of_a_day() -> None:
    day = TODAY - timedelta(days=1)
    versions = [("imp_a", day, {"grants": 5}), ("imp_a", day, {"grants": 6}), ("imp_b", TODAY, {"grants": 10})]
    assert [point.count for point in daily_counts(versions, "grants", TODAY)] == [6, 16]


def test_daily_counts_know_a_version_older_than_the_line() -> None:
    points = daily_counts([("imp_a", TODAY - timedelta(days=400), {"accounts": 3})], "accounts", TODAY)
    assert len(points) == 90
    assert {point.count for point in points} == {3}


def test_daily_counts_of_nothing_are_none() -> None:
    assert daily_counts([], "accounts", TODAY) == []
