"""The audit log: who did what to which thing, before and after, from where.

In: from the query `actor`, `action`, `subject`, `from`, `to` and `before` (the number of the last event
seen). Out: a page of 50 events, newest first; the same events as OCSF to download; a verification.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from django.contrib import messages
from django.http import HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from grantline.control.audit import rules
from grantline.control.audit.models import AuditEvent, AuditHead
from grantline.control.audit.ocsf import ocsf_line
from grantline.control.audit.verify import verify as verify_log
from grantline.control.organizations.roles import Permission
from grantline.control.tenancy import scoped
from grantline.web import words
from grantline.web.applications.trail import crumb
from grantline.web.audit.words import Difference, action_words, differences, noun_choices, way_words
from grantline.web.paging import address_with
from grantline.web.requests import PageRequest, chosen_day

PAGE_ROWS: Final = 50
FAULTS_SHOWN: Final = 3
WRONG_DAY: Final = "Choose the day from the calendar, or type 2026-11-07."
PLACES: Final = {"src": "source", "app": "application", "imp": "import", "run": "run", "per": "person"}
"""What the prefix of an id says about where its page is."""


@dataclass(frozen=True)
class EventRow:
    """An event with what the table shows beside its fields."""

    event: AuditEvent

    @property
    def what(self) -> str:
        """What was done, in words."""
        return action_words(self.event.action)

    @property
    def way(self) -> str:
        """How they came in."""
        return way_words(self.event.via)

    @property
    def href(self) -> str:
        """Where the thing's page is; empty for what has none, or is gone by this very event."""
        place = PLACES.get(self.event.subject_id.partition("_")[0])
        return (
            reverse(place, args=[self.event.subject_id]) if place and not self.event.action.endswith(":delete") else ""
        )

    @property
    def differences(self) -> list[Difference]:
        """Before and after, field by field."""
        return differences(self.event.before, self.event.after)


@require_GET
def index(request: PageRequest) -> HttpResponse:
    """The page of events."""
    filters, wrong = read_filters(request)
    rows = rules.list_events(request.scope, **filters)
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit():
        rows = rows.filter(sequence__lt=int(before[:18]))
    found = list(rows[: PAGE_ROWS + 1])
    shown, more = found[:PAGE_ROWS], len(found) > PAGE_ROWS
    context = {
        "breadcrumbs": [crumb("Audit log")],
        "rows": [EventRow(event) for event in shown],
        "query": request.GET,
        "wrong": wrong,
        "nouns": noun_choices(),
        "is_filtered": any(request.GET.get(name) for name in ("actor", "action", "subject", "from", "to")),
        "first_href": address_with(request.GET, before=None) if before else "",
        "next_href": address_with(request.GET, before=str(shown[-1].sequence)) if more else "",
        "export_href": reverse("audit_log_export") + address_with(request.GET, before=None),
        "head": scoped(AuditHead, request.scope).first(),
    }
    return render(request, "audit/index.html", context)


@require_GET
def export(request: PageRequest) -> StreamingHttpResponse:
    """The events that the filters find, as OCSF, one a line, oldest first."""
    filters, _ = read_filters(request)
    lines = _lines(rules.export_events(request.scope, **filters))
    response = StreamingHttpResponse(lines, content_type="application/x-ndjson")
    response["Content-Disposition"] = 'attachment; filename="audit-log.ocsf.jsonl"'
    return response


@require_POST
def verify(request: PageRequest) -> HttpResponse:
    """Verify the whole log and say what was found."""
    request.scope.require(Permission.AUDIT_READ)
    found = verify_log(request.scope)
    if found.is_whole:
        messages.success(request, f"{words.counted(found.events, 'event')}: whole, unchanged and in order.")
    for fault in found.faults[:FAULTS_SHOWN]:
        messages.error(request, fault.message)
    return redirect("audit_log")


def read_filters(request: PageRequest) -> tuple[dict[str, Any], dict[str, str]]:
    """What `list_events` takes, and what was not understood by its field. `to` is the last day included."""
    query, wrong = request.GET, {}
    filters: dict[str, Any] = {name: query.get(name, "").strip() for name in ("actor", "action", "subject")}
    for name, parameter, days in (("from", "since", 0), ("to", "until", 1)):
        try:
            filters[parameter] = _day(query, name, days)
        except ValueError:
            filters[parameter], wrong[name] = None, WRONG_DAY
    if (day := chosen_day(request)) is not None:
        filters["until"] = min(filters["until"] or day, day)
    return filters, wrong


def _day(query: QueryDict, name: str, days: int) -> datetime | None:
    text = query.get(name, "").strip()
    if not text:
        return None
    try:
        return datetime.combine(date.fromisoformat(text) + timedelta(days=days), time(), tzinfo=UTC)
    except OverflowError as error:
        raise ValueError(text) from error


def _lines(events: Iterator[AuditEvent]) -> Iterator[str]:
    for event in events:
        yield ocsf_line(event) + "\n"
