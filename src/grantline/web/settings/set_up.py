"""Setting up a second step: an authenticator app or a passkey; recovery codes come with the first one.

In: a member who wants one, or must have one before anything else. Out: the second step, stored and recorded.
The app's secret waits in the session until a code proves that the app has it.
"""

from __future__ import annotations

from typing import Any, Final

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.webauthn.internal import auth as webauthn
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.safestring import mark_safe
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from grantline.control.audit.rules import Action, record
from grantline.web.forms import Form
from grantline.web.requests import MemberRequest
from grantline.web.session import attempts, second_step
from grantline.web.session.passkeys import are_possible, options_response
from grantline.web.settings.security import end_other_sessions

PASSKEYS_LIMIT: Final = 10
WRONG_CODE: Final = "The code is not right. Codes change every 30 seconds, and the phone's clock has to be right."
WRONG_PASSKEY: Final = "The passkey was not stored. Try again, and confirm with your fingerprint, face or PIN."


@require_GET
def choose(request: MemberRequest) -> HttpResponse:
    """Which second step to set up."""
    context = {
        "must": second_step.is_missing(request.scope),
        "has_app": "totp" in second_step.kinds(request.user),
        "passkeys": are_possible(request),
    }
    return render(request, "account/set_up.html", context)


@sensitive_variables("secret")
@require_http_methods(["GET", "POST"])
def app(request: MemberRequest) -> HttpResponse:
    """Connect an authenticator app: show its secret, take a code of it."""
    if "totp" in second_step.kinds(request.user):
        messages.error(request, "An authenticator app is set up already. Remove it first, then set up another one.")
        return redirect("security")
    secret, form, counts = totp.get_totp_secret(), Form({"code": ""}), attempts.code_counts(request.user.pk)
    if request.method == "POST":
        form = Form.typed(request.POST, ["code"])
        code = "".join(form.values["code"].split())
        if attempts.must_wait(counts):
            form.errors["code"] = second_step.WAIT
        elif code.isascii() and code.isdigit() and totp.validate_totp_code(secret, code):
            with transaction.atomic():
                totp.TOTP.activate(request.user, secret)
                totp.clear_totp_secret(request)
                return _done(request, "Authenticator app")
        else:
            attempts.note_failure(counts)
            form.errors["code"] = WRONG_CODE
    adapter = get_adapter()
    context = {
        "form": form,
        "secret": " ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
        "picture": mark_safe(_svg(adapter.build_totp_svg(adapter.build_totp_url(request.user, secret)))),  # noqa: S308
    }
    return render(request, "account/set_up_app.html", context, status=form.status)


@require_GET
def passkey_options(request: MemberRequest) -> JsonResponse:
    """What the browser needs to make a passkey."""
    return options_response(webauthn.begin_registration(request.user, passwordless=True))


@require_POST
def passkey(request: MemberRequest) -> HttpResponse:
    """Store the passkey that the browser has made."""
    own = Authenticator.objects.filter(user_id=request.user.pk, type=Authenticator.Type.WEBAUTHN)
    name = " ".join(request.POST.get("name", "").split())[:60] or f"Passkey {own.count() + 1}"
    credential = second_step.parsed(request.POST.get("credential", ""))
    if own.count() >= PASSKEYS_LIMIT or credential is None or not _is_made(credential):
        messages.error(request, WRONG_PASSKEY)
        return redirect("second_step_set_up")
    with transaction.atomic():
        webauthn.WebAuthn.add(request.user, name, credential)
        return _done(request, name)


def _is_made(credential: dict[str, Any]) -> bool:
    """Whether the credential answers our challenge, with the person verified by their device."""
    try:
        webauthn.parse_registration_response(credential)
        return bool(webauthn.complete_registration(credential).is_user_verified())
    except (ValidationError, ValueError, TypeError, KeyError):
        return False


@sensitive_variables("codes")
def _done(request: MemberRequest, name: str) -> HttpResponse:
    """Record it, end other sessions, and show recovery codes where these are the first."""
    record(request.scope, Action.SECOND_STEP_ADD, request.user, name=name)
    end_other_sessions(request)
    if "recovery_codes" not in second_step.kinds(request.user):
        codes = RecoveryCodes.activate(request.user).get_unused_codes()
        return render(request, "account/recovery_codes.html", {"codes": codes, "added": name, "back": "overview"})
    messages.success(request, f"{name} was added.")
    return redirect("security")


def _svg(document: str) -> str:
    """The SVG element alone, without its XML declaration."""
    return document[document.index("<svg") :]
