"""The members' page: who may sign in, as what; adding, changing and removing them.

In: forms of a Super Administrator. Out: the changed list. A link to set a password stands in the answer to
the form that made it and nowhere else; Grantline sends no mail, so it is copied and passed on by hand.
"""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from grantline.control.organizations import members as rules
from grantline.control.organizations.models import Membership
from grantline.control.organizations.roles import Permission, Role
from grantline.errors import Conflict, InputInvalid
from grantline.web.forms import Form
from grantline.web.requests import MemberRequest
from grantline.web.session import second_step
from grantline.web.trail import crumbs


@require_http_methods(["GET", "POST"])
def index(request: MemberRequest) -> HttpResponse:
    """The members; POST adds one and shows the link with which they set their password."""
    form = Form({"email": "", "name": "", "role": Role.AUDITOR.value})
    if request.method == "POST":
        form = Form.typed(request.POST, ["email", "name", "role"])
        try:
            added = rules.add(request.scope, form.values["email"], _role(form), name=form.values["name"])
        except (InputInvalid, Conflict) as error:
            form.refuse(error)
        else:
            return _added(request, added)
    return _page(request, form)


@require_POST
def change_role(request: MemberRequest, member_id: str) -> HttpResponse:
    """Give a member another role."""
    try:
        membership = rules.change_role(request.scope, member_id, _role(Form.typed(request.POST, ["role"])))
    except (Conflict, InputInvalid) as error:
        messages.error(request, f"{error.message} {error.remedy}")
    else:
        messages.success(request, f"{membership.user.email} is now {Role(membership.role).label}.")
    return redirect("members")


@require_POST
def remove(request: MemberRequest, member_id: str) -> HttpResponse:
    """End a membership."""
    try:
        removed = rules.remove(request.scope, member_id)
    except Conflict as error:
        messages.error(request, f"{error.message} {error.remedy}")
    else:
        messages.success(request, f"{removed.user.email} was removed. Their sessions and tokens have ended.")
    return redirect("members")


@require_POST
def link(request: MemberRequest, member_id: str) -> HttpResponse:
    """Make a link with which the member sets a new password."""
    try:
        membership, text = rules.password_link(request.scope, member_id)
    except Conflict as error:
        messages.error(request, f"{error.message} {error.remedy}")
        return redirect("members")
    return _page(request, Form({"email": "", "name": "", "role": Role.AUDITOR.value}), membership, text)


@require_POST
def reset(request: MemberRequest, member_id: str) -> HttpResponse:
    """Forget a member's second step."""
    try:
        membership = rules.reset_second_step(request.scope, member_id)
    except Conflict as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"The second step of {membership.user.email} was removed. They can set up another.")
    return redirect("members")


def _added(request: MemberRequest, membership: Membership) -> HttpResponse:
    form = Form({"email": "", "name": "", "role": Role.AUDITOR.value})
    if membership.user.has_usable_password() or not rules.may_have_link(membership):
        messages.success(request, f"{membership.user.email} was added. They sign in as they do elsewhere in Grantline.")
        return redirect("members")
    _membership, text = rules.password_link(request.scope, membership.pk)
    return _page(request, form, membership, text)


@sensitive_variables("text")
def _page(request: MemberRequest, form: Form, linked: Membership | None = None, text: str = "") -> HttpResponse:
    may_write = request.scope.may(Permission.MEMBER_WRITE)
    address = request.build_absolute_uri(reverse("set_password", args=[text])) if text else ""
    context: dict[str, Any] = {
        "page_title": "Members",
        "breadcrumbs": crumbs(("Settings", "settings"), here="Members"),
        "members": _rows(request),
        "roles": [(role.value, role.label) for role in Role],
        "may_write": may_write,
        "form": form,
        "linked": linked,
        "link": address,
    }
    return render(request, "settings/members.html", context, status=form.status)


def _rows(request: MemberRequest) -> list[dict[str, Any]]:
    rows = list(rules.list_members(request.scope))
    ids = [row.user_id for row in rows]
    steps = set(
        Authenticator.objects.filter(user_id__in=ids, type__in=second_step.STEPS).values_list("user_id", flat=True)
    )
    return [
        {
            "id": row.pk,
            "user": row.user,
            "role": Role(row.role),
            "since": row.created_at,
            "own": row.user_id == request.scope.actor_id,
            "second_step": row.user_id in steps,
        }
        for row in rows
    ]


def _role(form: Form) -> Role:
    """Raises: `InputInvalid` for a role that does not exist."""
    try:
        return Role(form.values["role"])
    except ValueError as error:
        raise InputInvalid("There is no such role.", field="role") from error
