"""Charts, drawn on the server.

In: frozen records of what happened. Out: safe HTML, one `<figure>` each, that needs no script. The
drawing stretches with its box (`preserveAspectRatio="none"`), so its words are HTML beside it and keep
their size; colors come from classes, because the content security policy allows no inline styles.
Every drawing is hidden from screen readers and followed by a visually hidden table with the same facts.
A state is told by height or words as well as by color.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from grantline.web import words
from grantline.web.icons import icon_svg
from grantline.web.states import state_mark

STAGES: Final = ("fetch", "read", "map", "diff", "guard", "publish")

CUT_ABOVE = 5
"""A bar this many times taller than the next one is cut, or a first load would flatten all others."""

LANE_COLUMNS: Final = 20
"""A runs chart has at least so many columns; fewer runs stand at its right end."""

_TICK_HEIGHTS: Final = {"unchanged": 8, "published": 16}
_FULL_TICK = 24


@dataclass(frozen=True)
class DayCount:
    """How many there were at the end of one day."""

    day: date
    count: int


@dataclass(frozen=True)
class DayChange:
    """How many came and went on one day."""

    day: date
    added: int = 0
    removed: int = 0


@dataclass(frozen=True)
class RunTick:
    """One run on a strip: when, in which state, and a word on it."""

    at: datetime
    state: str
    note: str = ""


@dataclass(frozen=True)
class RunPoint:
    """One run on the runs chart."""

    number: int
    at: datetime
    state: str
    rows: int | None = None
    issues: int = 0
    seconds: float | None = None


# ---- pieces -------------------------------------------------------------------------------------------


def _table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> SafeString:
    """The visually hidden table behind a drawing."""
    head = format_html_join("", '<th scope="col">{}</th>', ((text,) for text in heads))
    body = format_html_join(
        "",
        "<tr>{}</tr>",
        ((format_html_join("", "<td>{}</td>", ((cell,) for cell in row)),) for row in rows),
    )
    return format_html(
        '<div class="visually-hidden"><table><caption>{}</caption><thead><tr>{}</tr></thead>'
        "<tbody>{}</tbody></table></div>",
        caption,
        head,
        body,
    )


def _drawing(css_class: str, width: float, height: float, inside: SafeString) -> SafeString:
    return format_html(
        '<svg class="{}" viewBox="0 0 {} {}" preserveAspectRatio="none" aria-hidden="true" focusable="false">{}</svg>',
        css_class,
        _number(width),
        _number(height),
        inside,
    )


def _bar(css_class: str, x: float, y: float, width: float, height: float, title: str = "") -> SafeString:
    label = format_html("<title>{}</title>", title) if title else ""
    return format_html(
        '<rect class="{}" x="{}" y="{}" width="{}" height="{}">{}</rect>',
        css_class,
        _number(x),
        _number(y),
        _number(width),
        _number(height),
        label,
    )


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _joined(parts: Iterable[SafeString]) -> SafeString:
    return format_html_join("", "{}", ((part,) for part in parts))


def _empty(text: str) -> SafeString:
    return format_html('<p class="chart chart--empty">{}</p>', text)


# ---- sparkline ----------------------------------------------------------------------------------------


def sparkline(points: Sequence[DayCount], noun: str = "accounts") -> SafeString:
    """A small line over the days given (usually 90), oldest first, with a dot at its end."""
    if len(points) < 2:
        return _empty("No history yet")
    low = min(point.count for point in points)
    high = max(point.count for point in points)
    spread = (high - low) or 1
    places = [
        (index * 120 / (len(points) - 1), 28 - (point.count - low) / spread * 24 if high > low else 16.0)
        for index, point in enumerate(points)
    ]
    line = " ".join(f"{_number(x)},{_number(y)}" for x, y in places)
    inside = format_html(
        '<polygon class="spark__area" points="0,32 {} 120,32"/>'
        '<polyline class="spark__line" points="{}" vector-effect="non-scaling-stroke"/>',
        line,
        line,
    )
    caption = f"Number of {noun} from {words.day(points[0].day)} to {words.day(points[-1].day)}"
    rows = [(words.day(point.day), words.thousands(point.count)) for point in _turns(points)]
    return format_html(
        '<figure class="chart spark">{}{}</figure>',
        _drawing("spark__drawing", 120, 32, inside),
        _table(caption, ("Day", noun.capitalize()), rows),
    )


def _turns(points: Sequence[DayCount]) -> list[DayCount]:
    """The first point, every one that differs from the one before, and the last."""
    kept = [points[0]]
    kept += [now for before, now in zip(points, points[1:], strict=False) if now.count != before.count]
    return kept if kept[-1] is points[-1] else [*kept, points[-1]]


# ---- daily bars ---------------------------------------------------------------------------------------


def daily_bars(days: Sequence[DayChange], noun: str = "grants") -> SafeString:
    """Bars up (added) and down (removed), one pair a day, oldest first.

    A bar that dwarfs all others is cut at the top of the scale and its number is said below.
    """
    if not any(day.added or day.removed for day in days):
        return _empty(f"No {noun} were added or removed in these days.")
    up, down = _scale([day.added for day in days]), _scale([day.removed for day in days])
    zero = 160 * up / (up + down)
    step = 10.0
    bars: list[SafeString] = []
    for index, day in enumerate(days):
        bars += _pair(day, index * step, step, zero, (up, down))
    width = len(days) * step
    zero_line = format_html(
        '<line class="bars__zero" x1="0" x2="{}" y1="{}" y2="{}" vector-effect="non-scaling-stroke"/>',
        _number(width),
        _number(zero),
        _number(zero),
    )
    rows = [
        (words.day(day.day), words.thousands(day.added), words.thousands(day.removed))
        for day in days
        if day.added or day.removed
    ]
    caption = f"{noun.capitalize()} added and removed by day"
    return format_html(
        '<figure class="chart bars">{}<div class="bars__plot"><div class="bars__scale" aria-hidden="true">'
        "<span>{}</span><span>{}</span></div>{}{}</div>{}{}</figure>",
        _legend(days),
        words.signed(up) if any(day.added for day in days) else "0",
        words.signed(-down) if any(day.removed for day in days) else "0",
        _drawing("bars__drawing", width, 160, _joined([*bars, zero_line])),
        _day_axis([day.day for day in days]),
        _cut_note(days, up, down),
        _table(caption, ("Day", "Added", "Removed"), rows),
    )


def _scale(counts: Sequence[int]) -> int:
    """The number at the end of one half of the scale: the largest, or the next where it is cut."""
    ordered = sorted((count for count in counts if count), reverse=True)
    if not ordered:
        return 1
    if len(ordered) > 1 and ordered[0] > CUT_ABOVE * ordered[1]:
        return ordered[1] + (ordered[1] + 3) // 4
    return ordered[0]


def _pair(day: DayChange, x: float, step: float, zero: float, scale: tuple[int, int]) -> list[SafeString]:
    title = f"{words.day(day.day)}: {words.thousands(day.added)} added, {words.thousands(day.removed)} removed"
    left, width = x + step * 0.16, step * 0.68
    pair = [_bar("bars__hit", x, 0, step, 160, title)]
    if day.added:
        height = max(3.0, min(1.0, day.added / scale[0]) * (zero - 2))
        pair.append(_bar("bars__up", left, zero - height, width, height, title))
        if day.added > scale[0]:
            pair.append(_bar("bars__cut", left, zero - height + 8, width, 3))
    if day.removed:
        height = max(3.0, min(1.0, day.removed / scale[1]) * (158 - zero))
        pair.append(_bar("bars__down", left, zero, width, height, title))
        if day.removed > scale[1]:
            pair.append(_bar("bars__cut", left, zero + height - 11, width, 3))
    return pair


def _legend(days: Sequence[DayChange]) -> SafeString:
    return format_html(
        '<div class="bars__legend" aria-hidden="true"><span class="key key--up">{} added</span>'
        '<span class="key key--down">{} removed</span></div>',
        words.thousands(sum(day.added for day in days)),
        words.thousands(sum(day.removed for day in days)),
    )


def _run_axis(moments: Sequence[datetime]) -> SafeString:
    """Days, or times where all is on one day."""
    days = [moment.date() for moment in moments]
    return _axis([f"{moment:%H:%M}" for moment in moments]) if len(set(days)) == 1 else _day_axis(days)


def _day_axis(days: Sequence[date]) -> SafeString:
    return _axis([f"{day.day} {day:%b}" for day in days])


def _axis(names: Sequence[str]) -> SafeString:
    shown = (names[0], names[len(names) // 2], names[-1]) if len(names) > 2 else tuple(names)
    labels = format_html_join("", "<span>{}</span>", ((name,) for name in shown))
    return format_html('<div class="chart__axis" aria-hidden="true">{}</div>', labels)


def _cut_note(days: Sequence[DayChange], up: int, down: int) -> SafeString:
    cut = [f"{words.day(day.day)}: {words.signed(day.added)}" for day in days if day.added > up]
    cut += [f"{words.day(day.day)}: {words.signed(-day.removed)}" for day in days if day.removed > down]
    if not cut:
        return mark_safe("")
    return format_html('<p class="chart__note" aria-hidden="true">Bar cut to fit. {}</p>', "; ".join(cut))


# ---- run strip ----------------------------------------------------------------------------------------


def run_strip(ticks: Sequence[RunTick], now: datetime | None = None, hours: int = 48) -> SafeString:
    """The runs of the last hours as ticks in their state's color; what needs a look is tallest."""
    now = now or datetime.now(UTC)
    start = now - timedelta(hours=hours)
    shown = sorted((tick for tick in ticks if start <= tick.at <= now), key=lambda tick: tick.at)
    seconds = hours * 3600
    bars = [_tick(tick, (tick.at - start).total_seconds() / seconds * (hours * 10 - 6)) for tick in shown]
    base = format_html(
        '<line class="strip__base" x1="0" x2="{}" y1="23.5" y2="23.5" vector-effect="non-scaling-stroke"/>',
        hours * 10,
    )
    rows = [(words.day_and_time(tick.at), state_mark(tick.state).label, tick.note) for tick in shown]
    caption = f"Runs of the last {hours} hours" if rows else f"No runs in the last {hours} hours"
    return format_html(
        '<figure class="chart strip">{}{}</figure>',
        _drawing("strip__drawing", hours * 10, 24, _joined([base, *bars])),
        _table(caption, ("When", "State", "Note"), rows),
    )


