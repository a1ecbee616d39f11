"""Bodies and queries of requests, read strictly.

In: the bytes of a request. Out: plain data for the schemas. Invariant: what is not understood is
refused, never ignored: another media type, a name given twice, a number that is none, a character that
PostgreSQL cannot hold, a query parameter the path does not have.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.datastructures import MultiValueDict
from ninja.parser import Parser
from pydantic import BaseModel, ConfigDict

from grantline.api.problems import BodyMalformed, MediaTypeUnsupported, problem_response
from grantline.errors import InputInvalid

View = Callable[..., HttpResponse]


class Body(BaseModel):
    """Base of every request body: unknown fields and wrong types are refused."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Nothing(Body):
    """The body of a request that needs none: absent, or `{}`."""


class StrictParser(Parser):
    """Reads JSON bodies and forms for Django Ninja."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        """The JSON document of a request. Raises: `MediaTypeUnsupported`, `BodyMalformed`."""
        if request.content_type != "application/json":
            given = f", not {request.content_type[:100]}" if request.content_type else ""
            raise MediaTypeUnsupported(f"The body must be application/json{given}.")
        try:
            document: dict[str, Any] = json.loads(
                request.body.decode("utf-8"),
                object_pairs_hook=_object,
                parse_float=_finite,
                parse_constant=_finite,
            )
            json.dumps(document, ensure_ascii=False).encode("utf-8")
        except UnicodeError as error:
            raise BodyMalformed("The body is not valid UTF-8.") from error
        except RecursionError as error:
            raise BodyMalformed("The body is nested too deeply.") from error
        except ValueError as error:
            raise BodyMalformed(f"The body is not valid JSON: {error}.") from error
        if not isinstance(document, dict):
            raise InputInvalid("The body must be a JSON object.", field="body")
        return document

    def parse_querydict(
        self, data: MultiValueDict[str, Any], list_fields: list[str], request: HttpRequest
    ) -> dict[str, Any]:
        """The fields of a query or a form. Raises: `MediaTypeUnsupported`, `InputInvalid`."""
        if data is not request.GET and request.content_type != "multipart/form-data":
            raise MediaTypeUnsupported("A file is sent as multipart/form-data, in the field 'file'.")
        _refuse_nul(data)
        return super().parse_querydict(data, list_fields, request)


def known_queries_only(run: View) -> View:
    """Decorates an operation: refuses a query parameter that it does not have."""
    operation = run.__self__  # type: ignore[attr-defined]
    known = {name for model in operation.models if _is_query(model) for name in model.__ninja_flatten_map__}

    @functools.wraps(run)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        unknown = sorted(set(request.GET) - known)
        if unknown:
            name = unknown[0][:100].replace("\x00", "")
            return problem_response(
                InputInvalid(
                    f"There is no query parameter {name!r} here.",
                    field=name,
                    remedy=f"Use {', '.join(sorted(known))}." if known else "Leave the query out.",
                )
            )
        return run(request, *args, **kwargs)

    return checked


def _is_query(model: Any) -> bool:
    return bool(model.__ninja_param_source__ == "query")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; a name given twice is refused, because one of the values would be ignored."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"the name {name[:100]!r} is given twice")
        if "\x00" in name or (isinstance(value, str) and "\x00" in value):
            raise ValueError("a text holds a NUL character")
        if isinstance(value, list):
            _refuse_nul_items(value)
        found[name] = value
    return found


def _refuse_nul_items(items: list[Any]) -> None:
    for item in items:
        if isinstance(item, str) and "\x00" in item:
            raise ValueError("a text holds a NUL character")
        if isinstance(item, list):
            _refuse_nul_items(item)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is not a number")
    return number


def _refuse_nul(data: MultiValueDict[str, Any]) -> None:
    for name, values in data.lists():
        if any("\x00" in value for value in values if isinstance(value, str)):
            raise InputInvalid(f"{name[:100]}: the text holds a NUL character.", field=name[:100])
