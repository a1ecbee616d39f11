"""Authenticator apps, as tests hold them: a secret, and the code that it shows now."""

from __future__ import annotations

import time
from typing import Any

from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value

from grantline.control.organizations.models import User


def code_of(secret: str, *, steps: int = 0) -> str:
    """The code of `secret` now, or so many half-minutes later."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps))


def give_app(user: User) -> str:
    """Give the user an authenticator app; its secret."""
    secret = generate_totp_secret()
    TOTP.activate(user, secret)
    return secret


def give_codes(user: User) -> list[str]:
    """Give the user recovery codes."""
    codes: Any = RecoveryCodes.activate(user).get_unused_codes()
    return list(codes)