def _tick(tick: RunTick, x: float) -> SafeString:
    mark = state_mark(tick.state)
    height = _TICK_HEIGHTS.get(tick.state, _FULL_TICK)
    note = f": {tick.note}" if tick.note else ""
    title = f"{words.day_and_time(tick.at)}, {mark.label.lower()}{note}"
    return _bar(f"tone-fill tone-fill--{mark.tone}", x, _FULL_TICK - height, 6, height, title)


# ---- stages -------------------------------------------------------------------------------------------


def stage_line(timings: Mapping[str, float], stage: str = "", state: str = "published") -> SafeString:
    """The six stages of a run in their order, each with its time, and a bar of their shares.

    `stage` is where the run is now, or where it stopped; `state` is the run's state.
    """
    items = [_stage(name, timings.get(name), _stage_mark(name, timings, stage, state)) for name in STAGES]
    return format_html('<div class="stages"><ol class="stages__line">{}</ol>{}</div>', _joined(items), _shares(timings))


def _stage_mark(name: str, timings: Mapping[str, float], stage: str, state: str) -> str:
    """`done`, `current`, `failed`, `held` or `todo`."""
    stopped = {"running": "current", "failed": "failed", "held": "held"}
    if state == "held" and not stage:
        stage = "guard"
    if name == stage and state in stopped:
        return stopped[state]
    return "done" if name in timings else "todo"


