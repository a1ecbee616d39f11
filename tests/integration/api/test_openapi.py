"""The OpenAPI document: complete, consistent, and true."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.integration.api.conftest import Caller, House
from tests.integration.api.things import make_issues, make_things, routes

pytestmark = pytest.mark.integration

NEEDS_FILES = (
    *("/objects", "/accounts", "/entitlements", "/grants", "/changes", "/account", "/account/history", "/entitlement"),
    *("/grants/history", "/affected", "/renames"),
)
"""What is answered from a bucket or from a version's files, which these things do not have."""


@pytest.fixture
def document(nobody: Caller) -> dict[str, Any]:
    answer = nobody.get("/openapi.json")
    assert answer.status_code == 200
    return dict(answer.document)


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, found in document["paths"].items():
        for method, operation in found.items():
            yield method.upper(), path, operation


def schemas(value: Any) -> Iterator[dict[str, Any]]:
    """Every schema of the document."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "schema":
                yield inner
            yield from schemas(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from schemas(inner)


def test_it_is_openapi_3_1_and_names_every_route(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    assert document["info"]["title"] == "Grantline"
    described = {(method, path.removeprefix("/api/v1")) for method, path, _ in operations(document)}
    assert described == {(route.method, route.path) for route in routes()}


def test_every_schema_is_json_schema_2020_12_and_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for schema in [*schemas(document), *document["components"]["schemas"].values()]:
        Draft202012Validator.check_schema(schema)
    for reference in re.findall(r'"\$ref": "#/components/schemas/([^"]+)"', json.dumps(document)):
        assert reference in document["components"]["schemas"]
        assert re.fullmatch(r"[A-Za-z0-9._-]+", reference)


def test_every_operation_says_what_it_does_and_needs(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(names)) == len(names)
    assert document["components"]["securitySchemes"]["BearerToken"] == {"type": "http", "scheme": "bearer"}
    for method, path, operation in operations(document):
        assert operation["security"] == [{"BearerToken": []}]
        assert 5 < len(operation["summary"]) < 140
        named = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)}", path))
        assert ("requestBody" in operation) == (method in ("POST", "PATCH"))


def test_every_operation_names_its_answers(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        answers = operation["responses"]
        assert {"401", "403", "422", "default"} <= set(answers), path
        assert ("404" in answers) == ("{" in path)
        assert len([status for status in answers if status.startswith("2")]) == 1
        for status, answer in answers.items():
            if not status.startswith("2"):
                assert answer["content"] == {
                    "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
                }
        if method in ("POST", "PATCH"):
            assert {"400", "413", "415"} <= set(answers), path


def test_bodies_refuse_unknown_fields(document: dict[str, Any]) -> None:
    bodies = ("NewDataSource", "DataSourceChange", "NewImport", "ImportChange", "Approval", "Nothing", "NewToken")
    for name in bodies:
        assert document["components"]["schemas"][name]["additionalProperties"] is False


def test_answers_are_as_described(document: dict[str, Any], house: House) -> None:
    """Every GET is asked, and its answer checked against its own schema."""
    from grantline.control.runs.models import Run

    things = make_things(house.admin_scope)
    make_issues(Run.objects.get(pk=things["run_id"]), 3)
    shared = {"components": document["components"]}
    checked = 0
    for method, path, operation in operations(document):
        if method != "GET" or path.endswith(NEEDS_FILES):
            continue
        answer = house.admin.get(path.removeprefix("/api/v1").format(**things))
        assert answer.status_code == 200, path
        if answer.streaming:
            assert answer.headers["Content-Type"] in operation["responses"]["200"]["content"], path
            continue
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        Draft202012Validator({**schema, **shared}).validate(answer.document)
        checked += 1
    assert checked >= 12
    problem = house.admin.get("/runs/none").document
    Draft202012Validator({**document["components"]["schemas"]["Problem"], **shared}).validate(problem)
