"""An import's settings: how often it looks, what the guard allows, what is normal, and its end."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from grantline.control.imports import rules
from grantline.errors import InputInvalid
from grantline.web.imports.item import page_context
from grantline.web.imports.settings_form import values_of
from grantline.web.requests import PageRequest


@require_POST
def change(request: PageRequest, import_id: str) -> HttpResponse:
    """Store the settings, or show the page again with what is wrong in them."""
    item = rules.read(request.scope, import_id)
    try:
        rules.change(request.scope, import_id, values_of(request.POST.dict()))
    except InputInvalid as error:
        context = page_context(request, item, errors=error.fields, values=request.POST.dict())
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
