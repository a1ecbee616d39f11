"""Public ids: a prefix that says what the thing is, and 130 random bits that nobody can guess.

Each maker is a module-level function, because Django's migrations name it. The alphabet is lower-case
base32, so that an id survives e-mails, URLs and being read aloud.
"""

from __future__ import annotations

import base64
import secrets


def _new(prefix: str) -> str:
    return f"{prefix}_{base64.b32encode(secrets.token_bytes(17)).decode().lower()[:26]}"


def organization_id() -> str:
    """A new id of an organization."""
    return _new("org")


def user_id() -> str:
    """A new id of a person who signs in."""
    return _new("usr")


def membership_id() -> str:
    """A new id of a membership."""
    return _new("mem")


def token_id() -> str:
    """A new id of an API token (not the token itself)."""
    return _new("tok")


def sign_on_id() -> str:
    """A new id of an organization's single sign-on; part of the address its provider sends people back to."""
    return _new("sso")


def source_id() -> str:
    """A new id of a data source."""
    return _new("src")


def check_id() -> str:
    """A new id of a connection check."""
    return _new("chk")


def application_id() -> str:
    """A new id of an application."""
    return _new("app")


def person_id() -> str:
    """A new id of a person who stands behind accounts."""
    return _new("per")


def alias_id() -> str:
    """Of an alias: two spellings of one key."""
    return _new("als")


def import_id() -> str:
    """A new id of an import."""
    return _new("imp")


def draft_id() -> str:
    """A new id of an import being prepared."""
    return _new("drf")


def upload_id() -> str:
    """A new id of a file taken by hand."""
    return _new("upl")


def run_id() -> str:
    """A new id of a run."""
    return _new("run")


def version_id() -> str:
    """A new id of a version; also the name of its folder in the lake."""
    return _new("ver")


def notice_id() -> str:
    """A new id of a notice."""
    return _new("ntc")


def webhook_id() -> str:
    """A new id of a webhook."""
    return _new("whk")


def notice_settings_id() -> str:
    """A new id of an organization's notification settings."""
    return _new("nts")


def event_id() -> str:
    """A new id of an audit event."""
    return _new("evt")
