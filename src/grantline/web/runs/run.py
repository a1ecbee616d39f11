"""The page of one run, and the part of it that updates while the run is under way.

In: a run's id. Out: stages, verdict, evidence, counts, changes, issues. The part asks for itself every
second until the run is over; it then holds no trigger any more, so that asking ends by itself.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from grantline.control.applications.rules import may
from grantline.control.organizations.roles import Permission
from grantline.control.runs import rules
from grantline.control.runs.models import Run, RunState
from grantline.web import words
from grantline.web.applications.trail import crumb, to_import
from grantline.web.requests import PageRequest
from grantline.web.runs.changes import effects
from grantline.web.runs.evidence import evidence_pairs, format_pairs
from grantline.web.runs.issues import issue_groups, issue_page
from grantline.web.runs.proposal import going
from grantline.web.runs.row import RunRow
from grantline.web.runs.verdict import KINDS


@require_GET
def show(request: PageRequest, run_id: str) -> HttpResponse:
    """The page of a run."""
    run = rules.read(request.scope, run_id)
    return render(request, "runs/show.html", run_context(request, run))


@require_GET
def progress(request: PageRequest, run_id: str) -> HttpResponse:
    """The part that changes while the run is under way."""
    run = rules.read(request.scope, run_id)
    return render(request, "runs/_run.html", run_context(request, run, is_part=True))


def run_context(request: PageRequest, run: Run, **more: Any) -> dict[str, Any]:
    """What the page and its part show."""
    application = run.of_import.application
    held = run.state == RunState.HELD
    return {
        "run": run,
        "row": RunRow(run),
        "item": run.of_import,
        "application": application,
        "counts": _counts(run),
        "changes": _changes(run),
        "going": going(run),
        **effects(request, run),
        "evidence": evidence_pairs(run),
        "format": format_pairs(run.format),
        "groups": issue_groups(run),
        "issues": issue_page(request, run),
        "may_decide": held and may(request.scope, application, Permission.RUN_DECIDE),
        "may_run": may(request.scope, application, Permission.IMPORT_RUN),
        "breadcrumbs": [*to_import(run.of_import), crumb(f"Run {run.number:,}")],
        "decision": {"reason": "", "error": ""},
        **more,
    }


def _counts(run: Run) -> list[tuple[str, str]]:
    known = run.counts or {}
    names = ("rows_read", "rows_rejected", "accounts", "resources", "entitlements", "grants")
    return [(name.replace("_", " ").capitalize(), words.thousands(known[name])) for name in names if name in known]


def _changes(run: Run) -> list[dict[str, Any]]:
    """One row per kind with its three numbers; none where the run compared nothing."""
    if not run.changes:
        return []
    return [{"kind": kind.capitalize(), **(run.changes.get(kind) or {})} for kind in KINDS]
