"""The wording of numbers, sizes, durations and moments."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from grantline.web import words

NOW = datetime(2026, 11, 25, 14, 5, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0"), (12431, "12,431"), (-3, "−3"), (1234.5, "1,234.5"), (None, "–")]
)
def test_thousands(number: float | None, text: str) -> None:
    assert words.thousands(number) == text


@pytest.mark.parametrize(("number", "text"), [(12, "+12"), (-3000, "−3,000"), (0, "0"), (None, "–")])
def test_signed(number: int | None, text: str) -> None:
    assert words.signed(number) == text


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((1, "grant"), "1 grant"),
        ((0, "grant"), "0 grants"),
        ((12431, "grant"), "12,431 grants"),
        ((2, "entry", "entries"), "2 entries"),
    ],
)
def test_counted(arguments: tuple[int, str], text: str) -> None:
    assert words.counted(*arguments) == text


@pytest.mark.parametrize(
    ("share", "text"), [(0.042, "4.2 %"), (0.2, "20 %"), (1, "100 %"), (0.0001, "<0.1 %"), (0, "0 %"), (None, "–")]
)
def test_percent(share: float | None, text: str) -> None:
    assert words.percent(share) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 MB"),
        (1, "<0.01 MB"),
        (412_000, "0.41 MB"),
        (91_230_000, "91.2 MB"),
        (1_204_000_000, "1,204.0 MB"),
        (None, "–"),
    ],
)
def test_size_mb(size: int | None, text: str) -> None:
    assert words.size_mb(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.42, "0.42 s"),
        (7.12, "7.1 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (72, "1 min 12 s"),
        (7500, "2 h 5 min"),
        (86_400, "1 day"),
        (273_600, "3 days 4 h"),
        (None, "–"),
    ],
)
def test_duration(seconds: float | None, text: str) -> None:
    assert words.duration(seconds) == text


@pytest.mark.parametrize(
    ("ago", "text"),
    [
        (timedelta(seconds=3), "just now"),
        (timedelta(seconds=50), "1 minute ago"),
        (timedelta(minutes=12), "12 minutes ago"),
        (timedelta(minutes=59, seconds=40), "1 hour ago"),
        (timedelta(hours=23, minutes=40), "1 day ago"),
        (timedelta(days=3), "3 days ago"),
        (timedelta(days=20), "3 weeks ago"),
        (timedelta(days=200), "7 months ago"),
        (timedelta(days=1100), "3 years ago"),
        (timedelta(seconds=-3), "in a moment"),
        (timedelta(minutes=-3), "in 3 minutes"),
    ],
)
def test_relative(ago: timedelta, text: str) -> None:
    assert words.relative(NOW - ago, NOW) == text


@pytest.mark.parametrize(
    "moment",
    [
        NOW,
        NOW.astimezone(timezone(timedelta(hours=5, minutes=30))),
        "2026-11-25T14:05:09Z",
        "2026-11-25T15:05:09+01:00",
        "2026-11-25T14:05:09",
    ],
)
def test_exact_is_in_utc_whatever_the_zone(moment: words.Moment) -> None:
    assert words.exact(moment) == "2026-11-25 14:05:09 UTC"


def test_a_day_is_its_first_moment() -> None:
    assert words.day_and_time(date(2026, 11, 7)) == "7 Nov 2026, 00:00 UTC"
    assert words.day("2026-11-07T23:59:59-01:00") == "8 Nov 2026"


def test_a_moment_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="isoformat"):
        words.as_moment("yesterday")