def _stage(name: str, seconds: float | None, mark: str) -> SafeString:
    icons = {"done": "check", "current": "running", "failed": "cross", "held": "held", "todo": "dot"}
    spoken = {
        "done": "done",
        "current": "under way",
        "failed": "failed here",
        "held": "held here",
        "todo": "not reached",
    }
    return format_html(
        '<li class="stages__stage stages__stage--{}"><span class="stages__mark">{}</span>'
        '<span class="stages__name">{}</span><span class="visually-hidden">: {}</span>'
        '<span class="stages__time">{}</span></li>',
        mark,
        icon_svg(icons[mark], 16),
        name.capitalize(),
        spoken[mark],
        words.duration(seconds),
    )


def _shares(timings: Mapping[str, float]) -> SafeString:
    total = sum(timings.get(name, 0) for name in STAGES)
    if not total:
        return mark_safe("")
    bars: list[SafeString] = []
    x = 0.0
    for name in STAGES:
        width = timings.get(name, 0) / total * 600
        title = f"{name.capitalize()}: {words.duration(timings.get(name))}"
        bars.append(_bar(f"stages__share stages__share--{name}", x, 0, max(width - 1, 0), 6, title))
        x += width
    return format_html(
        '{}<p class="stages__total muted">{} in all</p>',
        _drawing("stages__shares", 600, 6, _joined(bars)),
        words.duration(total),
    )


