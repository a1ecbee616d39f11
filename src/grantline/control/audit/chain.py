"""The hash chain of the audit log: what exactly each event's hash is taken of.

In: an event. Out: the SHA-256, as hexadecimal text, of one canonical JSON document: UTF-8, keys sorted,
no spaces, the fields below and the hash of the event before. The first event of an organization follows
`GENESIS`. The form is for good: hashes that were written can only be checked with it; another form would
get another `FORMAT` and leave this one in place.
"""

from __future__ import annotations

import hashlib
import json
import math
from datetime import UTC, datetime
from typing import Any, Final

FORMAT: Final = 1
GENESIS: Final = "0" * 64
FIELDS: Final = (
    "organization_id",
    "sequence",
    "id",
    "actor_id",
    "actor_name",
    "via",
    "address",
    "action",
    "subject_id",
    "subject_name",
    "before",
    "after",
    "previous_hash",
)
_WHOLE_FROM: Final = 1e15
"""From here on PostgreSQL writes a whole number where Python writes an exponent."""


def digest(event: Any) -> str:
    """The hash of an event that has everything but its hash."""
    return hashlib.sha256(canonical(event)).hexdigest()


def canonical(event: Any) -> bytes:
    """The document that is hashed."""
    document = {name: getattr(event, name) for name in FIELDS}
    document |= {"format": FORMAT, "at": moment(event.at)}
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def moment(at: datetime) -> str:
    """A moment to the microsecond, which is what PostgreSQL keeps: `2026-11-25T14:05:09.000123Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def storable(value: Any) -> Any:
    """`value` as it comes back from the database, so that its hash can be taken before it goes there."""
    if isinstance(value, dict):
        return {_text(str(name)): storable(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [storable(item) for item in value]
    if isinstance(value, bool) or value is None or isinstance(value, int):
        return value
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, datetime):
        return moment(value)
    return _text(str(value))


def _number(value: float) -> float | int | None:
    if not math.isfinite(value):
        return None
    return int(value) if value.is_integer() and abs(value) >= _WHOLE_FROM else value + 0.0


def _text(text: str) -> str:
    """PostgreSQL takes neither NUL nor half of a surrogate pair."""
    return text.replace("\x00", "␀").encode("utf-8", "replace").decode()
