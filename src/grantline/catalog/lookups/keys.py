"""Opaque texts: the public key of an entitlement and the cursor of a page.

Both are base64url of a JSON array, without padding. What comes back from outside is checked: a key that
cannot be read is `NotFound`, a cursor that cannot be read is `InputInvalid`.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from grantline.errors import InputInvalid, NotFound

Parts = tuple[str | None, str | None, str | None]
"""An entitlement's identity: resource type, resource, entitlement."""


def entitlement_key(resource_type: str | None, resource: str | None, entitlement: str | None) -> str:
    """The entitlement's key for URLs; the same identity always has the same key."""
    return _packed([resource_type, resource, entitlement])


def entitlement_parts(key: str) -> Parts:
    """The identity that `key` stands for. Raises: `NotFound` where it is no key."""
    values = _unpacked(key)
    if values is None or len(values) != 3 or not all(v is None or isinstance(v, str) for v in values):
        raise NotFound("There is no such entitlement.")
    return values[0], values[1], values[2]


def packed_cursor(*values: str | int | None) -> str:
    """The cursor that says: go on behind the row with these values."""
    return _packed(list(values))


def unpacked_cursor(cursor: str | None, *types: type) -> list[Any] | None:
    """The values of `cursor`, of these types; None for the first page.

    Raises: `InputInvalid` where it is not a cursor of this list.
    """
    if not cursor:
        return None
    values = _unpacked(cursor)
    if values is None or len(values) != len(types) or not _are(values, types):
        raise InputInvalid(
            "The cursor is not one that this list gave out.",
            field="cursor",
            remedy="Leave cursor out to begin at the first page.",
        )
    return values


def _are(values: list[Any], types: tuple[type, ...]) -> bool:
    return all(_is(value, kind) for value, kind in zip(values, types, strict=True))


def _is(value: Any, kind: type) -> bool:
    if kind is int:
        return type(value) is int and 0 <= value < 1 << 32
    return isinstance(value, kind)


def _packed(values: list[Any]) -> str:
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _unpacked(text: str) -> list[Any] | None:
    if "=" in text:
        return None
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        values = json.loads(raw.decode("utf-8"))
        json.dumps(values, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except (binascii.Error, ValueError, RecursionError):
        return None
    return values if isinstance(values, list) else None
