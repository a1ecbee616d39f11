"""The versions of an import that can come back, and bringing one back.

In: an import's id; in a POST a version's number and a reason. Out: the list; after a POST the run that
brings the version back, or the page again with what is missing.
"""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from grantline.control.applications.rules import may
from grantline.control.imports import rules
from grantline.control.imports.models import Import
from grantline.control.organizations.roles import Permission
from grantline.control.runs.rules import list_versions
from grantline.errors import Conflict, InputInvalid
from grantline.jobs import requests as jobs
from grantline.web.applications.trail import crumb, to_import
from grantline.web.requests import PageRequest
from grantline.web.runs.verdict import change_phrases

PAGE_ROWS = 50


@require_GET
def index(request: PageRequest, import_id: str) -> HttpResponse:
    """The kept versions, newest first."""
    return render(request, "imports/versions.html", _context(request, rules.read(request.scope, import_id)))


@require_POST
def rollback(request: PageRequest, import_id: str) -> HttpResponse:
    """Bring a version back; leads to its run."""
    item = rules.read(request.scope, import_id)
    number, reason = request.POST.get("version", ""), request.POST.get("reason", "")
    try:
        if not (number.isascii() and number.isdigit() and len(number) < 10):
            raise InputInvalid("Choose the version that is to come back.", field="version")
        run = jobs.rollback(request.scope, item.pk, int(number), reason)
    except (InputInvalid, Conflict) as error:
        fields = error.fields if isinstance(error, InputInvalid) else {}
        typed = {"version": number, "reason": reason, "errors": fields, "error": f"{error.message} {error.remedy}"}
        return render(request, "imports/versions.html", {**_context(request, item), **typed}, status=422)
    return redirect("run", run.pk)


def _context(request: PageRequest, item: Import) -> dict[str, Any]:
    page = Paginator(list_versions(request.scope, item), PAGE_ROWS).get_page(request.GET.get("page"))
    current = item.current_version.number if item.current_version else 0
    return {
        "item": item,
        "application": item.application,
        "page": page,
        "versions": [
            {"version": version, "phrases": change_phrases(version.changes), "is_current": version.number == current}
            for version in page.object_list
        ],
        "may_choose": page.paginator.count > 1 and may(request.scope, item.application, Permission.RUN_DECIDE),
        "version": "",
        "reason": "",
        "errors": {},
        "error": "",
        "breadcrumbs": [*to_import(item), crumb("Versions")],
    }
