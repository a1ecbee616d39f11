from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from grantline.catalog.connection import connect


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = connect(memory_limit_mb=256)
    yield connection
    connection.close()
