"""What pages ask of a request: whose it is, where it comes from, how it wants its answer.

The middleware sets `scope`; only pages that need no sign-in ever see a request without one.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.http import HttpRequest

from grantline.control.organizations.models import User
from grantline.control.tenancy import Scope

AS_OF: Final = "as_of"
"""Where the session keeps the moment that the pages show, as ISO 8601 text."""


class PageRequest(HttpRequest):
    """A request of a signed-in member, as views are typed."""

    scope: Scope


class MemberRequest(PageRequest):
    """The same, for views that need the person: their own sign-in, their own name."""

    user: User


def found_scope(request: HttpRequest) -> Scope | None:
    """The scope of who is signed in, or None."""
    scope = getattr(request, "scope", None)
    return scope if isinstance(scope, Scope) else None


def client_address(request: HttpRequest) -> str | None:
    """The address the request came from, as far as the server can tell."""
    address = request.META.get("REMOTE_ADDR")
    return str(address) if address else None


def wants_part(request: HttpRequest) -> bool:
    """Whether htmx asks for a part of a page, not for a page."""
    return request.headers.get("HX-Request") == "true" and request.headers.get("HX-Boosted") != "true"


def chosen_day(request: HttpRequest) -> datetime | None:
    """The moment that "As of" is set to for this session, or None for now."""
    text = request.session.get(AS_OF) if hasattr(request, "session") else None
    return datetime.fromisoformat(text) if isinstance(text, str) else None
