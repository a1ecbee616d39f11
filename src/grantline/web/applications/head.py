"""What stands above the tabs of an application: its counts with a line over 90 days, and the tabs.

In: an application and the tab that is open. Out: the context that every page of it starts with.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from grantline.control.applications.catalog import catalog_of
from grantline.control.applications.models import Application
from grantline.control.applications.rules import may
from grantline.control.imports.rules import list_imports
from grantline.control.imports.states import with_active_states
from grantline.control.organizations.roles import Permission
from grantline.control.runs.models import Version
from grantline.control.tenancy import Scope, scoped
from grantline.web.applications.trail import crumb, to_application
from grantline.web.charts import DayCount
from grantline.web.requests import PageRequest, chosen_day

LINE_DAYS = 90
REMEMBERED_SECONDS = 3600
KINDS = ("accounts", "entitlements", "grants")
TABS = (
    ("accounts", "Accounts", "application_accounts"),
    ("entitlements", "Entitlements", "application_entitlements"),
    ("changes", "Changes", "application_changes"),
    ("imports", "Imports", "application_imports"),
    ("settings", "Settings", "application_settings"),
)
LEADS = {
    "accounts": "Look up who has an account here, and what it may do.",
    "entitlements": "Look up what can be held here, and who holds it.",
    "changes": "Prove who gained and who lost what, and which run brought it.",
    "imports": "Connect the files that say who has access, and see how they are doing.",
    "settings": "Change the application's name and who answers for it.",
}


def head_context(request: PageRequest, application: Application, tab: str) -> dict[str, Any]:
    """`application`, `imports`, `figures`, `tabs` and what the scope may do."""
    scope, day = request.scope, chosen_day(request)
    imports = list(with_active_states(list_imports(scope, application)))
    versions = scoped(Version, scope).filter(of_import__application=application)
    versions = versions.filter(published_at__lte=day) if day else versions
    current = list(versions.order_by("of_import_id", "-number").distinct("of_import_id"))
    counts = united_counts(scope, application, current, day)
    lines = _lines(versions, (day or timezone.now()).date())
    label = next(label for name, label, _ in TABS if name == tab)
    return {
        "application": application,
        "lead": LEADS[tab],
        "imports": imports,
        "figures": [
            {
                "label": kind.capitalize(),
                "value": counts[kind],
                "points": lines[kind],
                "change": _change_of_a_week(lines[kind]),
            }
            for kind in KINDS
        ],
        "tabs": _tabs(application, tab, {**counts, "imports": len(imports)}),
        "may_write": may(scope, application, Permission.APPLICATION_WRITE),
        "may_import": may(scope, application, Permission.IMPORT_WRITE),
        "breadcrumbs": [*to_application(application), crumb(label)],
    }


def daily_counts(
    versions: Iterable[tuple[str, date, dict[str, int]]], kind: str, today: date, days: int = LINE_DAYS
) -> list[DayCount]:
    """How many of `kind` there were at the end of each of the last `days` days.

    `versions`: import id, day and counts of each version, oldest first. Days before the first are left
    out: nothing was known then, which is not the same as none.
    """
    last: dict[str, int] = {}
    points: list[DayCount] = []
    waiting = list(versions)
    for back in range(days - 1, -1, -1):
        day = today - timedelta(days=back)
        while waiting and waiting[0][1] <= day:
            import_id, _, counts = waiting.pop(0)
            last[import_id] = counts.get(kind, 0)
        if last:
            points.append(DayCount(day, sum(last.values())))
    return points


def united_counts(
    scope: Scope, application: Application, current: Sequence[Version], day: datetime | None
) -> dict[str, int]:
    """The counts of the versions of an application's imports, whatever two of them say counted once.

    Versions never change, so what several of them make together is remembered.
    """
    if len(current) <= 1:
        counts: dict[str, int] = current[0].counts if current else {}
        return {kind: counts.get(kind, 0) for kind in KINDS}
    names = " ".join(sorted(version.pk for version in current))
    key = f"counts:{hashlib.sha256(names.encode()).hexdigest()}"
    known: dict[str, int] | None = cache.get(key)
    if known is None:
        known = asdict(catalog_of(scope, application, day).counts())
        cache.set(key, known, REMEMBERED_SECONDS)
    return {kind: known[kind] for kind in KINDS}


def _lines(versions: QuerySet[Version], today: date) -> dict[str, list[DayCount]]:
    """Where several imports say the same the line counts it twice; it shows the course, not the number."""
    first = today - timedelta(days=LINE_DAYS)
    fields = ("of_import_id", "published_at", "counts")
    before = versions.filter(published_at__date__lt=first).order_by("of_import_id", "-number").distinct("of_import_id")
    within = versions.filter(published_at__date__gte=first).order_by("published_at", "number")
    rows = [*sorted(before.values_list(*fields), key=lambda row: row[1]), *within.values_list(*fields)]
    known = [(import_id, moment.date(), counts) for import_id, moment, counts in rows]
    return {kind: daily_counts(known, kind, today) for kind in KINDS}


def _change_of_a_week(points: Sequence[DayCount]) -> int | None:
    return points[-1].count - points[-8].count if len(points) >= 8 else None


def _tabs(application: Application, tab: str, counts: dict[str, int]) -> list[dict[str, Any]]:
    return [
        {
            "label": label,
            "href": reverse(address, args=[application.pk]),
            "current": name == tab,
            "count": counts.get(name) if name in ("accounts", "entitlements", "imports") else None,
        }
        for name, label, address in TABS
    ]
