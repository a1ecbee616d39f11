"""Settings: where they are, what each role may do, one's own profile."""

from __future__ import annotations

from collections.abc import Iterator

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from grantline.control.organizations.members import change_name
from grantline.control.organizations.roles import PERMISSION_WORDS, Permission, Role, reach
from grantline.errors import InputInvalid
from grantline.web.forms import Form
from grantline.web.requests import MemberRequest, PageRequest
from grantline.web.trail import crumbs


@require_GET
def index(request: PageRequest) -> HttpResponse:
    """Where the settings are."""
    context = {
        "page_title": "Settings",
        "may_see_members": request.scope.may(Permission.MEMBER_READ),
        "may_set_up_sign_in": request.scope.may(Permission.SIGN_IN_WRITE),
    }
    return render(request, "settings/index.html", context)


@require_GET
def roles(request: PageRequest) -> HttpResponse:
    """What each role may do."""
    request.scope.require(Permission.MEMBER_READ)
    context = {
        "page_title": "Roles",
        "breadcrumbs": crumbs(("Settings", "settings"), here="Roles"),
        "roles": [{"value": role.value, "label": role.label} for role in Role],
        "matrix": list(matrix()),
    }
    return render(request, "settings/roles.html", context)


@require_http_methods(["GET", "POST"])
def profile(request: MemberRequest) -> HttpResponse:
    """Who is signed in, as what; POST changes one's own name."""
    form = Form({"name": request.user.name})
    if request.method == "POST":
        form = Form.typed(request.POST, ["name"])
        try:
            change_name(request.scope, request.user, form.values["name"])
        except InputInvalid as error:
            form.refuse(error)
        else:
            messages.success(request, "Your name was changed.")
            return redirect("profile")
    context = {
        "page_title": "Your profile",
        "breadcrumbs": crumbs(("Settings", "settings"), here="Your profile"),
        "form": form,
    }
    return render(request, "settings/profile.html", context, status=form.status)


def matrix() -> Iterator[dict[str, object]]:
    """One line a permission, grouped: what it allows in words, and for each role `yes`, `own` or `no`."""
    before = ""
    for permission, (group, words) in PERMISSION_WORDS.items():
        yield {
            "group": group if group != before else "",
            "words": words,
            "code": permission.value,
            "cells": [(role.label, reach(role, permission)) for role in Role],
        }
        before = group
