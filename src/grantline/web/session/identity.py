"""Who a session belongs to, and when they last proved it.

In: a session. Out: the organization it is bound to, the age of the last proof, and its line in the list of
sessions (django-allauth's `usersessions`), renewed at most once a minute. A session opened through an
organization's single sign-on is bound to that organization: its provider speaks for no other one.
"""

from __future__ import annotations

import time
from typing import Any, Final

from allauth.usersessions.models import UserSession
from django.http import HttpRequest
from django.utils import timezone

from grantline.control.organizations.models import User
from grantline.control.organizations.rules import scope_of
from grantline.control.tenancy import Scope
from grantline.web.requests import client_address

ORGANIZATION: Final = "organization_id"
PROVED_AT: Final = "proved_at"
SEEN_AT: Final = "seen_at"
FRESH_SECONDS: Final = 10 * 60
SEEN_GRAIN_SECONDS: Final = 60
UNKNOWN_ADDRESS: Final = "::"
NO_MEMBER: Final = "You are not a member of any organization here. Ask a Super Administrator to add you."


def session_scope(request: HttpRequest, user: User) -> Scope | None:
    """The scope of a signed-in user in this session, or None where they are no member any more."""
    bound = request.session.get(ORGANIZATION)
    return scope_of(user, organization_id=bound, via="session", address=client_address(request))


def note_proof(request: HttpRequest) -> None:
    """Remember that the user has just proved who they are."""
    request.session[PROVED_AT] = time.time()


def is_fresh(request: HttpRequest) -> bool:
    """Whether the last proof is less than ten minutes old."""
    return bool(time.time() - float(request.session.get(PROVED_AT, 0)) < FRESH_SECONDS)


def note_seen(request: HttpRequest, user: User, *, at_once: bool = False) -> None:
    """Renew the session's line in the list of sessions."""
    now = time.time()
    if not at_once and now - float(request.session.get(SEEN_AT, 0)) < SEEN_GRAIN_SECONDS:
        return
    request.session[SEEN_AT] = now
    if not request.session.session_key:
        request.session.save()
    UserSession.objects.update_or_create(
        session_key=request.session.session_key,
        defaults={
            "user": user,
            "ip": client_address(request) or UNKNOWN_ADDRESS,
            "user_agent": request.headers.get("User-Agent", "")[:200],
            "last_seen_at": timezone.now(),
        },
    )


def on_signed_in(sender: Any, request: HttpRequest, **more: Any) -> None:
    """Django's signal `user_logged_in`: a sign-in is a proof."""
    request.session.pop(SEEN_AT, None)
    note_proof(request)
