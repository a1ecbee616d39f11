"""Which fields may be read in the audit log. What is not in this table counts as secret.

In: the `before` and `after` of an event. Out: the same with every unclassified value replaced. So a new
field is hidden until somebody has thought about it and put it here; a test names those that are missing.
"""

from __future__ import annotations

import re
from typing import Any, Final

from grantline.control.audit.chain import storable

HIDDEN: Final = "(hidden)"

PUBLIC: Final = frozenset(
    {
        # data sources: the External ID is no secret (AWS says so); it is worth nothing to anybody else
        *("name", "external_id", "pending_external_id", "role_arn", "bucket", "prefix", "region", "bucket_owner"),
        *("versioned", "kms_key_arn", "state", "kind", "trigger", "code", "reason", "remedy", "ok", "trusted"),
        # applications and imports
        *("application", "application_id", "description", "owner", "owner_email", "key", "pattern"),
        *("data_source", "data_source_id", "interval_seconds", "stale_after_seconds", "guard_share", "guard_count"),
        *("guard_growth_share", "allow_empty", "retention_days", "references"),
        *("run", "version", "restores", "old", "new"),
        # what a run brought, in numbers
        *("accounts", "resources", "entitlements", "grants", "added", "removed", "changed", "reasons"),
        # members, tokens, sessions
        *(
            "role",
            "days",
            "expires_at",
            "networks",
            "email",
            "member",
            "method",
            "methods",
            "sessions",
            "tokens",
            "step",
        ),
        *("organization", "protocol", "domains", "enforced", "required"),
        *("issuer_url", "client_id", "email_domains", "role_claim", "default_role"),
        *("email_owners", "email_super_administrators", "more_emails"),
        # exports
        *("format", "since", "until", "actor", "action", "subject", "rows", "first", "last", "count", "what", "sha256"),
    }
)
DOCUMENTS: Final = frozenset({"mapping", "role_map"})
"""Public to their last leaf, whose keys are the customer's own words: a mapping, a provider's groups."""

_LOOKS_SECRET: Final = re.compile(
    r"glt_[\w-]{20,}|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|-----BEGIN [A-Z ]*PRIVATE KEY-----.*", re.S
)
"""Our tokens, AWS access keys and private keys, wherever somebody may have pasted them."""


def readable(document: dict[str, Any] | None) -> dict[str, Any] | None:
    """`document` with every value hidden whose field is not in the table; None stays None."""
    if document is None:
        return None
    return {name: _readable(name, value) for name, value in storable(document).items()}


def without_secrets(text: str) -> str:
    """`text` without anything that looks like a token or a key."""
    return _LOOKS_SECRET.sub(HIDDEN, text)


def _readable(name: str, value: Any) -> Any:
    if name in DOCUMENTS:
        return _scanned(value)
    if name not in PUBLIC:
        return HIDDEN
    if isinstance(value, dict):
        return readable(value)
    return _scanned(value)


def _scanned(value: Any) -> Any:
    if isinstance(value, str):
        return without_secrets(value)
    if isinstance(value, list):
        return [_scanned(item) for item in value]
    if isinstance(value, dict):
        return {name: _scanned(item) for name, item in value.items()}
    return value
