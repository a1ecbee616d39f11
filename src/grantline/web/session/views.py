"""Signing in and out.

One message for an unknown address and a wrong password, and the same time for both (Django hashes in
either case), so that nobody learns who has an account. The session's key changes with signing in.
django-allauth carries the sign-in from the first step to the last; the pages are ours.
"""

from __future__ import annotations

from typing import Any

import structlog
from allauth.account.internal.flows.login import perform_login, perform_password_login
from allauth.account.models import Login
from allauth.account.stages import LoginStage, LoginStageController
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.base.internal.flows import post_authentication
from allauth.mfa.internal.constants import LoginStageKey
from allauth.mfa.webauthn.internal import auth as webauthn
from django.conf import settings
from django.contrib.auth import authenticate, logout
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from grantline.control.audit.rules import Action, record
from grantline.control.organizations.models import User
from grantline.control.organizations.rules import note_failed_sign_in, scope_of
from grantline.control.single_sign_on.rules import is_any_set_up
from grantline.web.forms import Form
from grantline.web.requests import client_address, found_scope
from grantline.web.session import attempts, second_step
from grantline.web.session.identity import NO_MEMBER
from grantline.web.session.passkeys import options_response

WRONG = "The e-mail address or the password is not right."
WAIT = "Too many sign-ins have failed. Wait 15 minutes, then try again."
WRONG_PASSKEY = "The passkey was not accepted. Sign in with your password, or try again."

log = structlog.get_logger(__name__)


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """The sign-in page."""
    target = own_path(request.POST.get("next") or request.GET.get("next") or "")
    if request.method == "GET":
        if found_scope(request) is not None:
            return redirect(target)
        return sign_in_page(request, Form({"email": ""}), target)
    form = Form.typed(request.POST, ["email"])
    answer = _sign_in(request, form.values["email"], request.POST.get("password", ""), target)
    if isinstance(answer, str):
        form.general.append(answer)
        return sign_in_page(request, form, target)
    return answer


@require_http_methods(["GET", "POST"])
def second(request: HttpRequest) -> HttpResponse:
    """The second step, for whoever has taken the first one."""
    stage = _second_stage(request)
    if stage is None:
        return redirect("sign_in")
    user, form = stage.login.user, Form({"code": ""})
    if request.method == "POST":
        found = second_step.prove(request, user, request.POST.dict())
        if not isinstance(found, str):
            post_authentication(request, found)
            response: HttpResponse = stage.exit()
            return response
        form.general.append(found)
        note_failed_sign_in(user.email, "second step", client_address(request))
    kinds = second_step.kinds(user)
    context = {"form": form, "has_passkey": "webauthn" in kinds, "has_app": "totp" in kinds}
    return render(request, "account/second_step.html", context, status=form.status)


@require_GET
def second_options(request: HttpRequest) -> JsonResponse:
    """What the browser needs to ask for one of the user's passkeys."""
    stage = _second_stage(request)
    if stage is None:
        return JsonResponse({"error": "Sign in again."}, status=403)
    return options_response(webauthn.begin_authentication(stage.login.user))


@require_http_methods(["GET", "POST"])
def passkey(request: HttpRequest) -> HttpResponse:
    """Sign in with a passkey alone. GET: what the browser needs; POST: what the passkey said."""
    if request.method == "GET":
        return options_response(webauthn.begin_authentication())
    target = own_path(request.POST.get("next") or "")
    answer = _sign_in_with_passkey(request, request.POST.get("credential", ""), target)
    if isinstance(answer, str):
        return sign_in_page(request, Form({"email": ""}, general=[answer]), target)
    return answer


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    scope, user = found_scope(request), request.user
    if scope is not None and isinstance(user, User):
        record(scope, Action.SIGN_OUT, user, name=user.email)
    logout(request)
    return redirect("sign_in")


def own_path(text: str) -> str:
    """`text` where it is a path of ours, else the overview's."""
    ours = text.startswith("/") and url_has_allowed_host_and_scheme(text, allowed_hosts=None)
    return text if ours and not text.startswith(reverse("sign_in")) else reverse("overview")


def sign_in_page(request: HttpRequest, form: Form, target: str = "/") -> HttpResponse:
    """The sign-in page with what was typed and what went wrong."""
    context: dict[str, Any] = {
        "form": form,
        "email": form.values["email"],
        "next": target if target != reverse("overview") else "",
        "single_sign_on": is_any_set_up(),
        "no_second_step": settings.GRANTLINE.require_mfa == "nobody",
    }
    return render(request, "account/sign_in.html", context, status=form.status)


def refusal(request: HttpRequest, message: str) -> ImmediateHttpResponse:
    """What to raise inside allauth's steps: the sign-in page that says why they ended."""
    log.info("sign_in.refused", address=client_address(request))
    return ImmediateHttpResponse(sign_in_page(request, Form({"email": ""}, general=[message])))


def _sign_in(request: HttpRequest, email: str, password: str, target: str) -> HttpResponse | str:
    """The first step by password; what went wrong, or what comes next."""
    address = client_address(request) or ""
    counts = attempts.password_counts(email, address)
    if attempts.must_wait(counts):
        log.warning("sign_in.must_wait", address=address)
        return WAIT
    user = _found_user(request, email, password)
    if user is None:
        attempts.note_failure(counts)
        log.info("sign_in.failed", address=address)
        note_failed_sign_in(email, "password", address)
        return WRONG
    if scope_of(user, via="session") is None:
        return NO_MEMBER
    attempts.forget(counts)
    response: HttpResponse = perform_password_login(
        request, {"email": user.email}, Login(user=user, redirect_url=target, email=user.email)
    )
    return response


def _sign_in_with_passkey(request: HttpRequest, credential: str, target: str) -> HttpResponse | str:
    counts = attempts.password_counts("passkey", client_address(request) or "")
    if attempts.must_wait(counts):
        return WAIT
    document = second_step.parsed(credential)
    try:
        webauthn.parse_authentication_response(document)
        user = webauthn.extract_user_from_response(document)
        found = webauthn.complete_authentication(user, document)
    except (ValidationError, ValueError, TypeError, KeyError, AttributeError):
        attempts.note_failure(counts)
        return WRONG_PASSKEY
    if scope_of(user, via="session") is None:
        return NO_MEMBER
    post_authentication(request, found, passwordless=True)
    response: HttpResponse = perform_login(request, Login(user=user, redirect_url=target, email=user.email))
    return response


def _second_stage(request: HttpRequest) -> LoginStage | None:
    stage = LoginStageController.enter(request, LoginStageKey.MFA_AUTHENTICATE.value)
    return stage if stage is not None and isinstance(stage.login.user, User) else None


def _found_user(request: HttpRequest, email: str, password: str) -> User | None:
    if "\x00" in email:
        return None
    user = authenticate(request, email=email.strip()[:254], password=password[:1024])
    return user if isinstance(user, User) else None
