"""Keys of an application that were declared the same: the list, declaring by hand, withdrawing.

In: in a POST the kind, both keys as people call them, the reason; from where a likely rename is pointed out,
the run that showed it and the keys themselves. Out: the page, or back to that run.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from grantline.catalog.lookups import entitlement_parts
from grantline.catalog.lookups.known import words_of
from grantline.control.applications import aliases
from grantline.control.applications.known_keys import meant_key
from grantline.control.applications.models import Application, KeyAlias
from grantline.control.applications.rules import may, read, require
from grantline.control.organizations.roles import Permission
from grantline.errors import Conflict, InputInvalid
from grantline.web.applications.head import head_context
from grantline.web.applications.history import entitlement_name
from grantline.web.applications.trail import crumb, to_application
from grantline.web.forms import Form
from grantline.web.requests import PageRequest

PAGE_ROWS = 50
KINDS = [("account", "Account"), ("entitlement", "Entitlement")]
DECLARED = "Declared. Its history goes on under the new key, and the next run reads the file with it."


@require_http_methods(["GET", "POST"])
def index(request: PageRequest, application_id: str) -> HttpResponse:
    """The page; a POST declares two keys the same."""
    application = read(request.scope, application_id)
    if request.method != "POST":
        empty = {"kind": "account", "old": "", "new": "", "reason": "", "not_yet": False}
        return _page(request, application, Form(empty))
    require(request.scope, application, Permission.IMPORT_WRITE)
    if run_id := request.POST.get("run", ""):
        return _declare_shown(request, application, run_id)
    form = Form.typed(request.POST, ["kind", "old", "new", "reason"], ["not_yet"])
    try:
        _declare_typed(request, application, form)
    except (InputInvalid, Conflict) as error:
        form.refuse(error)
        return _page(request, application, form)
    messages.success(request, DECLARED)
    return redirect("application_aliases", application_id)


@require_POST
def withdraw(request: PageRequest, application_id: str, alias_id: str) -> HttpResponse:
    """Take a declaration back."""
    aliases.withdraw(request.scope, application_id, alias_id)
    messages.success(request, "Withdrawn. From the next run on both keys stand for themselves again.")
    return redirect("application_aliases", application_id)


def _declare_typed(request: PageRequest, application: Application, form: Form) -> None:
    """What somebody typed: both keys are looked up. Raises: `InputInvalid`, `Conflict`."""
    scope, values = request.scope, form.values
    kind = values["kind"]
    if kind not in aliases.KINDS:
        raise InputInvalid("Choose account or entitlement.", field="kind")
    old = meant_key(scope, application, kind, values["old"], "old")
    new = meant_key(scope, application, kind, values["new"], "new", may_be_new=values["not_yet"])
    aliases.declare(scope, application.pk, kind, old, new, values["reason"])


def _declare_shown(request: PageRequest, application: Application, run_id: str) -> HttpResponse:
    """A likely rename that a run points out: its keys are known."""
    kind, old, new, reason = (request.POST.get(name, "") for name in ("kind", "old", "new", "reason"))
    try:
        aliases.declare(request.scope, application.pk, kind, old, new, reason)
    except (InputInvalid, Conflict) as error:
        messages.error(request, f"{error.message} {error.remedy}")
    else:
        messages.success(request, DECLARED)
    return redirect("run", run_id)


def _page(request: PageRequest, application: Application, form: Form) -> HttpResponse:
    page = Paginator(aliases.list_aliases(request.scope, application), PAGE_ROWS).get_page(request.GET.get("page"))
    changes = reverse("application_changes", args=[application.pk])
    context: dict[str, Any] = {
        **head_context(request, application, "changes"),
        "page": page,
        "rows": [_row(alias) for alias in page.object_list],
        "may_declare": may(request.scope, application, Permission.IMPORT_WRITE),
        "kinds": KINDS,
        "form": form,
        "breadcrumbs": [*to_application(application), crumb("Changes", changes), crumb("Same names")],
    }
    return render(request, "applications/aliases.html", context, status=form.status)


def _row(alias: KeyAlias) -> dict[str, Any]:
    old, new = (_words(alias.kind, key) for key in (alias.old, alias.new))
    return {"alias": alias, "old": old, "new": new, "dialog": f"withdraw-{alias.pk}"}


def _words(kind: str, key: str) -> dict[str, str]:
    """What a key is called, and below it the whole of an entitlement's identity."""
    if kind == "account":
        return {"name": key, "whole": ""}
    parts = entitlement_parts(key)
    named = dict(zip(("resource_type", "resource", "entitlement"), parts, strict=True))
    return {"name": entitlement_name(named), "whole": words_of(parts)}
