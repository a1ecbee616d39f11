"""An account's events in words."""

from __future__ import annotations

from typing import Any

from grantline.control.applications.models import Application
from grantline.web.applications.history import history_items

APPLICATION = Application(id="app_1", name="Payments")
FIRST, LATER = {"at": "2026-11-24T10:00:00Z"}, {"at": "2026-11-25T10:00:00Z"}


def grant(name: str, op: str, since: dict[str, str]) -> dict[str, Any]:
    return {
        "kind": "grant",
        "op": op,
        "since": since,
        "before": {},
        "after": {},
        "resource": "Ledger",
        "entitlement": name,
        "entitlement_key": f"key-{name}",
    }


def test_a_few_grants_are_told_one_by_one() -> None:
    events = [grant(f"Role {number}", "added", FIRST) for number in range(4)]
    items = history_items(APPLICATION, events)
    assert [item["title"] for item in items] == [f"Got Ledger: Role {number}" for number in range(4)]
    assert all(item["href"] for item in items)


def test_many_grants_at_once_are_told_together() -> None:
    events = [grant(f"Role {number}", "removed", LATER) for number in range(11)]
    events += [grant(f"Role {number}", "added", FIRST) for number in range(5)]
    lost, got = history_items(APPLICATION, events)
    assert (lost["title"], lost["at"], lost["tone"]) == ("Lost 11 entitlements", LATER["at"], "red")
    assert lost["text"].startswith("Ledger: Role 0, Ledger: Role 1, ")
    assert lost["text"].endswith("Ledger: Role 7 and 3 more")
    assert (got["title"], got["text"].count("Ledger")) == ("Got 5 entitlements", 5)
