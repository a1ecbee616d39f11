"""An application's settings: name, description, owner, and its end."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from grantline.control.applications import rules
from grantline.control.applications.rules import FIELDS
from grantline.errors import InputInvalid
from grantline.web.applications.head import head_context
from grantline.web.requests import PageRequest


@require_http_methods(["GET", "POST"])
def show(request: PageRequest, application_id: str) -> HttpResponse:
    """The form; a POST stores it."""
    application = rules.read(request.scope, application_id)
    values = {
        "name": application.name,
        "description": application.description,
        "owner_email": application.owner.email if application.owner else "",
    }
    errors: dict[str, str] = {}
    if request.method == "POST":
        values = {name: request.POST.get(name, "") for name in FIELDS}
        try:
            rules.change(request.scope, application_id, values)
        except InputInvalid as error:
            errors = error.fields
        else:
            messages.success(request, "Saved.")
            return redirect("application_settings", application_id)
    context = head_context(request, application, "settings")
    return render(
        request,
        "applications/settings.html",
        {**context, "values": values, "errors": errors},
        status=422 if errors else 200,
    )


@require_POST
def delete(request: PageRequest, application_id: str) -> HttpResponse:
    """Remove the application; refused while it has imports."""
    application = rules.read(request.scope, application_id)
    rules.delete(request.scope, application_id)
    messages.success(request, f"The application {application.name} was deleted.")
    return redirect("applications")
