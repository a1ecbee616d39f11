"""Confirming who one is before something that matters is changed.

In: a sent form of one of `GUARDED`, from somebody whose last proof is more than ten minutes old. Out: a
page that asks for the password, a code or a passkey, and carries what was typed along; sent again with a
proof, the form reaches its page as if nothing had been between. Nothing typed is kept on the server.
"""

from __future__ import annotations

from typing import Any, Final

from allauth.mfa.webauthn.internal import auth as webauthn
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from grantline.control.organizations.models import User
from grantline.control.single_sign_on.rules import of_member
from grantline.web.middleware import GetResponse
from grantline.web.requests import MemberRequest, PageRequest, found_scope
from grantline.web.session import attempts, second_step
from grantline.web.session.identity import is_fresh, note_proof
from grantline.web.session.passkeys import are_possible, options_response

GUARDED: Final = frozenset(
    {
        "sources",
        "source_setup_step",
        "source_edit",
        "source_delete",
        "source_rotate",
        "source_rotation_cancel",
        "tokens",
        "token_revoke",
        "members",
        "member_role",
        "member_remove",
        "member_link",
        "member_reset",
        "password",
        "second_step_app",
        "second_step_passkey",
        "second_step_remove",
        "recovery_codes",
        "sign_on",
        "sign_on_delete",
    }
)
"""Names of the addresses whose forms need a fresh proof: data sources, roles, tokens, sign-in settings."""
PROOFS: Final = ("confirm_password", "confirm_code", "confirm_credential")
WRONG: Final = "That is not right. Try again."


class ConfirmIdentity:
    """Holds back a form of `GUARDED` until the member has proved who they are."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> Any:
        return self.get_response(request)

    def process_view(self, request: MemberRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """Called by Django before a view; None lets it go on."""
        match = request.resolver_match
        if request.method != "POST" or match is None or match.url_name not in GUARDED:
            return None
        if found_scope(request) is None or is_fresh(request) or not isinstance(request.user, User):
            return None
        if request.headers.get("HX-Request") == "true":
            return HttpResponse(status=401, headers={"HX-Refresh": "true"})
        problem = _check(request, request.user)
        if problem is None:
            note_proof(request)
            return None
        return _page(request, problem)


@require_GET
def options(request: PageRequest) -> JsonResponse:
    """What the browser needs to ask for one of the member's passkeys."""
    return options_response(webauthn.begin_authentication(request.user))


def _check(request: HttpRequest, user: User) -> str | None:
    """What is wrong with the proof; empty where none was given yet, None where it is right."""
    password, code, credential = (request.POST.get(name, "") for name in PROOFS)
    if code or credential:
        found = second_step.prove(request, user, {"code": code, "credential": credential})
        return found if isinstance(found, str) else None
    if not password:
        return ""
    counts = attempts.code_counts(user.pk)
    if attempts.must_wait(counts):
        return second_step.WAIT
    if user.check_password(password[:1024]):
        attempts.forget(counts)
        return None
    attempts.note_failure(counts)
    return WRONG


def _page(request: MemberRequest, problem: str) -> HttpResponse:
    user = request.user
    kept = [
        (name, value)
        for name, values in request.POST.lists()
        if name not in (*PROOFS, "csrfmiddlewaretoken")
        for value in values
    ]
    kinds, sign_on = second_step.kinds(user), of_member(request.scope)
    context = {
        "page_title": "Confirm that it is you",
        "action": request.get_full_path(),
        "kept": kept,
        "problem": problem,
        "has_password": user.has_usable_password(),
        "has_app": "totp" in kinds,
        "has_passkey": "webauthn" in kinds and are_possible(request),
        "sign_on_href": reverse("sign_on_start", args=[sign_on.pk]) if sign_on else "",
    }
    return render(request, "account/confirm.html", context, status=403)
