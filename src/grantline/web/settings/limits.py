"""What holds for every import without a value of its own: the guard's limits, and for how long the past is
kept.

In: a POST with the four values. Out: stored; or the page again with what is wrong, or with what a new
retention would take away, which is stored only after it was shown.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from grantline.control.imports.retention import Effect
from grantline.control.organizations import settings
from grantline.control.organizations.models import Organization
from grantline.control.organizations.roles import Permission
from grantline.errors import InputInvalid
from grantline.web.forms import Form
from grantline.web.requests import PageRequest
from grantline.web.trail import crumbs

FIELDS = ("guard_percent", "guard_count", "guard_growth_percent", "retention_days")
_NAMES = {"guard_share": "guard_percent", "guard_growth_share": "guard_growth_percent"}


@require_http_methods(["GET", "POST"])
def show(request: PageRequest) -> HttpResponse:
    """The page, and storing what was typed."""
    organization = settings.read(request.scope)
    form, lost = Form(_typed_of(organization)), list[Effect]()
    if request.method == "POST":
        request.scope.require(Permission.MEMBER_WRITE)
        form = Form.typed(request.POST, FIELDS)
        try:
            values = _values(form)
            lost = _lost(request, organization, values)
            if not lost:
                settings.change(request.scope, values)
                messages.success(request, "Saved.")
                return redirect("limits")
        except InputInvalid as error:
            names = {_NAMES.get(name, name): message for name, message in error.fields.items()}
            form.refuse(InputInvalid(error.message, fields=names, remedy=error.remedy) if names else error)
    context = {
        "page_title": "Guard and retention",
        "breadcrumbs": crumbs(("Settings", "settings"), here="Guard and retention"),
        "form": form,
        "lost": lost,
        "lost_versions": sum(one.version_count for one in lost),
        "lost_rows": sum(one.rows for one in lost),
        "lost_bytes": sum(one.size_bytes for one in lost),
        "may_change": request.scope.may(Permission.MEMBER_WRITE),
    }
    return render(request, "settings/limits.html", context, status=form.status)


def _lost(request: PageRequest, organization: Organization, values: dict[str, Any]) -> list[Effect]:
    """What a new retention would take away, unless the person has seen it."""
    days = settings.valid_days(values["retention_days"])
    if days == organization.retention_days or request.POST.get("seen_days") == str(days or 0):
        return []
    return settings.retention_effects(request.scope, days)


def _typed_of(organization: Organization) -> dict[str, Any]:
    growth = organization.guard_growth_share
    return {
        "guard_percent": f"{organization.guard_share * 100:g}",
        "guard_count": organization.guard_count,
        "guard_growth_percent": "" if growth is None else f"{growth * 100:g}",
        "retention_days": organization.retention_days or "",
    }


def _values(form: Form) -> dict[str, Any]:
    """What was typed as values of `settings.change`. Raises: `InputInvalid` per field that is no number."""
    wrong: dict[str, str] = {}
    values: dict[str, Any] = {}
    for name, field in (("guard_share", "guard_percent"), ("guard_growth_share", "guard_growth_percent")):
        text = form.values[field].strip()
        try:
            values[name] = float(text) / 100 if text else None
        except ValueError:
            wrong[field] = "This must be a number of percent, like 20."
    for field in ("guard_count", "retention_days"):
        text = form.values[field].replace(",", "").strip()
        if text and not (text.isascii() and text.isdigit() and len(text) < 10):
            wrong[field] = "This must be a whole number."
        else:
            values[field] = int(text) if text else None
    if wrong:
        raise InputInvalid(next(iter(wrong.values())), fields=wrong)
    return values
