"""Numbers, sizes, durations and moments as the console words them.

Pure: values in, text out; the clock is passed in. Moments may also be ISO 8601 text, because documents
kept with a run hold them so; a moment without a zone is taken as UTC. What is not known is an en dash,
never "None" and never a zero.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time

UNKNOWN = "–"
MEGABYTE = 1_000_000

Moment = datetime | date | str

_AGES: tuple[tuple[int, int, str], ...] = (
    # up to so many seconds, in units of so many seconds, called so
    (3_600, 60, "minute"),
    (86_400, 3_600, "hour"),
    (14 * 86_400, 86_400, "day"),
    (60 * 86_400, 7 * 86_400, "week"),
    (730 * 86_400, 30 * 86_400, "month"),
    (1 << 62, 365 * 86_400, "year"),
)


def thousands(number: float | None) -> str:
    """`12,431`; decimals are kept as they are."""
    return UNKNOWN if number is None else f"{number:,}".replace("-", "−")


def signed(number: float | None) -> str:
    """`+12`, `−3` (with a true minus) or `0`."""
    if number is None:
        return UNKNOWN
    return f"+{number:,}" if number > 0 else thousands(number)


def counted(number: int | None, singular: str, plural: str = "") -> str:
    """`1 grant`, `12,431 grants`; the plural is the singular with an s unless it is given."""
    return f"{thousands(number)} {singular if number == 1 else plural or singular + 's'}"


def percent(share: float | None) -> str:
    """`4.2 %` of a share from 0 to 1; what is there but below 0.1 % says so."""
    if share is None:
        return UNKNOWN
    if 0 < share < 0.001:
        return "<0.1 %"
    return f"{share * 100:.1f}".removesuffix(".0") + " %"


def size_mb(size_bytes: int | None) -> str:
    """`91.2 MB`; below one megabyte with two decimals, what is smaller says so."""
    if size_bytes is None:
        return UNKNOWN
    if size_bytes == 0:
        return "0 MB"
    if size_bytes < MEGABYTE / 100:
        return "<0.01 MB"
    return f"{size_bytes / MEGABYTE:,.{2 if size_bytes < MEGABYTE else 1}f} MB"


def duration(seconds: float | None) -> str:
    """`0.42 s`, `7.1 s`, `1 min 12 s`, `2 h 5 min`, `3 days 4 h`."""
    if seconds is None:
        return UNKNOWN
    if seconds < 10:
        return f"{seconds:.{2 if seconds < 1 else 1}f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3_600:
        return _two(whole // 60, "min", whole % 60, "s")
    if whole < 86_400:
        return _two(whole // 3_600, "h", whole % 3_600 // 60, "min")
    return _two(whole // 86_400, "days" if whole >= 172_800 else "day", whole % 86_400 // 3_600, "h")


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large} {large_unit} {small} {small_unit}" if small else f"{large} {large_unit}"


def as_moment(value: Moment) -> datetime:
    """The aware UTC datetime of a datetime, a day (its first moment) or ISO 8601 text.

    Raises: `ValueError` for other text.
    """
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if not isinstance(value, datetime):
        value = datetime.combine(value, time())
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def exact(value: Moment) -> str:
    """`2026-11-25 14:05:09 UTC`."""
    return as_moment(value).strftime("%Y-%m-%d %H:%M:%S UTC")


def day(value: Moment) -> str:
    """`7 Nov 2026`."""
    moment = as_moment(value)
    return f"{moment.day} {moment:%b %Y}"


def day_and_time(value: Moment) -> str:
    """`7 Nov 2026, 00:00 UTC`."""
    return f"{day(value)}, {as_moment(value):%H:%M} UTC"


def relative(value: Moment, now: datetime) -> str:
    """`just now`, `12 minutes ago`, `in 3 hours`. The script refreshes it by the same rule."""
    seconds = (now - as_moment(value)).total_seconds()
    size = abs(seconds)
    if size < 45:
        return "just now" if seconds >= 0 else "in a moment"
    unit, name = next((unit, name) for limit, unit, name in _AGES if size < limit - unit / 2)
    amount = counted(max(1, int(size / unit + 0.5)), name)
    return f"{amount} ago" if seconds > 0 else f"in {amount}"
