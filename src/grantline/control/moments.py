"""Moments as people write them: a day, or a day with a time.

In: `2026-11-07` or ISO 8601 with an offset. Out: an aware moment in UTC. A day alone stands for its first
moment in UTC, as on the pages, so that the same day is answered alike everywhere.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from grantline.errors import InputInvalid

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def completed(text: str) -> str:
    """`text`, with the first moment of the day where it is a day alone."""
    return f"{text}T00:00:00Z" if _DAY.fullmatch(text) else text


def moment_of(text: str, field: str = "as_of") -> datetime:
    """The moment. Raises: `InputInvalid` naming the field, also for a time without its offset."""
    try:
        moment = datetime.fromisoformat(completed(text.strip()))
    except ValueError as error:
        raise InputInvalid(
            f"{text[:60]!r} is not a moment.", field=field, remedy="Write 2026-11-07 or 2026-11-07T12:00:00Z."
        ) from error
    if moment.tzinfo is None:
        raise InputInvalid(
            f"{text[:60]!r} does not say its offset from UTC.",
            field=field,
            remedy="Add Z for UTC, or an offset such as +01:00.",
        )
    return moment.astimezone(UTC)