# ---- runs chart ---------------------------------------------------------------------------------------


def runs_chart(points: Sequence[RunPoint]) -> SafeString:
    """Rows, issues and time of the last runs, oldest first, one column a run, on three small scales."""
    if not points:
        return _empty("No runs yet")
    lanes = (
        _lane("Rows", points, [point.rows for point in points], words.thousands),
        _lane("Issues", points, [point.issues for point in points], words.thousands),
        _lane("Time", points, [point.seconds for point in points], words.duration),
    )
    rows = [
        (
            f"Run {point.number}, {words.day_and_time(point.at)}",
            state_mark(point.state).label,
            words.thousands(point.rows),
            words.thousands(point.issues),
            words.duration(point.seconds),
        )
        for point in points
    ]
    return format_html(
        '<figure class="chart lanes">{}<div class="lanes__axis">{}</div>{}</figure>',
        _joined(lanes),
        _run_axis([point.at for point in points] if len(points) >= LANE_COLUMNS else []),
        _table("The last runs", ("Run", "State", "Rows", "Issues", "Time"), rows),
    )


def _lane(
    name: str,
    points: Sequence[RunPoint],
    values: Sequence[float | None],
    word: Callable[[float | None], str],
) -> SafeString:
    top = max((value for value in values if value is not None), default=0)
    step = 10.0
    first = max(LANE_COLUMNS - len(points), 0)
    bars: list[SafeString] = []
    for index, (point, value) in enumerate(zip(points, values, strict=True), start=first):
        mark = state_mark(point.state)
        title = f"Run {point.number}, {words.day_and_time(point.at)}, {mark.label.lower()}: {word(value)}"
        bars.append(_bar("bars__hit", index * step, 0, step, 40, title))
        height = max(2.0, value / top * 38) if value and top else 0.0
        tone = mark.tone if mark.tone in ("red", "amber") else "accent"
        if height or tone != "accent":
            bars.append(
                _bar(f"tone-fill tone-fill--{tone}", index * step + 1.5, 40 - max(height, 2), 7, max(height, 2), title)
            )
    return format_html(
        '<div class="lanes__lane" aria-hidden="true"><span class="lanes__name">{}</span>{}'
        '<span class="lanes__top">{}</span></div>',
        name,
        _drawing("lanes__drawing", max(len(points), LANE_COLUMNS) * step, 40, _joined(bars)),
        word(top) if top else "0",
    )
