"""Events and changes of the catalog in words, for timelines and tables.

Pure: rows of the catalog in, items of a timeline out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from django.urls import reverse

from grantline.control.applications.models import Application
from grantline.web import words
from grantline.web.harmless import harmless
from grantline.web.imports.records import field_label

TOLD_ONE_BY_ONE = 4
NAMED_TOGETHER = 8
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
    """An account's events as items of a timeline, in their order.

    More than `TOLD_ONE_BY_ONE` grants that came or went at once are one item that names them.
    """
    items: list[dict[str, Any]] = []
    for (kind, op, _), together in groupby(events, key=_occasion):
        same = list(together)
        if kind == "grant" and op != "changed" and len(same) > TOLD_ONE_BY_ONE:
            items.append(_many(same))
        else:
            items += [_item(application, event) for event in same]
    return items


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


def _occasion(event: Mapping[str, Any]) -> tuple[str, str, Any]:
    return str(event["kind"]), str(event["op"]), (event["since"] or {}).get("at")


def _many(events: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    op = str(events[0]["op"])
    icon, tone = _MARKS[op]
    named = [harmless(entitlement_name(event)) for event in events[:NAMED_TOGETHER]]
    rest = f" and {words.thousands(len(events) - NAMED_TOGETHER)} more" if len(events) > NAMED_TOGETHER else ""
    title = f"{_VERBS['grant', op]} {words.counted(len(events), 'entitlement')}"
    at = (events[0]["since"] or {}).get("at")
    return {"at": at, "title": title, "text": ", ".join(named) + rest, "icon": icon, "tone": tone, "href": ""}


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
