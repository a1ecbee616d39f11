"""What those who run Grantline ask of a process: is it alive, can it work, what is it doing.

`/healthz` says that this process answers, and asks nothing of anything else, so that a slow database
never gets it killed. `/readyz` tries what a request needs. `/metrics` is for Prometheus. None needs a
token; none says anything about a customer.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable
from pathlib import Path

import structlog
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from grantline.api.measures import registry

log = structlog.get_logger(__name__)


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while this process answers."""
    return JsonResponse({"state": "alive"})


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """200 where every part works, else 503; each part with what is wrong with it."""
    parts = {name: _tried(name, attempt) for name, attempt in PARTS.items()}
    ready = all(part["state"] == "ready" for part in parts.values())
    document = {"state": "ready" if ready else "not_ready", "parts": parts}
    return JsonResponse(document, status=200 if ready else 503)


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The figures in Prometheus' text format; 503 where the database cannot be asked."""
    try:
        text = generate_latest(registry)
    except DatabaseError as error:
        log.warning("metrics.database", error=type(error).__name__)
        return HttpResponse("The database cannot be reached.\n", status=503, content_type="text/plain")
    return HttpResponse(text, content_type=CONTENT_TYPE_LATEST)


def _tried(name: str, attempt: Callable[[], str | None]) -> dict[str, str]:
    try:
        problem = attempt()
    except (DatabaseError, OSError) as error:
        log.warning("ready.part", part=name, error=type(error).__name__)
        problem = f"{type(error).__name__}; the log of this process says more."
    return {"state": "not_ready", "problem": problem} if problem else {"state": "ready"}


def _database() -> str | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return None


def _migrations() -> str | None:
    executor = MigrationExecutor(connection)
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    return f"{missing} migrations are not applied; run grantline migrate." if missing else None


def _lake() -> str | None:
    folder: Path = settings.GRANTLINE.lake_dir
    with contextlib.suppress(FileExistsError):
        folder.mkdir(parents=True, mode=0o700)
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"ready?")
    return None


PARTS: dict[str, Callable[[], str | None]] = {
    "database": _database,
    "migrations": _migrations,
    "lake": _lake,
}

urlpatterns: list[URLPattern] = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
]
