"""Events and changes of the catalog in words, for timelines and tables.

Pure: rows of the catalog in, items of a timeline out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.urls import reverse

from grantline.control.applications.models import Application
from grantline.web.harmless import harmless
from grantline.web.imports.records import field_label

_MARKS = {"added": ("plus", "green"), "removed": ("minus", "red"), "changed": ("edit", "amber")}
_VERBS = {
    ("account", "added"): "Account appeared",
    ("account", "removed"): "Account was gone",
    ("account", "changed"): "Account changed",
    ("grant", "added"): "Got",
    ("grant", "removed"): "Lost",
    ("grant", "changed"): "Changed",
}


def history_items(application: Application, events: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """An account's events as items of a timeline, in their order."""
    return [_item(application, event) for event in events]


def entitlement_name(row: Mapping[str, Any]) -> str:
    """What an entitlement is called: its display name, else its resource and name."""
    if row.get("entitlement_display_name") or row.get("display_name"):
        return str(row.get("entitlement_display_name") or row.get("display_name"))
    resource, name = row.get("resource") or "", row.get("entitlement") or ""
    return str(name) if name == resource or not resource else f"{resource}: {name}" if name else str(resource)


def difference_words(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """`Status: enabled → disabled; Manager: none → 4711`."""
    names = [*before, *(name for name in after if name not in before)]
    parts = [
        f"{field_label(name)}: {before.get(name) or 'none'} → {after.get(name) or 'none'}"
        for name in names
        if before.get(name) != after.get(name)
    ]
    return harmless("; ".join(parts))


def _item(application: Application, event: Mapping[str, Any]) -> dict[str, Any]:
    kind, op = str(event["kind"]), str(event["op"])
    icon, tone = _MARKS.get(op, ("dot", "gray"))
    title = _VERBS.get((kind, op), op.capitalize())
    href = ""
    if kind == "grant":
        title = f"{title} {harmless(entitlement_name(event))}"
        href = reverse("application_entitlement", args=[application.pk, event["entitlement_key"]])
    text = difference_words(event["before"], event["after"]) if op == "changed" else ""
    at = (event["since"] or {}).get("at")
    return {"at": at, "title": title, "text": text, "icon": icon, "tone": tone, "href": href}
