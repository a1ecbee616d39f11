"""Secrets that must be read again, kept sealed in the database.

In: text and its purpose. Out: text that only this installation's secret key opens (Fernet: AES-128-CBC
with HMAC-SHA256). Each purpose has a key of its own, derived from the secret key with HKDF, so that what
was sealed for one is never taken for another. Invariant: a sealed secret never opens under another key.
"""

from __future__ import annotations

import base64
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from grantline.errors import SettingInvalid


def seal(text: str, purpose: str) -> str:
    """`text`, sealed for `purpose`."""
    return _fernet(settings.SECRET_KEY, purpose).encrypt(text.encode()).decode()


def unseal(sealed: str, purpose: str) -> str:
    """What was sealed for `purpose`. Raises: `SettingInvalid` where the secret key is another one now."""
    try:
        return _fernet(settings.SECRET_KEY, purpose).decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise SettingInvalid(
            "A stored secret cannot be read, because the secret key is not the one it was stored under.",
            remedy="Start Grantline with the GRANTLINE_SECRET_KEY (or the data directory's secret_key) of before.",
        ) from error


@lru_cache(maxsize=8)
def _fernet(secret_key: str, purpose: str) -> Fernet:
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"grantline:{purpose}".encode())
    return Fernet(base64.urlsafe_b64encode(key.derive(secret_key.encode())))
