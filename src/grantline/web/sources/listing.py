"""The list of data sources, drafts among them, and making one.

In: a request with its scope. Out: a card per data source; a new one gets its External ID at once and opens
in the wizard. Leaves the rules to `control.sources`.
"""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from grantline.control.organizations.roles import Permission
from grantline.control.sources import rules
from grantline.control.tenancy import Scope
from grantline.errors import InputInvalid
from grantline.web.forms import Form
from grantline.web.requests import PageRequest
from grantline.web.sources.states import SourceCard
from grantline.web.trail import crumbs


@require_http_methods(["GET", "POST"])
def index(request: PageRequest) -> HttpResponse:
    """The cards; POST makes a data source and opens its first step."""
    scope, form = request.scope, Form({"name": ""})
    if request.method == "POST":
        form = Form.typed(request.POST, ["name"])
        try:
            source = rules.create(scope, form.values["name"])
        except InputInvalid as error:
            form.refuse(error)
        else:
            return redirect("source_setup_step", source.pk, "external-id")
    context = {
        "page_title": "Data sources",
        "breadcrumbs": crumbs(here="Integrations"),
        "cards": [SourceCard(source) for source in rules.list_sources(scope)],
        "form": form,
        "may_write": scope.may(Permission.SOURCE_WRITE),
        "suggested_name": suggested_name(scope),
    }
    return render(request, "sources/index.html", context, status=form.status)


def suggested_name(scope: Scope) -> str:
    """A name that is still free: "S3 exports", "S3 exports 2", …"""
    taken = {source.name for source in rules.list_sources(scope)}
    number = 1
    while (name := "S3 exports" if number == 1 else f"S3 exports {number}") in taken:
        number += 1
    return name
