"""The page that sets up an organization's single sign-on.

In: what the provider's own console shows. Out: stored settings, after the provider's description was read
once from the issuer's address, so that a wrong one is found here and not by the first person who signs in.
"""

from __future__ import annotations

from typing import Any, Final

import requests
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from grantline.control.organizations.roles import Permission, Role
from grantline.control.single_sign_on import rules
from grantline.control.single_sign_on.models import SingleSignOn
from grantline.control.single_sign_on.reach import discover
from grantline.errors import InputInvalid
from grantline.web.forms import Form
from grantline.web.requests import MemberRequest
from grantline.web.trail import crumbs

TEXTS: Final = ("issuer_url", "client_id", "client_secret", "email_domains", "role_claim", "role_map", "default_role")


@sensitive_post_parameters("client_secret")
@require_http_methods(["GET", "POST"])
def index(request: MemberRequest) -> HttpResponse:
    """The settings; POST checks and stores them."""
    request.scope.require(Permission.SIGN_IN_WRITE)
    row = rules.read(request.scope)
    form = Form(_values(row))
    if request.method == "POST":
        form = Form.typed(request.POST, TEXTS)
        try:
            row = _save(request, form)
        except InputInvalid as error:
            form.refuse(error)
        else:
            messages.success(request, "Single sign-on is stored. Try it in a private window before you rely on it.")
            return redirect("sign_on")
    context: dict[str, Any] = {
        "page_title": "Single sign-on",
        "breadcrumbs": crumbs(("Settings", "settings"), here="Single sign-on"),
        "form": form,
        "row": row,
        "roles": [("", "None: they are not let in"), *((role.value, role.label) for role in Role)],
        "role_words": ", ".join(Role),
    }
    if row is not None:
        context["callback"] = request.build_absolute_uri(reverse("openid_connect_callback", args=[row.pk]))
        context["start"] = request.build_absolute_uri(reverse("sign_on_start", args=[row.pk]))
    return render(request, "settings/sign_on.html", context, status=form.status)


@require_POST
def delete(request: MemberRequest) -> HttpResponse:
    """Forget the settings."""
    rules.delete(request.scope)
    messages.success(request, "Single sign-on was removed. Members sign in with their passwords.")
    return redirect("sign_on")


def _save(request: MemberRequest, form: Form) -> SingleSignOn:
    """Raises: `InputInvalid` naming the field."""
    values = {
        **form.values,
        "email_domains": form.values["email_domains"].replace(",", " ").split(),
        "role_map": _parsed_map(form.values["role_map"]),
    }
    checked = rules.valid(values)
    try:
        discover(checked["issuer_url"])
    except (requests.RequestException, ValueError) as error:
        raise InputInvalid(
            "The provider's description could not be read from this issuer.",
            field="issuer_url",
            remedy="It must be answered at the issuer's address with /.well-known/openid-configuration, "
            "name the same issuer, and be reachable from the internet.",
        ) from error
    return rules.save(request.scope, values)


def _parsed_map(text: str) -> dict[str, str]:
    """Lines such as `grantline-admins = super_administrator`. Raises: `InputInvalid`."""
    found = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        value, sign, role = line.rpartition("=")
        if not sign or not value.strip():
            raise InputInvalid(f"{line[:80]!r} has no value and role: write value = role.", field="role_map")
        found[value.strip()] = role.strip()
    return found


def _values(row: SingleSignOn | None) -> dict[str, str]:
    if row is None:
        return dict.fromkeys(TEXTS, "") | {"role_claim": "groups", "default_role": Role.AUDITOR.value}
    return {
        "issuer_url": row.issuer_url,
        "client_id": row.client_id,
        "client_secret": "",
        "email_domains": ", ".join(row.email_domains),
        "role_claim": row.role_claim,
        "role_map": "\n".join(f"{value} = {role}" for value, role in row.role_map.items()),
        "default_role": row.default_role,
    }
