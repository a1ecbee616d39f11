"""The API as a whole: Django Ninja with our problems, our parser and our OpenAPI document.

Invariant: whatever happens below /api/v1 is answered with JSON: a path that does not exist, a method
that it does not take, a body that is too large, a fault of ours. Nothing escapes to Django's pages.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import URLPattern, URLResolver, path, re_path
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation

from grantline import __version__
from grantline.api.bearer import BearerToken
from grantline.api.bodies import StrictParser, known_queries_only
from grantline.api.measures import count_answer
from grantline.api.openapi import finished
from grantline.api.problems import BodyTooLarge, MethodNotAllowed, problem_response

View = Callable[..., HttpResponse]
MIB = 1024 * 1024
FORM_BYTES = MIB
"""What a multipart form may weigh beside its file."""

DESCRIPTION = """\
Data sources, applications, imports, runs and what they brought, for scripts.

Every request carries `Authorization: Bearer <token>`. Lists are `{"items": [...], "next": cursor}`; send
`next` back as `cursor` until it is null. Moments are ISO 8601 in UTC. What cannot be done is answered
with `application/problem+json`: what happened, why, and what to do."""


class GrantlineApi(NinjaAPI):
    """Django Ninja, made strict."""

    def __init__(self) -> None:
        super().__init__(
            title="Grantline",
            version=__version__,
            description=DESCRIPTION,
            docs_url=None,
            urls_namespace="api",
            auth=BearerToken(),
            parser=StrictParser(),
        )
        self.add_decorator(known_queries_only, mode="view")

    def set_default_exception_handlers(self) -> None:
        """One handler for everything."""
        self.add_exception_handler(Exception, _answer_error)

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """The name of the function; the modules' names are no part of the contract."""
        return operation.view_func.__name__

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        """The OpenAPI 3.1 document."""
        return finished(super().get_openapi_schema(path_prefix=path_prefix, path_params=path_params))

    def _get_urls(self) -> list[URLResolver | URLPattern]:
        patterns = super()._get_urls()
        for pattern in patterns:
            if isinstance(pattern, URLPattern):
                pattern.callback = _answered(pattern.callback)
        missing = _answered(_no_such_path)
        return [*patterns, path("", missing), re_path(r"^.*$", missing)]


def _answered(view: View) -> View:
    """`view`, whose answers are problems also where Django or Django Ninja would answer with text."""

    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            _refuse_large(request)
            response = view(request, *args, **kwargs)
        except (Http404, BodyTooLarge) as error:
            response = problem_response(error)
        if isinstance(response, HttpResponseNotAllowed):
            response = _not_allowed(request, response)
        response.headers.setdefault("Cache-Control", "no-store")
        count_answer(request, response)
        return response

    answered.csrf_exempt = True  # type: ignore[attr-defined] # a bearer token is the only way in
    return answered


def _answer_error(request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
    return problem_response(error if isinstance(error, Exception) else error())


def _no_such_path(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    raise Http404


def _not_allowed(request: HttpRequest, response: HttpResponseNotAllowed) -> HttpResponse:
    allowed = response["Allow"]
    problem = problem_response(MethodNotAllowed(f"{str(request.method)[:20]} is not possible here; use {allowed}."))
    problem["Allow"] = allowed
    return problem


def _refuse_large(request: HttpRequest) -> None:
    """Raises: `BodyTooLarge` before a byte of the body is read."""
    limit = settings.GRANTLINE.upload_limit_mb
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > limit * MIB + FORM_BYTES:
        raise BodyTooLarge(f"A file taken by hand may have {limit:,} MB (GRANTLINE_UPLOAD_LIMIT_MB).")
