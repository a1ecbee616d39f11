"""The overview's numbers: what is current, how it stood a week ago, and what changed on each of 30 days.

In: a scope and the moment. Out: four figures and a list of days. Counts come from the versions' own
records, so that no file of the lake is read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import BigIntegerField, Sum
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast, Coalesce, TruncDate
from django.urls import reverse

from grantline.control.applications.models import Application
from grantline.control.imports.models import Import
from grantline.control.runs.models import Version
from grantline.control.tenancy import Scope, scoped
from grantline.web.charts import DayChange

WEEK: Final = timedelta(days=7)
DAYS_SHOWN: Final = 30
KINDS: Final = ("accounts", "entitlements", "grants")


@dataclass(frozen=True)
class Figure:
    """One number with its name, its change since last week (None where nothing is a week old), and where
    it leads."""

    label: str
    value: int
    change: int | None
    href: str


def figures(scope: Scope, imports: Iterable[Import], now: datetime, past: datetime | None = None) -> list[Figure]:
    """Applications, accounts, entitlements and grants: current, or as they were at `past`."""
    at = past or now
    then = _counts_at(scope, at - WEEK)
    if past is not None:
        current = _counts_at(scope, past)
    else:
        current = [item.current_version.counts for item in imports if item.current_version is not None]
    applications = scoped(Application, scope)
    count, href = applications.filter(created_at__lte=at).count(), reverse("applications")
    older = applications.filter(created_at__lte=at - WEEK).count()
    shown = [Figure("Applications", count, count - older if older else None, href)]
    for kind in KINDS:
        value = sum(int(counts.get(kind, 0)) for counts in current)
        before = sum(int(counts.get(kind, 0)) for counts in then)
        shown.append(Figure(kind.capitalize(), value, value - before if then else None, href))
    return shown


def daily_changes(scope: Scope, at: datetime) -> list[DayChange]:
    """Grants added and removed up to `at` on each of the 30 days that end then (UTC), oldest first."""
    first = (at - timedelta(days=DAYS_SHOWN - 1)).date()
    rows = (
        scoped(Version, scope)
        .annotate(day=TruncDate("published_at"))
        .filter(day__gte=first, published_at__lte=at)
        .values("day")
        .annotate(added=_sum("grants", "added"), removed=_sum("grants", "removed"))
    )
    by_day = {row["day"]: DayChange(row["day"], row["added"], row["removed"]) for row in rows}
    days = (first + timedelta(days=number) for number in range(DAYS_SHOWN))
    return [by_day.get(day) or DayChange(day) for day in days]


def _counts_at(scope: Scope, moment: datetime) -> list[dict[str, Any]]:
    """The counts of each import's version that was current at `moment`."""
    rows = scoped(Version, scope).filter(published_at__lte=moment)
    newest = rows.order_by("of_import", "-number").distinct("of_import")
    return list(newest.values_list("counts", flat=True))


def _sum(kind: str, change: str) -> Coalesce:
    number = Cast(KeyTextTransform(change, KeyTransform(kind, "changes")), BigIntegerField())
    return Coalesce(Sum(number), 0, output_field=BigIntegerField())
