"""The overview: what needs somebody, how much there is, what changed, and how the imports run."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from grantline.control.imports.rules import list_imports
from grantline.control.imports.states import with_active_states
from grantline.control.runs.models import Run
from grantline.control.sources.models import DataSource, SourceState
from grantline.control.sources.rules import list_sources
from grantline.control.tenancy import Scope, scoped
from grantline.web.charts import RunTick
from grantline.web.overview.figures import Figure, daily_changes, figures
from grantline.web.overview.needs import ImportLine, import_lines, needs
from grantline.web.requests import PageRequest

STRIP_HOURS: Final = 48
STRIPS_SHOWN: Final = 40
"""Imports with a strip; the worst come first, so what is left out is healthy."""


@require_GET
def show(request: PageRequest) -> HttpResponse:
    """The page."""
    scope, now = request.scope, timezone.now()
    imports = list(with_active_states(list_imports(scope)))
    sources = list(list_sources(scope))
    lines = import_lines(imports, now)
    shown = lines[:STRIPS_SHOWN]
    counted = figures(scope, imports, now)
    ticks = _ticks(scope, shown, now)
    context: dict[str, Any] = {
        "page_title": "Overview",
        "needs": needs(scope, lines, sources),
        "figures": counted,
        "days": daily_changes(scope, now),
        "strips": [{"line": line, "ticks": ticks.get(line.item.pk, [])} for line in shown],
        "import_count": len(lines),
        "now": now,
        "first_steps": first_steps(sources, counted, bool(imports), any(item.current_version for item in imports)),
    }
    return render(request, "overview/show.html", context)


def first_steps(
    sources: list[DataSource], counted: list[Figure], has_imports: bool, has_data: bool
) -> list[dict[str, Any]]:
    """The way from nothing to the first import, or nothing once it is done."""
    if has_data:
        return []
    connected = any(source.state == SourceState.CONNECTED for source in sources)
    started = "Finish setting up the data source that was begun." if sources else ""
    done = [connected, bool(counted[0].value), has_imports]
    steps = (
        ("Connect a bucket", started or "Grantline issues an External ID; an engineer makes a role in AWS.", "sources"),
        ("Create an application", "Something people have accounts in, such as payroll.", "applications"),
        ("Import its file", "Choose the file, look at what it means, and import it.", "import_choose"),
    )
    current = done.index(False) if False in done else len(done)
    return [
        {"title": title, "text": text, "href": reverse(name), "done": done[number], "current": number == current}
        for number, (title, text, name) in enumerate(steps)
    ]


def _ticks(scope: Scope, lines: Iterable[ImportLine], now: datetime) -> dict[str, list[RunTick]]:
    runs = scoped(Run, scope).filter(
        of_import__in=[line.item.pk for line in lines], queued_at__gte=now - timedelta(hours=STRIP_HOURS)
    )
    found: dict[str, list[RunTick]] = {}
    for import_id, at, state in runs.order_by("queued_at").values_list("of_import_id", "queued_at", "state"):
        found.setdefault(import_id, []).append(RunTick(at, state))
    return found
