"""Signing in and out.

One message for an unknown address and a wrong password, and the same time for both (Django hashes in
either case), so that nobody learns who has an account. The session's key changes with signing in.
"""

from __future__ import annotations

import structlog
from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from grantline.control.audit.rules import Action, record
from grantline.control.organizations.models import User
from grantline.control.organizations.rules import scope_of
from grantline.web.forms import Form
from grantline.web.requests import client_address, found_scope
from grantline.web.session import attempts

WRONG = "The e-mail address or the password is not right."
WAIT = "Too many sign-ins have failed. Wait 15 minutes, then try again."
NO_MEMBER = "You are not a member of any organization here. Ask a Super Administrator to add you."

log = structlog.get_logger(__name__)


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """The sign-in page."""
    target = own_path(request.POST.get("next") or request.GET.get("next") or "")
    if request.method == "GET":
        if found_scope(request) is not None:
            return redirect(target)
        return _page(request, Form({"email": ""}), target)
    form = Form.typed(request.POST, ["email"])
    problem = _sign_in(request, form.values["email"], request.POST.get("password", ""))
    if problem:
        form.general.append(problem)
        return _page(request, form, target)
    return redirect(target)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    logout(request)
    return redirect("sign_in")


def own_path(text: str) -> str:
    """`text` where it is a path of ours, else the overview's."""
    ours = text.startswith("/") and url_has_allowed_host_and_scheme(text, allowed_hosts=None)
    return text if ours and not text.startswith(reverse("sign_in")) else reverse("overview")


def _sign_in(request: HttpRequest, email: str, password: str) -> str:
    """Sign in; returns what went wrong, or nothing."""
    address = client_address(request) or ""
    if attempts.must_wait(email, address):
        log.warning("sign_in.must_wait", address=address)
        return WAIT
    user = _found_user(request, email, password)
    if user is None:
        attempts.note_failure(email, address)
        log.info("sign_in.failed", address=address)
        return WRONG
    scope = scope_of(user, via="session", address=address)
    if scope is None:
        return NO_MEMBER
    attempts.forget(email, address)
    with transaction.atomic():
        login(request, user)
        record(scope, Action.SIGN_IN, user, name=user.email)
    return ""


def _found_user(request: HttpRequest, email: str, password: str) -> User | None:
    if "\x00" in email:
        return None
    user: AbstractBaseUser | None = authenticate(request, username=email.strip()[:254], password=password[:1024])
    return user if isinstance(user, User) else None


def _page(request: HttpRequest, form: Form, target: str) -> HttpResponse:
    next_path = target if target != reverse("overview") else ""
    return render(
        request,
        "account/sign_in.html",
        {"form": form, "email": form.values["email"], "next": next_path},
        status=form.status,
    )
