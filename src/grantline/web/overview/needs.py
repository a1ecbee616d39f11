"""What needs a person: each with a sentence and the one action that helps.

In: imports with their states, data sources. Out: lines, the most urgent first: suspended data sources, what
is held, then what fails, data sources whose check failed, and what is stale.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from grantline.control.imports.models import Import
from grantline.control.imports.states import ImportState, import_state, state_sentence
from grantline.control.runs.models import Run, RunState
from grantline.control.sources.models import DataSource, SourceState
from grantline.control.tenancy import Scope, scoped
from grantline.web.sources.states import state_sentence as source_sentence


@dataclass(frozen=True)
class ImportLine:
    """An import with its state at one moment."""

    item: Import
    state: ImportState
    sentence: str

    @property
    def href(self) -> str:
        """The import's page."""
        return reverse("import", args=[self.item.pk])


@dataclass(frozen=True)
class Need:
    """One line of "Needs you"."""

    state: str
    title: str
    text: str
    action: str
    href: str
    since: datetime | None = None


def import_lines(imports: Iterable[Import], now: datetime) -> list[ImportLine]:
    """Each import with its state, the worst first."""
    lines = []
    for item in imports:
        state = import_state(item, now)
        lines.append(ImportLine(item, state, state_sentence(item, state, now)))
    order = list(ImportState)
    return sorted(lines, key=lambda line: (order.index(line.state), line.item.application.name.lower()))


def needs(scope: Scope, lines: Iterable[ImportLine], sources: Iterable[DataSource]) -> list[Need]:
    """Everything that needs a person."""
    by_state: dict[ImportState, list[ImportLine]] = {}
    for line in lines:
        by_state.setdefault(line.state, []).append(line)
    sources = list(sources)
    found = [_source(source) for source in sources if source.state == SourceState.SUSPENDED]
    found += _held(scope, by_state.get(ImportState.HELD, []))
    found += [_failing(line) for line in by_state.get(ImportState.FAILING, [])]
    found += [_source(source) for source in sources if source.state == SourceState.NEEDS_ATTENTION]
    found += [_stale(line) for line in by_state.get(ImportState.STALE, [])]
    return found


def _held(scope: Scope, lines: list[ImportLine]) -> list[Need]:
    runs = scoped(Run, scope).filter(state=RunState.HELD, of_import__in=[line.item.pk for line in lines])
    by_import = {run.of_import_id: run for run in runs}
    found = []
    for line in lines:
        run = by_import.get(line.item.pk)
        href = reverse("run", args=[run.pk]) if run else line.href
        since = run.finished_at if run else None
        text = _guard_reason(run) or line.sentence
        found.append(Need("held", _title(line), text, "Look and decide", href, since))
    return found


def _guard_reason(run: Run | None) -> str:
    reasons = (run.guard or {}).get("reasons") if run else None
    return str(reasons[0]) if reasons else ""


def _failing(line: ImportLine) -> Need:
    return Need("failing", _title(line), line.sentence, "See what failed", line.href, line.item.failing_since)


def _stale(line: ImportLine) -> Need:
    return Need("stale", _title(line), line.sentence, "See the import", line.href, line.item.changed_at)


def _source(source: DataSource) -> Need:
    href = reverse("source", args=[source.pk]) + "#checks"
    since = source.suspended_at or source.checked_at
    return Need(source.state, source.name, source_sentence(source), "See the check", href, since)


def _title(line: ImportLine) -> str:
    return f"{line.item.application.name}: {line.item.title}"
