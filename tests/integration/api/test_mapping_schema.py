from __future__ import annotations

import pytest

from grantline.reading.schema import mapping_schema
from tests.integration.api.conftest import House

pytestmark = pytest.mark.integration


def test_the_schema_is_answered(house: House) -> None:
    answer = house.auditor.get("/mapping-schema")
    assert answer.status_code == 200
    assert answer.document == mapping_schema()
