"""What those who run Grantline ask: alive, ready, figures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from grantline.api import operations
from tests.integration.api.conftest import House
from tests.integration.api.things import make_things

pytestmark = pytest.mark.integration


def test_alive_asks_no_database() -> None:
    answer = Client().get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"state": "alive"})


def test_ready_names_every_part(db: Any, settings: Any, tmp_path: Path) -> None:
    settings.GRANTLINE = replace(settings.GRANTLINE, data_dir=tmp_path)
    answer = Client().get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {
        "state": "ready",
        "parts": {name: {"state": "ready"} for name in ("database", "migrations", "lake")},
    }


def test_not_ready_where_the_lake_cannot_be_written(db: Any, settings: Any, tmp_path: Path) -> None:
    (tmp_path / "lake").write_text("a file where the folder should be")
    settings.GRANTLINE = replace(settings.GRANTLINE, data_dir=tmp_path)
    answer = Client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["parts"]["database"] == {"state": "ready"}
    assert answer.json()["parts"]["lake"]["state"] == "not_ready"
    assert str(tmp_path) not in answer.content.decode()


def test_not_ready_where_a_migration_is_missing(db: Any) -> None:
    from django.db.migrations.recorder import MigrationRecorder

    from grantline.control.isolation.base import as_owner

    with as_owner():
        MigrationRecorder.Migration.objects.filter(app="control").order_by("-id")[:1].get().delete()
    answer = Client().get("/readyz")
    assert answer.status_code == 503
    assert "grantline migrate" in answer.json()["parts"]["migrations"]["problem"]


def test_not_ready_without_a_database(db: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable() -> None:
        raise OperationalError("connection to /secret/place failed")

    monkeypatch.setitem(operations.PARTS, "database", unreachable)
    answer = Client().get("/readyz")
    assert answer.status_code == 503
    assert "secret" not in answer.content.decode()


def test_figures_count_by_state_and_name_nobody(house: House) -> None:
    things = make_things(house.admin_scope, "Very private name")
    house.admin.get("/runs")
    text = Client().get("/metrics").content.decode()
    assert 'grantline_runs{state="held"} 1.0' in text
    assert 'grantline_runs{state="published"} 1.0' in text
    assert 'grantline_runs{state="failed"} 0.0' in text
    assert 'grantline_imports{state="held"} 1.0' in text
    assert 'grantline_queue_jobs{state="waiting"}' in text
    assert "grantline_oldest_due_import_seconds 0.0" in text
    assert 'grantline_api_requests_total{method="GET",status="200"}' in text
    for secret in ("private", "example.com", *things.values(), house.admin_scope.organization_id):
        assert secret not in text


def test_lateness_is_that_of_the_import_most_overdue(house: House) -> None:
    from datetime import timedelta

    from django.utils import timezone

    from grantline.control.imports.models import Import

    things = make_things(house.admin_scope)
    Import.objects.filter(pk=things["import_id"]).update(next_run_at=timezone.now() - timedelta(hours=1))
    text = Client().get("/metrics").content.decode()
    line = next(line for line in text.splitlines() if line.startswith("grantline_oldest_due_import_seconds "))
    assert 3600 <= float(line.split()[1]) < 3700


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_only_reading(db: Any, path: str) -> None:
    assert Client().post(path).status_code == 405
