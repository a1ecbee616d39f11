"""The overview: what needs somebody, how much there is, what changed, and how the imports run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from grantline.control.imports.rules import list_imports
from grantline.control.imports.states import with_active_states
from grantline.control.organizations.roles import Permission
from grantline.control.runs.models import Run
from grantline.control.sources.models import DataSource, SourceState
from grantline.control.sources.rules import list_sources
from grantline.control.tenancy import Scope, scoped
from grantline.web.charts import RunTick
from grantline.web.overview.figures import Figure, daily_changes, figures
from grantline.web.overview.needs import ImportLine, import_lines, needs
from grantline.web.requests import PageRequest, chosen_day

STRIP_HOURS: Final = 48
STRIPS_SHOWN: Final = 40
"""Imports with a strip; the worst come first, so what is left out is healthy."""


@dataclass(frozen=True)
class FirstStep:
    """One step of the way from nothing to the first data."""

    title: str
    text: str
    address: str
    permission: Permission


FIRST_STEPS: Final = (
    FirstStep(
        "Connect a bucket",
        "Grantline issues an External ID; an engineer makes a role in AWS.",
        "sources",
        Permission.SOURCE_WRITE,
    ),
    FirstStep(
        "Create an application",
        "Something people have accounts in, such as payroll.",
        "application_new",
        Permission.APPLICATION_CREATE,
    ),
    FirstStep(
        "Import its file",
        "Choose the file, look at what it means, and import it.",
        "import_choose",
        Permission.IMPORT_WRITE,
    ),
)


@require_GET
def show(request: PageRequest) -> HttpResponse:
    """The page."""
    scope, now, past = request.scope, timezone.now(), chosen_day(request)
    imports = list(with_active_states(list_imports(scope)))
    sources = list(list_sources(scope))
    lines = import_lines(imports, now)
    shown = lines[:STRIPS_SHOWN]
    counted = figures(scope, imports, now, past)
    ticks = _ticks(scope, shown, now)
    context: dict[str, Any] = {
        "page_title": "Overview",
        "needs": needs(scope, lines, sources),
        "figures": counted,
        "days": daily_changes(scope, past or now),
        "strips": [{"line": line, "ticks": ticks.get(line.item.pk, [])} for line in shown],
        "import_count": len(lines),
        "now": now,
        "first_steps": []
        if past or any(item.current_version for item in imports)
        else first_steps(scope, sources, counted),
    }
    return render(request, "overview/show.html", context)


def first_steps(scope: Scope, sources: list[DataSource], counted: list[Figure]) -> list[dict[str, Any]]:
    """The way from nothing to the first data. A step that the role does not allow has no link."""
    connected = any(source.state == SourceState.CONNECTED for source in sources)
    connect = "Finish setting up the data source that was begun." if sources else FIRST_STEPS[0].text
    done = [connected, bool(counted[0].value), False]
    return [
        {
            "title": step.title,
            "text": connect if number == 0 else step.text,
            "href": reverse(step.address) if scope.may(step.permission) else "",
            "done": done[number],
            "current": number == done.index(False),
        }
        for number, step in enumerate(FIRST_STEPS)
    ]


def _ticks(scope: Scope, lines: Iterable[ImportLine], now: datetime) -> dict[str, list[RunTick]]:
    runs = scoped(Run, scope).filter(
        of_import__in=[line.item.pk for line in lines], queued_at__gte=now - timedelta(hours=STRIP_HOURS)
    )
    found: dict[str, list[RunTick]] = {}
    for import_id, at, state in runs.order_by("queued_at").values_list("of_import_id", "queued_at", "state"):
        found.setdefault(import_id, []).append(RunTick(at, state))
    return found
