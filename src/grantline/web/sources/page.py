"""One data source: what it is, its checks, its files, what uses it; changing and deleting it."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from grantline.control.imports.rules import list_imports
from grantline.control.imports.states import import_state, state_sentence, with_active_states
from grantline.control.organizations.roles import Permission
from grantline.control.sources import rules
from grantline.control.sources.models import ConnectionCheck, DataSource
from grantline.control.tenancy import scoped
from grantline.errors import Conflict, InputInvalid
from grantline.jobs.requests import start_check
from grantline.web.forms import Form
from grantline.web.requests import PageRequest
from grantline.web.sources.checking import panel_context
from grantline.web.sources.policies import policy_view
from grantline.web.sources.states import SourceCard, place
from grantline.web.sources.states import state_sentence as source_sentence
from grantline.web.trail import crumbs

TEXTS: Final = ("name", "role_arn", "bucket", "prefix", "region", "bucket_owner", "kms_key_arn")
SWITCHES: Final = ("versioned",)
CHECKS_SHOWN: Final = 40


@require_GET
def show(request: PageRequest, source_id: str) -> HttpResponse:
    """The data source's page."""
    source = rules.read(request.scope, source_id)
    return render(request, "sources/show.html", page_context(request, source))


def page_context(request: PageRequest, source: DataSource) -> dict[str, Any]:
    """What the page of one data source needs."""
    policies = policy_view(source, request.GET.get("form", ""))
    now = timezone.now()
    used_by = with_active_states(list_imports(request.scope).filter(data_source=source))
    return {
        **panel_context(request, source),
        "page_title": source.name,
        "breadcrumbs": crumbs(("Data sources", "sources"), here=source.name),
        "sentence": source_sentence(source),
        "is_draft": SourceCard(source).is_draft,
        "place": place(source),
        "can_browse": source.verified_at is not None and bool(source.bucket),
        "imports": [
            {"item": item, "state": (state := import_state(item, now)), "sentence": state_sentence(item, state, now)}
            for item in used_by
        ],
        "history": list(reversed(_ended_checks(request, source)[:CHECKS_SHOWN])),
        "policies": policies,
        "policy_tabs": policies.tabs(reverse("source", args=[source.pk])),
        "may_import": request.scope.may(Permission.IMPORT_WRITE),
        "delete_form": Form({"confirm": ""}),
    }


@require_http_methods(["GET", "POST"])
def edit(request: PageRequest, source_id: str) -> HttpResponse:
    """The form with everything that can be changed; new connection values are checked at once."""
    request.scope.require(Permission.SOURCE_WRITE)
    source = rules.read(request.scope, source_id)
    form = Form.of(source, [*TEXTS, *SWITCHES])
    if request.method == "POST":
        form = Form.typed(request.POST, TEXTS, SWITCHES)
        try:
            changed = rules.change(request.scope, source.pk, form.values)
        except InputInvalid as error:
            form.refuse(error)
        else:
            return _changed(request, changed)
    context = {
        "page_title": f"Change {source.name}",
        "breadcrumbs": crumbs(("Data sources", "sources"), (source.name, "source", source.pk), here="Change"),
        "source": source,
        "form": form,
    }
    return render(request, "sources/edit.html", context, status=form.status)


def _changed(request: PageRequest, source: DataSource) -> HttpResponse:
    if source.verified_at is None and source.role_arn and source.bucket:
        start_check(request.scope, source.pk)
        messages.success(request, "The changes are stored, and the connection is being checked.")
    else:
        messages.success(request, "The changes are stored.")
    return redirect("source", source.pk)


@require_POST
def delete(request: PageRequest, source_id: str) -> HttpResponse:
    """Delete the data source, once its name was typed."""
    source = rules.read(request.scope, source_id)
    if request.POST.get("confirm", "").strip() != source.name:
        messages.error(request, f"The data source was not deleted: type its name, {source.name}, to confirm.")
        return redirect("source", source.pk)
    try:
        rules.delete(request.scope, source.pk)
    except Conflict as error:
        messages.error(request, f"{error.message} {error.remedy}")
        return redirect("source", source.pk)
    messages.success(request, f"The data source {source.name} was deleted. Its External ID is never issued again.")
    return redirect("sources")


def _ended_checks(request: PageRequest, source: DataSource) -> QuerySet[ConnectionCheck]:
    rows = scoped(ConnectionCheck, request.scope).filter(data_source=source, finished_at__isnull=False)
    return rows.order_by("-started_at")
