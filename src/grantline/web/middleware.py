"""What happens around every request: a log line, security headers, the scope, pages for errors.

Order matters and is set in `config.django`. The log line stands outside, so that it sees the answer of
everything within; the scope comes after Django has found the session's user; errors are turned into
pages innermost. The API answers its own errors and finds its own scope from the bearer token.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final, cast
from urllib.parse import urlencode

import structlog
from django.contrib.auth import logout
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.urls import reverse
from django.utils.cache import patch_vary_headers

from grantline.control.organizations.models import User
from grantline.control.tenancy import Scope, acting_for, enter, request_boundary
from grantline.errors import GrantlineError, NotFound, answer
from grantline.web.errors import error_page
from grantline.web.requests import found_scope
from grantline.web.session import second_step
from grantline.web.session.identity import note_seen, session_scope

GetResponse = Callable[[HttpRequest], HttpResponseBase]

OPEN_PATHS: Final = ("/sign-in", "/sign-out", "/healthz", "/readyz", "/metrics", "/favicon.ico")
OPEN_PREFIXES: Final = ("/static/", "/api/")
SIGN_IN_PREFIXES: Final = ("/sign-in/", "/set-password/")
"""Steps of a sign-in: open to everybody, and they see who is signed in."""
SET_UP_PATHS: Final = ("/settings/security/set-up", "/sign-out")
"""All that somebody can open who must set up a second step first."""
QUIET_PATHS: Final = ("/healthz", "/readyz", "/metrics")
"""Asked every few seconds by machines; a line for each would bury the others."""

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PERMISSIONS_POLICY: Final = (
    "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), "
    "microphone=(), midi=(), payment=(), publickey-credentials-create=(self), publickey-credentials-get=(self), usb=()"
)
REQUEST_ID_HEADER: Final = "X-Request-ID"
_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}")

log = structlog.get_logger(__name__)


class RequestLog:
    """One log line a request, and an id that ties it to whatever is logged meanwhile.

    The query is left out: a search may hold a person's name. An id that a proxy gave is kept if it has
    the form of one.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get(REQUEST_ID_HEADER, "")
        request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        request.request_id = request_id  # type: ignore[attr-defined]
        structlog.contextvars.bind_contextvars(request_id=request_id)
        start = time.perf_counter()
        try:
            response = self.get_response(request)
        finally:
            structlog.contextvars.unbind_contextvars("request_id")
        response[REQUEST_ID_HEADER] = request_id
        if request.path not in QUIET_PATHS and not request.path.startswith("/static/"):
            self._write(request, response, request_id, time.perf_counter() - start)
        return response

    @staticmethod
    def _write(request: HttpRequest, response: HttpResponseBase, request_id: str, seconds: float) -> None:
        scope = found_scope(request)
        log.info(
            "request",
            request_id=request_id,
            method=request.method,
            path=request.path,
            status=response.status_code,
            milliseconds=round(seconds * 1000, 1),
            organization_id=scope.organization_id if scope else None,
            actor_id=scope.actor_id if scope else None,
        )


class SecurityHeaders:
    """Headers that Django does not set by itself.

    Pages of somebody who is signed in are not kept by any cache, so that nothing can be read by going
    back after signing out.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("X-Frame-Options", "DENY")
        if not request.path.startswith("/static/"):
            response.headers.setdefault("Cache-Control", "no-store")
            patch_vary_headers(response, ["HX-Request"])
        return response


class SignedInScope:
    """Puts `request.scope`, and sends whoever is not signed in to the sign-in page.

    The API never takes its scope from a session: a bearer token is not sent by a browser on its own,
    which is why the API needs no CSRF token. Whatever a request enters, a session's scope or a token's,
    ends here with it, so that a connection that is kept never shows one organization's rows to another.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with request_boundary():
            response = self._answered(request)
        if isinstance(response, StreamingHttpResponse) and not response.is_async:
            parts = cast("Iterable[bytes]", response.streaming_content)
            response.streaming_content = _within(found_scope(request), parts)
        return response

    def _answered(self, request: HttpRequest) -> HttpResponseBase:
        request.scope = None  # type: ignore[attr-defined]
        if request.path.startswith(OPEN_PREFIXES):
            return self.get_response(request)
        user = request.user
        if isinstance(user, User):
            self._enter(request, session_scope(request, user))
        scope = found_scope(request)
        if scope is not None and isinstance(user, User):
            note_seen(request, user)
            if not request.path.startswith((*SET_UP_PATHS, *SIGN_IN_PREFIXES)) and second_step.is_missing(scope):
                return _ask_for_second_step(request)
        if scope is not None or request.path in OPEN_PATHS or request.path.startswith(SIGN_IN_PREFIXES):
            return self.get_response(request)
        if user.is_authenticated:
            logout(request)
        return _ask_to_sign_in(request)

    @staticmethod
    def _enter(request: HttpRequest, scope: Scope | None) -> None:
        request.scope = scope  # type: ignore[attr-defined]
        if scope is not None:
            enter(scope)


def _within(scope: Scope | None, content: Iterable[bytes]) -> Iterator[bytes]:
    """`content`, each part of which is made with the scope's rows shown: a streamed answer is written
    after the request has ended."""
    parts = iter(content)
    while True:
        with acting_for(scope) if scope is not None else request_boundary():
            part = next(parts, None)
        if part is None:
            return
        yield part


def _ask_to_sign_in(request: HttpRequest) -> HttpResponse:
    """The sign-in page, which leads back to what was asked for where that was only read."""
    target = reverse("sign_in")
    wanted = request.get_full_path()
    if request.headers.get("HX-Request") == "true":
        wanted = request.headers.get("HX-Current-URL", "")
        wanted = "/" + wanted.split("://", 1)[-1].partition("/")[2]
    if request.method in ("GET", "HEAD") and wanted != "/":
        target += "?" + urlencode({"next": wanted})
    if request.headers.get("HX-Request") == "true":
        return HttpResponse(status=401, headers={"HX-Redirect": target})
    return HttpResponseRedirect(target)


def _ask_for_second_step(request: HttpRequest) -> HttpResponse:
    target = reverse("second_step_set_up")
    if request.headers.get("HX-Request") == "true":
        return HttpResponse(status=403, headers={"HX-Redirect": target})
    return HttpResponseRedirect(target)


class ErrorPages:
    """A page with message and remedy for every error that a view raises on purpose."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Called by Django when a view raised; None leaves the exception to Django."""
        if request.path.startswith("/api/"):
            return None
        if isinstance(exception, Http404):
            exception = NotFound("There is no such page.", remedy="Check the address, or start from the overview.")
        if not isinstance(exception, GrantlineError):
            return None
        if answer(exception).status >= 500:
            log.warning("page.error", code=exception.code, path=request.path)
        return error_page(request, exception)
