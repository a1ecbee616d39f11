"""The page of one import: its state in a sentence, its runs, its mapping, and the buttons that move it.

In: an import's id. Out: the page, and the part of it that asks for itself every two seconds while a run
is under way. Buttons are POSTs that lead back to the page or to the run they started.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from grantline.control.applications.rules import may
from grantline.control.imports import rules
from grantline.control.imports.limits import limits_of
from grantline.control.imports.models import Import
from grantline.control.imports.states import ImportState
from grantline.control.organizations.roles import Permission
from grantline.control.runs.models import RunState
from grantline.control.runs.rules import list_runs
from grantline.errors import GrantlineError, answer
from grantline.jobs import requests as jobs
from grantline.jobs.rollback import standing_rollback
from grantline.jobs.uploads import take_upload
from grantline.web.applications.trail import to_import
from grantline.web.imports import words
from grantline.web.imports.listing import import_row
from grantline.web.imports.settings_form import inherited_words, settings_values
from grantline.web.imports.start import sent_file
from grantline.web.requests import PageRequest
from grantline.web.runs.row import RunRow

SHOWN_RUNS = 20
CHARTED_RUNS = 48


@require_GET
def show(request: PageRequest, import_id: str) -> HttpResponse:
    """The page of an import."""
    item = rules.read(request.scope, import_id)
    return render(request, "imports/show.html", page_context(request, item))


@require_GET
def progress(request: PageRequest, import_id: str) -> HttpResponse:
    """State and runs, which change while a run is under way."""
    item = rules.read(request.scope, import_id)
    return render(request, "imports/_state.html", page_context(request, item))


@require_POST
def sync(request: PageRequest, import_id: str) -> HttpResponse:
    """Look now; leads to the run."""
    run = jobs.sync(request.scope, import_id)
    return redirect("run", run.pk)


@require_POST
def pause(request: PageRequest, import_id: str) -> HttpResponse:
    """Stop looking."""
    rules.pause(request.scope, import_id)
    messages.success(request, "Paused. What is known stays; it does not look until it is resumed.")
    return redirect("import", import_id)


@require_POST
def resume(request: PageRequest, import_id: str) -> HttpResponse:
    """Look again."""
    item = rules.resume(request.scope, import_id)
    following = f" It looks next at {item.next_run_at:%H:%M} UTC." if item.next_run_at else ""
    messages.success(request, f"Resumed.{following}")
    return redirect("import", import_id)


@require_POST
def upload(request: PageRequest, import_id: str) -> HttpResponse:
    """A new file by hand; leads to its run."""
    item = rules.read(request.scope, import_id)
    try:
        _, run = take_upload(request.scope, item.application_id, *sent_file(request), import_id=item.pk)
    except GrantlineError as error:
        context = {**page_context(request, item), "upload_error": f"{error.message} {error.remedy}"}
        return render(request, "imports/show.html", context, status=answer(error).status)
    return redirect("run", run.pk)


def page_context(request: PageRequest, item: Import, **more: Any) -> dict[str, Any]:
    """What the page and its part show."""
    scope, application = request.scope, item.application
    runs = [RunRow(run) for run in list_runs(scope, item)[:CHARTED_RUNS]]
    row = import_row(item, timezone.now())
    last_read = next((run.run for run in runs if run.run.mapping), None)
    mapping = item.mapping or (last_read.mapping if last_read else None)
    held = next((run for run in runs if run.run.state == RunState.HELD), None)
    failed = runs[0] if runs and row.state is ImportState.FAILING and runs[0].run.state == RunState.FAILED else None
    return {
        "item": item,
        "application": application,
        "row": row,
        "runs": runs[:SHOWN_RUNS],
        "run_total": list_runs(scope, item).count(),
        "points": [run.point() for run in reversed(runs)],
        "held": held,
        "failed": failed,
        "rollback": standing_rollback(item),
        "is_running": row.state is ImportState.RUNNING,
        "columns": words.column_words(mapping),
        "other": words.other_words(mapping),
        "is_proposed": not item.mapping,
        "may_run": may(scope, application, Permission.IMPORT_RUN),
        "may_write": may(scope, application, Permission.IMPORT_WRITE),
        "values": settings_values(item),
        "inherited": inherited_words(item),
        "limits": limits_of(item),
        "errors": {},
        "lost": None,
        "intervals": words.interval_options(item.interval_seconds),
        "stale_options": words.stale_options(item.stale_after_seconds),
        "upload_error": "",
        "breadcrumbs": to_import(item),
        **more,
    }
