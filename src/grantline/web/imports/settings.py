"""An import's settings: how often it looks, what the guard allows, what is normal, and its end."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from grantline.control.applications.rules import require
from grantline.control.imports import rules
from grantline.control.imports.models import Import
from grantline.control.imports.retention import Effect, effect
from grantline.control.organizations.roles import Permission
from grantline.errors import InputInvalid
from grantline.web.imports.item import page_context
from grantline.web.imports.settings_form import values_of
from grantline.web.requests import PageRequest


@require_POST
def change(request: PageRequest, import_id: str) -> HttpResponse:
    """Store the settings, or show the page again with what is wrong in them."""
    item = rules.read(request.scope, import_id)
    require(request.scope, item.application, Permission.IMPORT_WRITE)
    typed = request.POST.dict()
    try:
        values = values_of(typed)
        lost = _lost(request, item, values)
        if lost is not None:
            context = page_context(request, item, values=typed, lost=lost, lost_days=_days(item, values))
            return render(request, "imports/show.html", context)
        rules.change(request.scope, import_id, values)
    except InputInvalid as error:
        context = page_context(request, item, errors=error.fields, values=typed)
        return render(request, "imports/show.html", context, status=422)
    messages.success(request, "Saved.")
    return redirect("import", import_id)


@require_POST
def delete(request: PageRequest, import_id: str) -> HttpResponse:
    """Remove the import with its runs and history."""
    item = rules.read(request.scope, import_id)
    rules.delete(request.scope, import_id)
    messages.success(request, f"The import {item.title} and its history were deleted.")
    return redirect("application_imports", item.application_id)


def _lost(request: PageRequest, item: Import, values: dict[str, Any]) -> Effect | None:
    """What a new retention would take away, to be shown before it is stored; None where it takes nothing
    away, or the person has seen it."""
    if "retention_days" not in values or values["retention_days"] == item.retention_days:
        return None
    days = _days(item, values)
    if request.POST.get("seen_days") == str(days):
        return None
    found = effect(item, days)
    return found if found.version_count else None


def _days(item: Import, values: dict[str, Any]) -> int:
    """For how many days the past would be kept: the import's own number, or the inherited one; 0: for good."""
    days = values["retention_days"]
    return (item.organization.retention_days if days is None else days) or 0
