"""The second step of a sign-in: a code of an authenticator app, a recovery code, or a passkey.

In: a user and what they sent. Out: the method that proved them, or what went wrong in words. Secrets are
django-allauth's rows (`mfa.Authenticator`), sealed by `SecondStepAdapter`. Whether somebody must have a
second step follows from the operator's GRANTLINE_REQUIRE_MFA and the member's role.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import structlog
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal import auth as webauthn
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from grantline.control.organizations.models import User
from grantline.control.organizations.roles import Role
from grantline.control.tenancy import Scope
from grantline.web.requests import client_address
from grantline.web.session import attempts

WRONG: Final = "The code or passkey is not right, or was used before."
WAIT: Final = "Too many attempts have failed. Wait 15 minutes, then try again."
STEPS: Final = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
LONGEST_CREDENTIAL: Final = 20_000

log = structlog.get_logger(__name__)


def is_required(role: Role) -> bool:
    """Whether members with this role must have a second step."""
    whose = settings.GRANTLINE.require_mfa
    return whose == "everybody" or (whose == "super_administrators" and role is Role.SUPER_ADMINISTRATOR)


def is_missing(scope: Scope) -> bool:
    """Whether the signed-in member must set up a second step before anything else."""
    return is_required(scope.role) and not Authenticator.objects.filter(user_id=scope.actor_id, type__in=STEPS).exists()


def kinds(user: User) -> set[str]:
    """The kinds of second step that the user has: `totp`, `webauthn`, `recovery_codes`."""
    return set(Authenticator.objects.filter(user_id=user.pk).values_list("type", flat=True))


def prove(request: HttpRequest, user: User, data: Mapping[str, str]) -> Authenticator | str:
    """The method by which `data` (`code` or `credential`) proves the user, or what went wrong."""
    counts = attempts.code_counts(user.pk)
    if attempts.must_wait(counts):
        return WAIT
    found = _by_credential(user, data["credential"]) if data.get("credential") else _by_code(user, data.get("code", ""))
    if found is None:
        attempts.note_failure(counts)
        log.info("second_step.failed", actor_id=user.pk, address=client_address(request))
        return WRONG
    attempts.forget(counts)
    return found


def parsed(credential: str) -> dict[str, Any] | None:
    """What the browser said of a passkey, or None where it is no JSON object."""
    try:
        document = json.loads(credential[:LONGEST_CREDENTIAL])
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _by_code(user: User, text: str) -> Authenticator | None:
    code = "".join(text.split())[:20]
    if not code.isascii() or not code.isalnum():
        return None
    rows = Authenticator.objects.filter(user_id=user.pk, type__in=["totp", "recovery_codes"]).order_by("-type")
    return next((row for row in rows if row.wrap().validate_code(code)), None)


def _by_credential(user: User, credential: str) -> Authenticator | None:
    document = parsed(credential)
    if document is None:
        return None
    try:
        webauthn.parse_authentication_response(document)
        return webauthn.complete_authentication(user, document)
    except (ValidationError, ValueError, TypeError, KeyError):
        return None
