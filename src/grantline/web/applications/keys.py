"""Account keys in addresses of pages.

In: a key as the file spells it, any text. Out: one path segment, and back. A plain key is its own
segment, so that addresses can be read; any other (slashes, dots alone, control characters) is written
as `~` and base64url, because browsers and proxies rewrite such paths.
"""

from __future__ import annotations

import base64
import binascii
import re

_PLAIN = re.compile(r"[A-Za-z0-9@_-][A-Za-z0-9@_.+-]{0,199}")
_MARK = "~"


def segment_of(key: str) -> str:
    """The path segment that stands for `key`."""
    if _PLAIN.fullmatch(key):
        return key
    raw = key.encode("utf-8", "surrogatepass")
    return _MARK + base64.urlsafe_b64encode(raw).decode().rstrip("=")


def key_of(segment: str) -> str:
    """The key that `segment` stands for. Raises: `ValueError` for a segment that stands for none."""
    if not segment.startswith(_MARK):
        if _PLAIN.fullmatch(segment):
            return segment
        raise ValueError("not a plain key")
    body = segment.removeprefix(_MARK)
    try:
        raw = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("not base64url") from error
    return raw.decode("utf-8", "surrogatepass")


class KeyConverter:
    """The path converter `<key:…>`."""

    regex = r"~?[A-Za-z0-9@_.+-]+"

    def to_python(self, value: str) -> str:
        """The key; a segment that stands for none matches no address."""
        return key_of(value)

    def to_url(self, value: str) -> str:
        """The segment."""
        return segment_of(value)
