"""All runs of the organization, newest first, filtered by state.

In: `state` and `after` (the id of the last run seen). Out: a page of 50 runs with the address of the
next. Runs of an hour-long history are many, so pages go by the last row seen, never by number.
"""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from grantline.control.runs import rules
from grantline.control.runs.models import Run, RunState
from grantline.control.tenancy import Scope, scoped
from grantline.web.applications.trail import crumb
from grantline.web.paging import address_with
from grantline.web.requests import PageRequest
from grantline.web.runs.row import RunRow

PAGE_ROWS = 50


@require_GET
def index(request: PageRequest) -> HttpResponse:
    """The page of runs."""
    state = request.GET.get("state", "")
    rows = rules.list_runs(request.scope)
    if state in {known.value for known in RunState}:
        rows = rows.filter(state=state)
    else:
        state = ""
    found = list(_after(request.scope, rows, request.GET.get("after", ""))[: PAGE_ROWS + 1])
    more = len(found) > PAGE_ROWS
    context = {
        "breadcrumbs": [crumb("Runs")],
        "rows": [RunRow(run) for run in found[:PAGE_ROWS]],
        "state": state,
        "states": [(known.value, known.value.capitalize()) for known in RunState],
        "is_first_page": not request.GET.get("after"),
        "first_href": address_with(request.GET, after=None),
        "next_href": address_with(request.GET, after=found[PAGE_ROWS - 1].pk) if more else "",
    }
    return render(request, "runs/index.html", context)


def _after(scope: Scope, rows: QuerySet[Run], run_id: str) -> QuerySet[Run]:
    """The runs that come after the one with `run_id`; all where there is no such run."""
    last = scoped(Run, scope).filter(pk=run_id[:64].replace("\x00", "")).first() if run_id else None
    if last is None:
        return rows
    older = Q(queued_at__lt=last.queued_at) | Q(queued_at=last.queued_at, pk__lt=last.pk)
    return rows.filter(older)
