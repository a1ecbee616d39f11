"""How a member signs in: password, second steps, recovery codes, sessions. Everybody's own.

In: forms of the member's own page. Out: changed sign-in, recorded in the audit log. Recovery codes stand in
the answer to the form that made them and nowhere else. A new second step or password ends every other
session, since those were opened with less.
"""

from __future__ import annotations

from typing import Any, Final

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth import logout, update_session_auth_hash
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_GET, require_POST

from grantline.control.audit.rules import Action, record
from grantline.control.organizations import members
from grantline.errors import InputInvalid
from grantline.web.forms import Form
from grantline.web.requests import MemberRequest
from grantline.web.session import second_step
from grantline.web.session.identity import note_seen
from grantline.web.settings.devices import device_name
from grantline.web.trail import crumbs

KIND_WORDS: Final = {"totp": "Authenticator app", "webauthn": "Passkey", "recovery_codes": "Recovery codes"}


@require_GET
def index(request: MemberRequest) -> HttpResponse:
    """The member's ways to sign in, and where they are signed in."""
    return _page(request, Form({"password": ""}))


@sensitive_post_parameters("password")
@require_POST
def password(request: MemberRequest) -> HttpResponse:
    """Change one's own password."""
    form = Form.typed(request.POST, ["password"])
    try:
        members.set_password(request.scope, request.user, request.POST.get("password", "")[:1024])
    except InputInvalid as error:
        form.refuse(error)
        return _page(request, form)
    update_session_auth_hash(request, request.user)
    end_other_sessions(request)
    messages.success(request, "The password was changed. Every other session has ended.")
    return redirect("security")


@require_POST
def remove(request: MemberRequest, step_id: int) -> HttpResponse:
    """Remove one of one's own second steps; the last one only where none is required."""
    with transaction.atomic():
        steps = Authenticator.objects.select_for_update().filter(user_id=request.user.pk)
        step = steps.filter(pk=step_id, type__in=second_step.STEPS).first()
        if step is None:
            raise Http404
        left = steps.filter(type__in=second_step.STEPS).exclude(pk=step.pk).exists()
        if not left and second_step.is_required(request.scope.role):
            messages.error(request, "Your role needs a second step. Add another one first, then remove this one.")
            return redirect("security")
        record(request.scope, Action.SECOND_STEP_REMOVE, request.user, name=_name(step))
        step.delete()
        if not left:
            steps.delete()
    messages.success(request, f"{_name(step)} was removed.")
    return redirect("security")


@sensitive_variables("codes")
@require_POST
def renew_codes(request: MemberRequest) -> HttpResponse:
    """Make new recovery codes and show them this once; the old ones stop working."""
    if not second_step.kinds(request.user) & set(second_step.STEPS):
        raise Http404
    with transaction.atomic():
        Authenticator.objects.filter(user_id=request.user.pk, type="recovery_codes").delete()
        codes = RecoveryCodes.activate(request.user).get_unused_codes()
        record(request.scope, Action.SECOND_STEP_RENEW, request.user, name=request.user.email)
    return render(request, "account/recovery_codes.html", {"codes": codes, "back": "security"})


@require_POST
def end_session(request: MemberRequest, session_id: int) -> HttpResponse:
    """End one of one's own sessions."""
    found = UserSession.objects.filter(pk=session_id, user_id=request.user.pk).first()
    if found is None:
        raise Http404
    own = found.session_key == request.session.session_key
    found.end()
    record(request.scope, Action.SESSION_END, request.user, name=request.user.email, after={"count": 1})
    if own:
        logout(request)
        return redirect("sign_in")
    messages.success(request, "The session has ended.")
    return redirect("security")


@require_POST
def end_sessions(request: MemberRequest) -> HttpResponse:
    """End every session of one's own, this one too unless it is to stay (`keep`)."""
    if "keep" in request.POST:
        count = end_other_sessions(request)
        messages.success(request, "Every other session has ended." if count else "There was no other session.")
        return redirect("security")
    count = members.end_sessions(request.user)
    record(request.scope, Action.SESSION_END, request.user, name=request.user.email, after={"count": count})
    logout(request)
    return redirect("sign_in")


def end_other_sessions(request: MemberRequest) -> int:
    """End the member's other sessions; how many they were."""
    note_seen(request, request.user, at_once=True)
    count = members.end_sessions(request.user, besides=request.session.session_key)
    if count:
        record(request.scope, Action.SESSION_END, request.user, name=request.user.email, after={"count": count})
    return count


def _page(request: MemberRequest, form: Form) -> HttpResponse:
    rows = Authenticator.objects.filter(user_id=request.user.pk).order_by("created_at")
    codes = next((row for row in rows if row.type == "recovery_codes"), None)
    steps = [{"row": row, "name": _name(row), "kind": KIND_WORDS[row.type]} for row in rows if row is not codes]
    context: dict[str, Any] = {
        "page_title": "Sign-in and sessions",
        "breadcrumbs": crumbs(("Settings", "settings"), here="Sign-in and sessions"),
        "form": form,
        "steps": steps,
        "codes_left": len(codes.wrap().get_unused_codes()) if codes else 0,
        "required": second_step.is_required(request.scope.role),
        "has_password": request.user.has_usable_password(),
        "sessions": [
            {
                "row": row,
                "device": device_name(row.user_agent),
                "own": row.session_key == request.session.session_key,
            }
            for row in _living_sessions(request)
        ],
    }
    return render(request, "settings/security.html", context, status=form.status)


def _living_sessions(request: MemberRequest) -> list[UserSession]:
    found = UserSession.objects.purge_and_list(request.user)
    return sorted(found, key=lambda row: row.last_seen_at, reverse=True)


def _name(step: Authenticator) -> str:
    return str(step.wrap().name) if step.type == "webauthn" else KIND_WORDS[step.type]
