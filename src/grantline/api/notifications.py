"""Notices, the webhooks they are sent to, and who gets them by e-mail."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from ninja import Query, Router, Status
from pydantic import Field, StrictBool, StrictStr

from grantline.api.bearer import ApiRequest
from grantline.api.bodies import Body, Nothing
from grantline.api.documents import Document
from grantline.api.openapi import answers
from grantline.api.pages import Cursor, Limit, Page, page
from grantline.control.notices import rules
from grantline.control.notices.models import Notice, NoticeKind, NoticeSettings, WebhookEndpoint
from grantline.control.notices.review import list_notices as found_notices
from grantline.jobs.notices import try_endpoint

router = Router(tags=["notifications"])


class NoticeDocument(Document):
    """Something that needs a person, told once."""

    id: str
    kind: NoticeKind
    subject_id: str = Field(description="The import's or data source's id.")
    subject_name: str
    message: str
    opened_at: datetime
    closed_at: datetime | None = Field(description="When it was found to be over; null: it is so now.")


class WebhookDocument(Document):
    """An address that notices are sent to."""

    id: str
    url: str
    created_at: datetime
    created_by: str
    delivered_at: datetime | None = Field(description="The last delivery that was taken.")
    failed_at: datetime | None
    failure: str = Field(description="Why the last one that was not taken failed.")


class MadeWebhook(WebhookDocument):
    """A webhook that was just made, with its secret."""

    secret: str = Field(description="Keep it now; it is not shown again. Requests are signed with it.")


class NewWebhook(Body):
    """What a webhook is made from."""

    url: StrictStr = Field(description="https, at a public address.")


class NotificationSettings(Document):
    """Who gets notices by e-mail."""

    email_owners: bool = Field(description="The owner of the application.")
    email_super_administrators: bool
    more_emails: list[str]


class NotificationSettingsChange(Body):
    """What may change."""

    email_owners: StrictBool = Field(default=None)  # type: ignore[assignment] # absent, never null
    email_super_administrators: StrictBool = Field(default=None)  # type: ignore[assignment]
    more_emails: list[StrictStr] = Field(default=None)  # type: ignore[arg-type]


@router.get("/notifications", response=answers(200, Page[NoticeDocument]))
def list_notices(
    request: ApiRequest,
    limit: Limit,
    cursor: Cursor,
    open_only: Annotated[bool, Query(False, description="true: only what is so now.")],
) -> Page[NoticeDocument]:
    """List notices, newest first."""
    rows = found_notices(request.scope, open_only=open_only)
    return page(rows, ("-opened_at", "-id"), _notice, limit=limit, cursor=cursor)


@router.get("/notification-settings", response=answers(200, NotificationSettings))
def read_notification_settings(request: ApiRequest) -> NotificationSettings:
    """Say who gets notices by e-mail."""
    return _settings(rules.read_settings(request.scope))


@router.patch("/notification-settings", response=answers(200, NotificationSettings, body=True))
def change_notification_settings(request: ApiRequest, body: NotificationSettingsChange) -> NotificationSettings:
    """Change who gets notices by e-mail."""
    return _settings(rules.change_settings(request.scope, body.model_dump(exclude_unset=True)))


@router.post("/webhooks", response=answers(201, MadeWebhook, body=True))
def create_webhook(request: ApiRequest, body: NewWebhook) -> Status[MadeWebhook]:
    """Send notices to an address, signed by the Standard Webhooks scheme."""
    endpoint, secret = rules.add_endpoint(request.scope, body.url)
    return Status(201, MadeWebhook(**_webhook(endpoint).model_dump(), secret=secret))


@router.get("/webhooks", response=answers(200, Page[WebhookDocument]))
def list_webhooks(request: ApiRequest, limit: Limit, cursor: Cursor) -> Page[WebhookDocument]:
    """List webhooks, newest first."""
    rows = rules.list_endpoints(request.scope)
    return page(rows, ("-created_at", "-id"), _webhook, limit=limit, cursor=cursor)


@router.post("/webhooks/{webhook_id}/test", response=answers(200, WebhookDocument, 404, body=True))
def try_webhook(request: ApiRequest, webhook_id: str, body: Nothing | None = None) -> WebhookDocument:
    """Send an event of type `test` now; the answer says how it went."""
    return _webhook(try_endpoint(request.scope, webhook_id))


@router.delete("/webhooks/{webhook_id}", response=answers(204, None, 404))
def delete_webhook(request: ApiRequest, webhook_id: str) -> Status[None]:
    """Send nothing to this address any more."""
    rules.remove_endpoint(request.scope, webhook_id)
    return Status(204, None)


def _notice(row: Notice) -> NoticeDocument:
    return NoticeDocument(
        id=row.pk,
        kind=NoticeKind(row.kind),
        subject_id=row.subject_id,
        subject_name=row.subject_name,
        message=row.message,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
    )


def _webhook(row: WebhookEndpoint) -> WebhookDocument:
    return WebhookDocument(
        id=row.pk,
        url=row.url,
        created_at=row.created_at,
        created_by=row.created_by,
        delivered_at=row.delivered_at,
        failed_at=row.failed_at,
        failure=row.failure,
    )


def _settings(row: NoticeSettings) -> NotificationSettings:
    return NotificationSettings(
        email_owners=row.email_owners,
        email_super_administrators=row.email_super_administrators,
        more_emails=row.more_emails,
    )
