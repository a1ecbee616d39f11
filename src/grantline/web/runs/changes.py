"""Each change that a held run would make, page by page and as CSV, and who is affected.

In: a run's id; from the query a kind, an operation, a cursor. Out: the list for a held run, whose changes
stand in no history yet; a published run's are on its application's page, and lead there.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from grantline.control.applications.rules import may
from grantline.control.audit.rules import Action, record
from grantline.control.organizations.roles import Permission
from grantline.control.runs import changes, rules
from grantline.control.runs.models import Run, RunState
from grantline.errors import GrantlineError
from grantline.web.applications.change_list import (
    DOWNLOAD_PAGE_ROWS,
    HEADS,
    PAGE_ROWS,
    choice_context,
    download_cells,
    kind_of,
    list_context,
    op_of,
)
from grantline.web.applications.trail import crumb, to_import
from grantline.web.downloads import csv_response
from grantline.web.requests import PageRequest
from grantline.web.runs.row import RunRow

SHOWN_AFFECTED = 20


@require_GET
def index(request: PageRequest, run_id: str) -> HttpResponse:
    """Every change of a held run, page by page."""
    run = rules.read(request.scope, run_id)
    if run.state == RunState.PUBLISHED:
        return redirect(RunRow(run).changes_href)
    rows = changes.changes(
        request.scope,
        run,
        kind=kind_of(request),
        op=op_of(request),
        limit=PAGE_ROWS,
        cursor=request.GET.get("cursor", ""),
    )
    context = {
        **choice_context(request),
        **list_context(request, rows),
        "run": run,
        "row": RunRow(run),
        "application": run.of_import.application,
        "breadcrumbs": [
            *to_import(run.of_import),
            crumb(f"Run {run.number:,}", reverse("run", args=[run.pk])),
            crumb("Changes"),
        ],
    }
    return render(request, "runs/changes.html", context)


@require_GET
def download(request: PageRequest, run_id: str) -> StreamingHttpResponse:
    """Every change of a held or published run as CSV."""
    request.scope.require(Permission.CATALOG_EXPORT)
    run = rules.read(request.scope, run_id)
    changes.changes(request.scope, run, limit=1)  # what cannot be answered is said before the first byte
    exported = {"what": "changes", "format": "csv", "run": run.pk}
    record(request.scope, Action.CATALOG_EXPORT, run, name=run.of_import.title, after=exported)
    return csv_response(f"changes-run-{run.number}-{run.pk}", HEADS, _download_rows(request, run))


def effects(request: PageRequest, run: Run) -> dict[str, Any]:
    """Who loses something by a run, and which keys it likely renames; empty where its files are gone."""
    if not changes.has_changes(run):
        return {}
    try:
        found: dict[str, Any] = {"renames": changes.renames(request.scope, run)}
        if run.state == RunState.HELD:
            rows, total = changes.affected(request.scope, run, limit=SHOWN_AFFECTED)
            found |= {"affected": rows.items, "affected_count": total}
    except GrantlineError:
        return {}
    return {**found, "may_rename": may(request.scope, run.of_import.application, Permission.IMPORT_WRITE)}


def _download_rows(request: PageRequest, run: Run) -> Iterator[tuple[Any, ...]]:
    kind, op = kind_of(request), op_of(request)
    page_at = partial(changes.changes, request.scope, run, kind=kind, op=op, limit=DOWNLOAD_PAGE_ROWS)
    return download_cells(lambda cursor: page_at(cursor=cursor))
