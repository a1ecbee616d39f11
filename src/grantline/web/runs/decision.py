"""Deciding about a held run: approve with a reason, or discard.

In: a POST of somebody who may decide. Out: back to the run, or the page again with what is missing.
"""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from grantline.control.runs import rules
from grantline.errors import InputInvalid
from grantline.jobs import requests as jobs
from grantline.web.requests import PageRequest
from grantline.web.runs.run import run_context


@require_POST
def approve(request: PageRequest, run_id: str) -> HttpResponse:
    """Publish what the run proposes."""
    reason = request.POST.get("reason", "").strip()
    try:
        if not reason:
            raise InputInvalid("Say why this is right; the reason is kept with the run.", field="reason")
        jobs.approve(request.scope, run_id, reason)
    except InputInvalid as error:
        run = rules.read(request.scope, run_id)
        decision = {"reason": reason, "error": error.message}
        return render(request, "runs/show.html", run_context(request, run, decision=decision), status=422)
    messages.success(request, "Approved. The new version is published.")
    return redirect("run", run_id)


@require_POST
def discard(request: PageRequest, run_id: str) -> HttpResponse:
    """Drop what the run proposes."""
    rules.discard(request.scope, run_id, request.POST.get("reason", ""))
    messages.success(request, "Discarded. Nothing was changed.")
    return redirect("run", run_id)
