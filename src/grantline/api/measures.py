"""Figures for Prometheus: what runs and imports are doing, over all organizations.

In: the database at the moment of the scrape, and the answers this process gave. Out: the text format.
Labels are states, methods and statuses, never a name or an id of anybody's: whoever may scrape learns
how much is going on, not about whom.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Case, Count, Exists, F, Min, OuterRef, Q, Value, When
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from grantline.control.imports.models import Import
from grantline.control.runs.models import Run, RunState
from grantline.control.tenancy import system_scope

_METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS")

registry = CollectorRegistry(auto_describe=False)
_answers = Counter("grantline_api_requests", "Requests that the API answered.", ["method", "status"], registry=registry)


def count_answer(request: HttpRequest, response: HttpResponse) -> None:
    """Note one answer of the API."""
    method = request.method if request.method in _METHODS else "other"
    _answers.labels(method=method, status=str(response.status_code)).inc()


class DatabaseFigures(Collector):
    """What the database says, asked at every scrape."""

    def collect(self) -> Iterator[Metric]:
        """All gauges."""
        with system_scope("the figures are sums over every organization"):
            found = [_runs_by_state(), _imports_by_state(), _queue(), _lateness()]
        yield from found


def _runs_by_state() -> Metric:
    found = dict(Run.objects.values_list("state").annotate(Count("pk")).order_by())
    gauge = GaugeMetricFamily("grantline_runs", "Runs by state.", labels=["state"])
    for state in RunState:
        gauge.add_metric([state.value], found.get(state.value, 0))
    return gauge


def _imports_by_state() -> Metric:
    """Imports by the state that is stored; whether one is stale is a question of its owner's, not ours."""
    held = Run.objects.filter(of_import=OuterRef("pk"), state=RunState.HELD)
    state = Case(
        When(Exists(held), then=Value("held")),
        When(paused_at__isnull=False, then=Value("paused")),
        When(failing_since__isnull=False, then=Value("failing")),
        When(looked_at__isnull=True, then=Value("new")),
        default=Value("healthy"),
    )
    found = dict(Import.objects.annotate(kind=state).values_list("kind").annotate(Count("pk")).order_by())
    gauge = GaugeMetricFamily("grantline_imports", "Imports by state.", labels=["state"])
    for name in ("held", "paused", "failing", "new", "healthy"):
        gauge.add_metric([name], found.get(name, 0))
    return gauge


def _queue() -> Metric:
    counts = ProcrastinateJob.objects.aggregate(
        waiting=Count("pk", filter=Q(status="todo")), running=Count("pk", filter=Q(status="doing"))
    )
    gauge = GaugeMetricFamily("grantline_queue_jobs", "Jobs of the queue.", labels=["state"])
    for name, count in counts.items():
        gauge.add_metric([name], count)
    return gauge


def _lateness() -> Metric:
    now = timezone.now()
    due = Import.objects.filter(paused_at__isnull=True, next_run_at__lte=now)
    oldest = due.aggregate(oldest=Min(F("next_run_at")))["oldest"]
    seconds = (now - oldest).total_seconds() if oldest else 0.0
    return GaugeMetricFamily(
        "grantline_oldest_due_import_seconds", "How long the import that is most overdue has been due.", value=seconds
    )


registry.register(DatabaseFigures())
