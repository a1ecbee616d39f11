"""Who is calling: a bearer token, and nothing else.

A session cookie is not looked at, so a page of another site that makes a browser send one gets
nothing, and no request needs a CSRF token. In: the Authorization header. Out: `request.scope`.
"""

from __future__ import annotations

from django.http import HttpRequest
from ninja.security import HttpBearer

from grantline.control.tenancy import Scope, enter
from grantline.control.tokens.rules import scope_of_token


class ApiRequest(HttpRequest):
    """A request whose caller is known."""

    scope: Scope


class BearerToken(HttpBearer):
    """An API token of a member, made under Settings, Tokens; it acts with that member's role."""

    def authenticate(self, request: HttpRequest, token: str) -> Scope:
        """The caller's scope. Raises: `NotSignedIn`."""
        scope = scope_of_token(token.strip(), request.META.get("REMOTE_ADDR") or None)
        request.scope = scope  # type: ignore[attr-defined]
        enter(scope)
        return scope
