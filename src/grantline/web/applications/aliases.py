"""Declaring two keys of an application the same, from where a likely rename is pointed out.

In: a POST with the kind, both keys and the run that showed them. Out: back to that run.
"""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from grantline.control.applications import aliases
from grantline.errors import Conflict, InputInvalid
from grantline.web.requests import PageRequest


@require_POST
def declare(request: PageRequest, application_id: str) -> HttpResponse:
    """Declare them; says what follows from it."""
    posted = request.POST
    try:
        aliases.declare(
            request.scope,
            application_id,
            posted.get("kind", ""),
            posted.get("old", ""),
            posted.get("new", ""),
            posted.get("reason", ""),
        )
    except (InputInvalid, Conflict) as error:
        messages.error(request, f"{error.message} {error.remedy}")
    else:
        messages.success(
            request, "Declared. Its history goes on under the new key, and the next run reads the file with it."
        )
    run_id = posted.get("run", "")
    return redirect("run", run_id) if run_id else redirect("application_changes", application_id)
