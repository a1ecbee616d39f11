"""The last touches to the OpenAPI document that Django Ninja makes.

In: its document. Out: the same with problems under their own media type, a default answer for what no
list foresees, and the first sentence of each operation's docstring as its summary. The document is made
from the code alone, so it cannot say anything else than the code does.
"""

from __future__ import annotations

from typing import Any

from ninja.openapi.schema import OpenAPISchema

from grantline.api.problems import MEDIA_TYPE, Problem

PROBLEM_REF = {"$ref": "#/components/schemas/Problem"}
PROBLEM_CONTENT = {MEDIA_TYPE: {"schema": PROBLEM_REF}}
STATUS_WORDS = {
    "400": "The body cannot be read",
    "401": "No token, or one that is unknown, revoked or expired",
    "403": "The token's role does not allow this",
    "404": "There is no such thing in the token's organization",
    "405": "The path does not take this method",
    "409": "The thing is not in a state that allows this",
    "413": "The body is larger than the limit",
    "415": "The body has another media type",
    "422": "A field, a parameter or a file is not valid",
    "502": "The bucket could not be read",
    "503": "Grantline is not set up for this, or its database cannot be reached",
}


def answers(status: int, document: Any, *others: int, body: bool = False) -> dict[Any, Any]:
    """The answers of an operation: the good one, those that every operation has, and `others`."""
    codes = {401, 403, 422, *others} | ({400, 413, 415} if body else set())
    return {status: document, frozenset(codes): Problem}


def finished(document: OpenAPISchema) -> OpenAPISchema:
    """`document`, changed in place."""
    document.pop("servers", None)
    document.schemas.setdefault("Problem", _problem_schema(document))
    for operations in document["paths"].values():
        for operation in operations.values():
            _finish(operation)
    return document


def _finish(operation: dict[str, Any]) -> None:
    summary, _, rest = operation.pop("description", "").partition("\n")
    operation["summary"] = summary.strip().removesuffix(".") or operation["summary"]
    if rest.strip():
        operation["description"] = " ".join(rest.split())
    answers_by_status: dict[str, Any] = {}
    for status, found in sorted(operation["responses"].items()):
        if status >= 400:
            found = {"description": STATUS_WORDS[str(status)], "content": PROBLEM_CONTENT}
        if status == 401:
            found = {**found, "headers": {"WWW-Authenticate": {"schema": {"type": "string", "const": "Bearer"}}}}
        answers_by_status[str(status)] = found
    answers_by_status["default"] = {"description": "Any other problem", "content": PROBLEM_CONTENT}
    operation["responses"] = answers_by_status


def _problem_schema(document: OpenAPISchema) -> dict[str, Any]:
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
    document.schemas.update(schema.pop("$defs", {}))
    return schema
