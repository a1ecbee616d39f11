"""External IDs: the value that ties a customer's role to one data source.

Grantline makes them, customers never do: an ID that a customer could choose would let them borrow
somebody else's role (the confused deputy). 160 random bits are far above the 128 that ASVS 11.5.1 asks
for. Keeping issued IDs, and never issuing one twice, is the control plane's part.
"""

from __future__ import annotations

import base64
import re
import secrets

PREFIX = "gl_"
RANDOM_BYTES = 20
_FORM = re.compile(r"gl_[a-z2-7]{32}")


def new_external_id() -> str:
    """A fresh External ID: `gl_` and 32 characters of lower-case base32, 160 random bits."""
    return PREFIX + base64.b32encode(secrets.token_bytes(RANDOM_BYTES)).decode("ascii").lower()


def looks_like_external_id(text: str) -> bool:
    """Whether `text` has the form of an ID that Grantline issues; says nothing about whether it did."""
    return _FORM.fullmatch(text) is not None
