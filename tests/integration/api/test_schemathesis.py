"""Whatever the API's document allows, and much that it does not: no 5xx, no answer outside the document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from tests.integration.api.conftest import House

pytestmark = [pytest.mark.django_db, pytest.mark.integration]
EXAMPLES = 6
"""Cases of each operation and mode: a hundred operations have to fit into a minute or so."""
SLOW = ("/verify",)
"""Operations that wait for AWS; they have tests of their own."""
CHECKS = [not_a_server_error, status_code_conformance, response_schema_conformance]


@pytest.fixture
def one_connection() -> Iterator[None]:
    """Requests share the test's connection, as Django's own test client makes them."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("one_connection")
def test_no_operation_breaks_or_leaves_its_document(house: House) -> None:
    headers = house.admin.headers
    document = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application(), headers=headers)
    tried, wrong = 0, list[str]()
    for found in document.get_all_operations():
        operation = found.ok()
        if operation.path.endswith(SLOW):
            continue
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            wrong += faults(operation, mode, headers)
        tried += 1
    assert tried > 50
    assert wrong == []


def faults(operation: Any, mode: GenerationMode, headers: dict[str, str]) -> list[str]:
    """What went wrong with one operation, one line a kind."""
    wrong: dict[str, str] = {}

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(mode))
    def attempt(case: Any) -> None:
        try:
            case.call_and_validate(headers=headers, checks=CHECKS)
        except (Exception, BaseExceptionGroup) as fault:  # noqa: BLE001 - every kind of failure is a finding
            text = f"{operation.method.upper()} {operation.path} ({mode.value}): {str(fault)[:700]}"
            wrong.setdefault(text[:120], text)

    try:
        attempt()
    except Exception as fault:  # an operation that cannot be varied so has nothing to try
        if "Unsatisfiable" not in type(fault).__name__ and "negat" not in str(fault).lower():
            raise
    return list(wrong.values())
