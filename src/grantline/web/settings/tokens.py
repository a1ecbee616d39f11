"""API tokens: making one, showing it this once, revoking it.

The token's text is in the answer to the form that made it and nowhere else: not in the session, not in
an address. Loading the page again shows the list without it.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from grantline.control.organizations.roles import Permission, Role, role_permissions
from grantline.control.tenancy import Scope
from grantline.control.tokens import rules
from grantline.control.tokens.models import ApiToken
from grantline.errors import InputInvalid
from grantline.web.forms import Form
from grantline.web.requests import PageRequest
from grantline.web.trail import crumbs


@sensitive_variables("text")
@require_http_methods(["GET", "POST"])
def index(request: PageRequest) -> HttpResponse:
    """The list of tokens; POST makes one and shows it."""
    scope, made, text = request.scope, None, ""
    form = Form({"name": "", "days": str(settings.GRANTLINE.token_days), "role": scope.role.value, "networks": ""})
    if request.method == "POST":
        form = Form.typed(request.POST, ["name", "days", "role", "networks"])
        try:
            made, text = rules.create(
                scope,
                form.values["name"],
                days=_days(form.values["days"]),
                role=_role(form.values["role"]),
                networks=form.values["networks"].replace(",", " ").split(),
            )
        except InputInvalid as error:
            form.refuse(error)
    context: dict[str, Any] = {
        "page_title": "API tokens",
        "breadcrumbs": crumbs(("Settings", "settings"), here="API tokens"),
        "rows": [_row(scope, token) for token in rules.list_tokens(scope)],
        "form": form,
        "roles": [(role.value, role.label) for role in Role if role_permissions(role) <= role_permissions(scope.role)],
        "made": made,
        "text": text,
        "sees_all": scope.may(Permission.MEMBER_WRITE),
    }
    return render(request, "settings/tokens.html", context, status=form.status)


@require_POST
def revoke(request: PageRequest, token_id: str) -> HttpResponse:
    """End a token at once."""
    token = rules.revoke(request.scope, token_id)
    messages.success(request, f"The token {token.name} was revoked. Whatever used it is refused from now on.")
    return redirect("tokens")


def _row(scope: Scope, token: ApiToken) -> dict[str, Any]:
    state = "active"
    if token.revoked_at is not None:
        state = "revoked"
    elif token.expires_at <= timezone.now():
        state = "expired"
    return {"token": token, "state": state, "role": Role(token.role).label, "own": token.user_id == scope.actor_id}


def _days(text: str) -> int:
    """Raises: `InputInvalid` unless it is a whole number."""
    digits = text.strip()
    if not digits.isascii() or not digits.isdigit() or len(digits) > 6:
        raise InputInvalid("The number of days must be a whole number.", field="days")
    return int(digits)


def _role(text: str) -> Role | None:
    """Raises: `InputInvalid` for a role that does not exist."""
    if not text:
        return None
    try:
        return Role(text)
    except ValueError as error:
        raise InputInvalid("There is no such role.", field="role") from error
