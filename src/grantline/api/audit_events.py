"""The audit log: who did what to which thing, when and from where."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any

from django.http import StreamingHttpResponse
from ninja import Query, Router

from grantline.api import moments
from grantline.api.bearer import ApiRequest
from grantline.api.documents import Document, text
from grantline.api.openapi import answers
from grantline.api.pages import Cursor, Limit, Page, page
from grantline.control.audit.models import AuditEvent
from grantline.control.audit.ocsf import ocsf_line
from grantline.control.audit.rules import export_events, list_events

router = Router(tags=["audit"])

NDJSON = "application/x-ndjson"
EXPORTED = {
    200: {"description": "One OCSF event a line, oldest first", "content": {NDJSON: {"schema": {"type": "string"}}}}
}

Actor = Annotated[str, Query("", max_length=254, description="An id, or a part of a name.")]
ActionChosen = Annotated[str, Query("", max_length=60, description="An action (`run:publish`) or its noun (`run`).")]
Subject = Annotated[str, Query("", max_length=1100, description="An id, or a part of a name.")]
Since = Annotated[moments.Moment | None, Query(None, description="From this moment or day on.")]
Until = Annotated[moments.Moment | None, Query(None, description="Before this moment or day.")]


class AuditEventDocument(Document):
    """One thing that somebody did. `hash` is the chain's: it covers the event and the one before it."""

    id: str
    sequence: int
    at: datetime
    actor_id: str | None
    actor_name: str
    via: str
    address: str | None
    action: str
    subject_id: str
    subject_name: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    previous_hash: str
    hash: str


@router.get("", response=answers(200, Page[AuditEventDocument]))
def list_audit_events(
    request: ApiRequest,
    limit: Limit,
    cursor: Cursor,
    actor: Actor,
    action: ActionChosen,
    subject: Subject,
    since: Since,
    until: Until,
) -> Page[AuditEventDocument]:
    """List the audit log, newest first."""
    rows = list_events(request.scope, actor=actor, action=action, subject=subject, since=since, until=until)
    return page(rows, ("-sequence",), _document, limit=limit, cursor=cursor)


@router.get("/export", response=answers(200, None), openapi_extra={"responses": EXPORTED})
def export_audit_events(
    request: ApiRequest, actor: Actor, action: ActionChosen, subject: Subject, since: Since, until: Until
) -> StreamingHttpResponse:
    """Export the audit log as OCSF 1.3.0, one JSON object a line, oldest first.

    The export is an event of the log itself, and its last line. Each line holds its hash and the one before.
    """
    events = export_events(request.scope, actor=actor, action=action, subject=subject, since=since, until=until)
    response = StreamingHttpResponse(_lines(events), content_type=NDJSON)
    response["Content-Disposition"] = 'attachment; filename="audit-log.ocsf.jsonl"'
    return response


def _lines(events: Iterator[AuditEvent]) -> Iterator[str]:
    for event in events:
        yield ocsf_line(event) + "\n"


def _document(event: AuditEvent) -> AuditEventDocument:
    return AuditEventDocument(
        id=event.pk,
        sequence=event.sequence,
        at=event.at,
        actor_id=text(event.actor_id),
        actor_name=event.actor_name,
        via=event.via,
        address=text(event.address),
        action=event.action,
        subject_id=event.subject_id,
        subject_name=text(event.subject_name),
        before=event.before,
        after=event.after,
        previous_hash=event.previous_hash,
        hash=event.hash,
    )
