"""Every error becomes a problem with its status, and nothing of Grantline's inside is told."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.exceptions import RequestDataTooBig
from django.db import DataError, IntegrityError, OperationalError
from django.http import Http404

from grantline import errors
from grantline.api.problems import ProtocolError, problem_response
from grantline.errors import ANSWERS, GrantlineError, InputInvalid, MappingInvalid, NotSignedIn


def tree(kind: type[GrantlineError] = GrantlineError) -> list[type[GrantlineError]]:
    found = [kind]
    for inner in kind.__subclasses__():
        if inner.__module__ == errors.__name__:
            found += tree(inner)
    return found


def protocol_errors() -> list[type[ProtocolError]]:
    return [ProtocolError, *ProtocolError.__subclasses__()]


def body(error: Exception) -> dict[str, Any]:
    return dict(json.loads(problem_response(error).content))


@pytest.mark.parametrize("kind", tree(), ids=lambda kind: kind.__name__)
def test_an_error_of_the_tree_has_the_status_of_the_table(kind: type[GrantlineError]) -> None:
    response = problem_response(kind("It is so."))
    assert response.status_code == ANSWERS[kind.code].status
    assert response.headers["Content-Type"] == "application/problem+json"
    document = json.loads(response.content)
    assert document["detail"] == "It is so."
    assert document["code"] == kind.code
    assert document["remedy"] == kind.default_remedy
    assert document["status"] == response.status_code


def test_several_fields_are_each_named() -> None:
    error = InputInvalid("Two are wrong.", fields={"bucket": "Too short.", "region": "Unknown."})
    assert body(error)["errors"] == [
        {"field": "bucket", "message": "Too short."},
        {"field": "region", "message": "Unknown."},
    ]


def test_the_column_of_a_mapping_is_named() -> None:
    assert body(MappingInvalid("Twice.", column="User ID"))["column"] == "User ID"


def test_who_is_not_signed_in_is_told_how() -> None:
    assert problem_response(NotSignedIn()).headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Http404("inner"), 404, "not_found"),
        (IntegrityError("inner"), 409, "conflict"),
        (DataError("inner"), 422, "input_invalid"),
        (OperationalError("inner"), 503, "database_unavailable"),
        (RequestDataTooBig("inner"), 413, "body_too_large"),
        (ZeroDivisionError("inner"), 500, "internal"),
        (KeyError("inner"), 500, "internal"),
    ],
)
def test_what_is_not_ours_is_told_without_its_text(error: Exception, status: int, code: str) -> None:
    response = problem_response(error)
    assert response.status_code == status
    assert json.loads(response.content)["code"] == code
    assert b"inner" not in response.content
    assert b"Traceback" not in response.content


def test_codes_of_the_protocol_are_none_of_the_tree() -> None:
    codes = [kind.code for kind in protocol_errors()]
    assert len(set(codes)) == len(codes)
    assert not set(codes) & set(ANSWERS)
