"""The first records that come out of a mapping, as the editor shows them beside the columns.

Pure: a preview in, small cards out. A card is an account with what is known of it and what it holds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from grantline.mapping.records import ACCOUNT_FIELDS
from grantline.mapping.targets import TARGETS

SHOWN = 5
_STARTS = ("account", "grant", "entitlement")


@dataclass(frozen=True)
class SampleRecord:
    """One account as it would come out."""

    key: str
    fields: tuple[tuple[str, str], ...]
    grants: tuple[str, ...]


def sample_records(preview: Mapping[str, Any]) -> list[SampleRecord]:
    """The first accounts of the preview; where it has none, the accounts its grants name."""
    grants = preview.get("grants") or ()
    accounts = preview.get("accounts") or [{"id": grant.get("account")} for grant in grants]
    return [_record(account, grants) for account in accounts[:SHOWN]]


def grant_words(grant: Mapping[str, Any]) -> str:
    """`group Payroll admins`, `folder Contracts: read`."""
    kind, resource, name = (str(grant.get(part) or "") for part in ("resource_type", "resource", "entitlement"))
    thing = f"{kind} {resource}".strip()
    return thing if name in ("", resource) else f"{thing}: {name}"


def field_label(name: str) -> str:
    """`last_login_at` → `Last login`, in the words of the mapping's targets."""
    known = next((TARGETS[f"{start}.{name}"] for start in _STARTS if f"{start}.{name}" in TARGETS), None)
    return known.label if known else name.replace("_", " ").capitalize()


def profile_of(account: Mapping[str, Any]) -> dict[str, str]:
    """The attributes with names of the customer's own."""
    profile = account.get("profile")
    if isinstance(profile, str):
        try:
            profile = json.loads(profile)
        except ValueError:
            return {}
    return {str(name): str(value) for name, value in profile.items()} if isinstance(profile, dict) else {}


def _record(account: Mapping[str, Any], grants: Any) -> SampleRecord:
    key = str(account.get("id") or "")
    known = [(field_label(name), str(account[name])) for name in ACCOUNT_FIELDS if account.get(name)]
    known += sorted(profile_of(account).items())
    held = tuple(grant_words(grant) for grant in grants if str(grant.get("account") or "") == key)
    return SampleRecord(key, tuple(known), held)
