"""Charts: what is drawn, what is said, and that no customer's text becomes markup."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from xml.etree import ElementTree

import pytest

from grantline.web import charts
from grantline.web.charts import DayChange, DayCount, RunPoint, RunTick

NOW = datetime(2026, 11, 25, 14, 0, tzinfo=UTC)
DAY = date(2026, 11, 25)


def parsed(html: str) -> ElementTree.Element:
    """The chart as a tree; refuses what is not well formed."""
    return ElementTree.fromstring(f"<div>{html}</div>")


def bars(html: str, css_class: str) -> list[ElementTree.Element]:
    return [bar for bar in parsed(html).iter("rect") if css_class in (bar.get("class") or "").split()]


def cells(html: str) -> list[list[str]]:
    """The rows of the table behind the drawing."""
    return [[cell.text or "" for cell in row.findall("td")] for row in parsed(html).iter("tr")][1:]


def every_chart() -> list[str]:
    points = [RunPoint(n, NOW - timedelta(hours=9 - n), "published", 100 + n, n, 1.5) for n in range(9)]
    return [
        charts.sparkline([DayCount(DAY - timedelta(days=9 - n), n * n) for n in range(10)]),
        charts.daily_bars([DayChange(DAY - timedelta(days=9 - n), n, 2) for n in range(10)]),
        charts.run_strip([RunTick(NOW - timedelta(hours=1), "failed", "Access denied")], NOW),
        charts.stage_line({"fetch": 0.5, "read": 1.5}, "map", "running"),
        charts.runs_chart(points),
    ]


@pytest.mark.parametrize("number", range(5))
def test_every_chart_obeys_the_content_security_policy(number: int) -> None:
    html = every_chart()[number]
    parsed(html)
    assert not re.search(r"\sstyle=|<script|\son\w+=", html)


@pytest.mark.parametrize("number", [0, 1, 2, 4])
def test_every_drawing_is_hidden_and_has_a_table_behind_it(number: int) -> None:
    html = every_chart()[number]
    assert all('aria-hidden="true"' in svg for svg in re.findall(r"<svg[^>]*>", html))
    assert cells(html)


def test_sparkline_spans_the_whole_width_and_height() -> None:
    line = parsed(charts.sparkline([DayCount(DAY, 10), DayCount(DAY, 20)])).find(".//polyline")
    assert line is not None
    assert line.get("points") == "0,28 120,4"


def test_sparkline_of_a_steady_number_is_level_and_its_table_short() -> None:
    html = charts.sparkline([DayCount(DAY - timedelta(days=89 - n), 7) for n in range(90)])
    line = parsed(html).find(".//polyline")
    assert line is not None
    assert {place.split(",")[1] for place in (line.get("points") or "").split()} == {"16"}
    assert cells(html) == [["28 Aug 2026", "7"], ["25 Nov 2026", "7"]]


def test_sparkline_of_one_day_says_that_there_is_no_history() -> None:
    assert "No history yet" in charts.sparkline([DayCount(DAY, 7)])


def test_bars_go_up_and_down_from_one_line_on_one_scale() -> None:
    html = charts.daily_bars([DayChange(DAY, added=30, removed=10)])
    (up,), (down,) = bars(html, "bars__up"), bars(html, "bars__down")
    assert float(up.get("y") or 0) + float(up.get("height") or 0) == float(down.get("y") or 0) == 120
    assert float(up.get("height") or 0) == pytest.approx(3 * float(down.get("height") or 0), rel=0.05)


def test_a_first_load_is_cut_and_its_number_said() -> None:
    days = [DayChange(DAY - timedelta(days=1), added=10_000_000), DayChange(DAY, added=8)]
    html = charts.daily_bars(days)
    assert len(bars(html, "bars__cut")) == 1
    assert "Bar cut to fit. 24 Nov 2026: +10,000,000" in html
    assert float(bars(html, "bars__up")[1].get("height") or 0) > 80


def test_a_small_change_beside_a_large_one_is_still_seen() -> None:
    html = charts.daily_bars([DayChange(DAY, 400), DayChange(DAY, 100), DayChange(DAY, 1)])
    assert min(float(bar.get("height") or 0) for bar in bars(html, "bars__up")) >= 3


def test_no_changes_are_said_in_words() -> None:
    assert "No grants were added or removed" in charts.daily_bars([DayChange(DAY)])


def test_strip_leaves_out_what_is_older_and_puts_the_rest_in_its_place() -> None:
    ages = [("published", 49), ("failed", 48), ("unchanged", 24), ("held", 0)]
    html = charts.run_strip([RunTick(NOW - timedelta(hours=age), state) for state, age in ages], NOW)
    assert [bar.get("x") for bar in bars(html, "tone-fill")] == ["0", "237", "474"]


def test_strip_tells_states_by_height_as_well_as_by_color() -> None:
    states = ("unchanged", "published", "failed")
    html = charts.run_strip([RunTick(NOW, state) for state in states], NOW)
    assert [bar.get("height") for bar in bars(html, "tone-fill")] == ["8", "16", "24"]
    assert [row[1] for row in cells(html)] == ["Unchanged", "Published", "Failed"]


def test_notes_are_escaped() -> None:
    html = charts.run_strip([RunTick(NOW, "failed", '<script>alert("x")</script>')], NOW)
    assert "<script" not in html
    assert cells(html)[0][2] == '<script>alert("x")</script>'


def marks(html: str) -> list[str]:
    return re.findall(r"stages__stage stages__stage--(\w+)", html)


def test_stage_line_of_a_published_run() -> None:
    html = charts.stage_line(dict.fromkeys(charts.STAGES, 0.5))
    assert marks(html) == ["done"] * 6
    assert "3.0 s in all" in html


@pytest.mark.parametrize(
    ("stage", "state", "expected"),
    [
        ("map", "running", ["done", "done", "current", "todo", "todo", "todo"]),
        ("map", "failed", ["done", "done", "failed", "todo", "todo", "todo"]),
        ("", "held", ["done", "done", "todo", "todo", "held", "todo"]),
    ],
)
def test_stage_line_shows_where_a_run_is_or_stopped(stage: str, state: str, expected: list[str]) -> None:
    assert marks(charts.stage_line({"fetch": 0.4, "read": 0.2}, stage, state)) == expected


def test_stage_line_of_a_queued_run_has_no_shares() -> None:
    html = charts.stage_line({}, "", "queued")
    assert marks(html) == ["todo"] * 6
    assert "in all" not in html


def test_few_runs_stand_at_the_right_end() -> None:
    html = charts.runs_chart([RunPoint(1, NOW, "published", 100, 0, 2.0)])
    assert [bar.get("x") for bar in bars(html, "tone-fill")] == ["191.5", "191.5"]


def test_a_failed_run_without_rows_is_still_marked() -> None:
    html = charts.runs_chart([RunPoint(1, NOW, "published", 100, 0, 2.0), RunPoint(2, NOW, "failed")])
    assert len(bars(html, "tone-fill--red")) == 3
    assert cells(html)[1] == ["Run 2, 25 Nov 2026, 14:00 UTC", "Failed", "–", "0", "–"]
