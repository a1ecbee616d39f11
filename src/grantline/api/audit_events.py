"""The audit log: who did what to which thing, when and from where."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ninja import Router

from grantline.api.bearer import ApiRequest
from grantline.api.documents import Document, text
from grantline.api.openapi import answers
from grantline.api.pages import Cursor, Limit, Page, page
from grantline.control.audit.models import AuditEvent
from grantline.control.organizations.roles import Permission
from grantline.control.tenancy import scoped

router = Router(tags=["audit"])


class AuditEventDocument(Document):
    """One thing that somebody did."""

    id: str
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


@router.get("", response=answers(200, Page[AuditEventDocument]))
def list_audit_events(request: ApiRequest, limit: Limit, cursor: Cursor) -> Page[AuditEventDocument]:
    """List the audit log, newest first."""
    request.scope.require(Permission.AUDIT_READ)
    rows = scoped(AuditEvent, request.scope)
    return page(rows, ("-at", "-id"), _document, limit=limit, cursor=cursor)


def _document(event: AuditEvent) -> AuditEventDocument:
    return AuditEventDocument(
        id=event.pk,
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
    )
