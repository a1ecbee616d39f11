"""Problems: what the API answers when something cannot be done (RFC 9457, `application/problem+json`).

In: any exception that reached the edge of a request. Out: a response whose body says what, why and what
to do, never how Grantline is built. Invariant: the status of an error of the tree is the one in
`grantline.errors.ANSWERS`; only what HTTP itself refuses (`ProtocolError`) has a status of its own.
"""

from __future__ import annotations

from typing import ClassVar

import structlog
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from ninja.errors import AuthenticationError, HttpError, ValidationError
from pydantic import BaseModel, Field

from grantline.api.validation import explained
from grantline.errors import (
    Conflict,
    DatabaseUnavailable,
    GrantlineError,
    InputInvalid,
    NotFound,
    NotSignedIn,
    answer,
)

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:grantline:error:"


class ProtocolError(Exception):
    """The request is not one that this API understands."""

    code: ClassVar[str] = "request_malformed"
    status: ClassVar[int] = 400
    remedy: ClassVar[str] = "Correct the request; /api/v1/openapi.json describes what is understood."

    @property
    def message(self) -> str:
        """What is wrong, in words."""
        return str(self)


class BodyMalformed(ProtocolError):
    """The body cannot be read."""

    code = "body_malformed"
    remedy = "Send one JSON document in UTF-8 (or, for an upload, a multipart form)."


class MethodNotAllowed(ProtocolError):
    """The path does not take this method."""

    code = "method_not_allowed"
    status = 405


class BodyTooLarge(ProtocolError):
    """The body is larger than the limit."""

    code = "body_too_large"
    status = 413
    remedy = "Send less, or have the people who run Grantline raise the limit named here."


class MediaTypeUnsupported(ProtocolError):
    """The body has a media type that the path does not take."""

    code = "media_type_unsupported"
    status = 415
    remedy = "Name the body's media type in the Content-Type header."


class FieldProblem(BaseModel):
    """One field that is wrong."""

    field: str
    message: str


class Problem(BaseModel):
    """What went wrong, why, and what to do about it."""

    type: str = Field(description="A URN that names the code.")
    title: str = Field(description="What the code means; the same text for every case.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="This case in words.")
    code: str = Field(description="The stable code, for scripts.")
    remedy: str = Field(description="What to do.")
    errors: list[FieldProblem] = Field(description="Each field that is wrong; empty where none is named.")
    column: str | None = Field(default=None, description="The column of a file or mapping that is meant.")


def problem_response(error: Exception) -> HttpResponse:
    """The answer to `error`; whatever is not expected is logged and answered as *internal*."""
    known = _known(error)
    problem = _protocol_problem(known) if isinstance(known, ProtocolError) else _problem(known)
    response = HttpResponse(problem.model_dump_json(), status=problem.status, content_type=MEDIA_TYPE)
    if problem.status == 401:
        response["WWW-Authenticate"] = "Bearer"
    return response


def _problem(error: GrantlineError) -> Problem:
    fields = error.fields if isinstance(error, InputInvalid) else {}
    return Problem(
        type=TYPE_PREFIX + error.code,
        title=_title(error),
        status=answer(error).status,
        detail=error.message,
        code=error.code,
        remedy=error.remedy,
        errors=[FieldProblem(field=field, message=message) for field, message in fields.items()],
        column=error.column,
    )


def _protocol_problem(error: ProtocolError) -> Problem:
    return Problem(
        type=TYPE_PREFIX + error.code,
        title=_title(error),
        status=error.status,
        detail=error.message,
        code=error.code,
        remedy=error.remedy,
        errors=[],
    )


def _title(error: Exception) -> str:
    return (type(error).__doc__ or "").strip().splitlines()[0]


def _known(error: Exception) -> GrantlineError | ProtocolError:
    """`error` as one of ours."""
    if isinstance(error, GrantlineError | ProtocolError):
        return error
    if isinstance(error, ValidationError):
        return explained(error.errors)
    if isinstance(error, Http404):
        return NotFound("There is nothing at this address.", remedy="/api/v1/openapi.json lists every path.")
    return _from_http(error) or _from_database(error) or _unexpected(error)


def _from_http(error: Exception) -> GrantlineError | ProtocolError | None:
    if isinstance(error, AuthenticationError):
        return NotSignedIn("The request carries no bearer token.")
    if isinstance(error, RequestDataTooBig):
        return BodyTooLarge("The body is larger than 5 MB.")
    if isinstance(error, MultiPartParserError | UnreadablePostError | SuspiciousOperation):
        return BodyMalformed("The body could not be read to its end.")
    if isinstance(error, HttpError):
        # Django Ninja wraps whatever its parser raised; the cause says more.
        cause = error.__cause__
        if isinstance(cause, GrantlineError | ProtocolError):
            return cause
        return BodyMalformed("The body is not valid JSON.")
    return None


def _from_database(error: Exception) -> GrantlineError | None:
    """What the rules did not see coming: two callers at once, a value no column takes, no database."""
    if isinstance(error, IntegrityError):
        log.warning("api.constraint", error=type(error).__name__, constraint=_constraint(error))
        return Conflict("Somebody else changed this at the same moment.", remedy="Read it again and repeat.")
    if isinstance(error, DataError):
        log.warning("api.value", error=type(error).__name__)
        return InputInvalid("A value is too large, too long, or holds a character that cannot be stored.")
    if isinstance(error, OperationalError | InterfaceError):
        log.error("api.database", error=type(error).__name__)
        return DatabaseUnavailable("The database cannot be reached just now.", remedy="Try again in a minute.")
    return None


def _constraint(error: IntegrityError) -> str | None:
    diagnostics = getattr(error.__cause__, "diag", None)
    name: str | None = getattr(diagnostics, "constraint_name", None)
    return name


def _unexpected(error: Exception) -> GrantlineError:
    log.error("api.unexpected", error=type(error).__name__, exc_info=error)
    return GrantlineError("Grantline could not do this because of a fault of its own.")
