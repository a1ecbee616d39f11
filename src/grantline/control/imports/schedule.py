"""When an import looks next.

Pure: an id, an interval and a moment in, a moment out. Every import has its own place within its
interval, taken from its id, so that a thousand hourly imports do not start in the same second and each
keeps its rhythm whatever the length of a run.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime


def next_look(import_id: str, interval_seconds: int, now: datetime) -> datetime:
    """The first moment after `now` at this import's own place within its interval, in UTC."""
    digest = hashlib.sha256(import_id.encode()).digest()
    place = int.from_bytes(digest[:8], "big") % interval_seconds
    elapsed = (int(now.timestamp()) - place) // interval_seconds + 1
    return datetime.fromtimestamp(elapsed * interval_seconds + place, tz=UTC)
