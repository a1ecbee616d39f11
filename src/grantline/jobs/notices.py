"""Telling members what needs them: found once a minute, delivered through the queue with retries.

In: the state of things. Out: e-mails and webhooks. A notice and the jobs that deliver it appear in one
transaction, so none is lost and none is told twice by two workers.
"""

from __future__ import annotations

import contextlib
from typing import Any

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from grantline.control.ids import notice_id
from grantline.control.notices import rules
from grantline.control.notices.models import Notice, NoticeKind, WebhookEndpoint
from grantline.control.notices.reach import NotDelivered, send
from grantline.control.notices.review import review
from grantline.control.organizations.models import Organization
from grantline.control.organizations.rules import worker_scope
from grantline.control.tenancy import HasOrganization, Scope, acting_for, scoped, system_scope

log = structlog.get_logger(__name__)


def tell() -> int:
    """Find what is new in every organization and queue its deliveries. Returns how many notices are new."""
    with system_scope("every organization's state is reviewed"):
        organizations = list(Organization.objects.values_list("pk", flat=True))
    return sum(_tell(worker_scope(organization_id)) for organization_id in organizations)


def _tell(owner: HasOrganization) -> int:
    with acting_for(owner), transaction.atomic():
        new = review(owner, timezone.now())
        for notice in new:
            _queue(notice)
            log.info("notice.opened", notice_id=notice.pk, kind=notice.kind, subject_id=notice.subject_id)
    return len(new)


def _queue(notice: Notice) -> None:
    from grantline.jobs.tasks import send_email, send_webhook

    organization_id = notice.organization_id
    for address in rules.recipients(notice):
        send_email.defer(organization_id=organization_id, notice_id=notice.pk, address=address)
    for endpoint_id in scoped(WebhookEndpoint, notice).values_list("pk", flat=True):
        send_webhook.defer(organization_id=organization_id, notice_id=notice.pk, endpoint_id=endpoint_id)


def email(organization_id: str, told: str, address: str) -> None:
    """Send one notice to one address, unless its application was deleted meanwhile.

    Raises what the mail server says, for the queue to try again.
    """
    owner = worker_scope(organization_id)
    with acting_for(owner):
        notice = scoped(Notice, owner).filter(pk=told).select_related("application").first()
        if notice is None:
            return
        EmailMessage(
            subject=f"{NoticeKind(notice.kind).label}: {' '.join(notice.subject_name.split())[:150]}",
            body=f"{notice.subject_name}\n\n{notice.message}\n\n{link_of(notice)}\n\n"
            "You are told once; the next message about this comes after it was well in between.\n",
            from_email=settings.DEFAULT_FROM_EMAIL,
            to=[address],
            headers={"Message-ID": f"<{notice.pk}.{abs(hash(address))}@grantline>", "Auto-Submitted": "auto-generated"},
        ).send()


def webhook(organization_id: str, told: str, endpoint_id: str) -> None:
    """Send one notice to one endpoint; nothing where that was removed meanwhile. Raises: `NotDelivered`."""
    owner = worker_scope(organization_id)
    with acting_for(owner):
        endpoint = scoped(WebhookEndpoint, owner).filter(pk=endpoint_id).first()
        notice = scoped(Notice, owner).filter(pk=told).first()
        if endpoint is not None and notice is not None:
            deliver(endpoint, f"msg_{notice.pk}_{endpoint.pk}", document_of(notice))


def deliver(endpoint: WebhookEndpoint, message_id: str, document: dict[str, Any]) -> None:
    """Send one document to one endpoint and note how it went. Raises: `NotDelivered`."""
    try:
        send(endpoint.url, rules.secret_of(endpoint), message_id, document, timezone.now())
    except NotDelivered as error:
        rules.note_delivery(endpoint, str(error))
        raise
    rules.note_delivery(endpoint)


def document_of(notice: Notice) -> dict[str, Any]:
    """A notice as a webhook's body: `{type, timestamp, data}`."""
    return {
        "type": notice.kind,
        "timestamp": f"{notice.opened_at:%Y-%m-%dT%H:%M:%SZ}",
        "data": {
            "id": notice.pk,
            "subject_id": notice.subject_id,
            "subject_name": notice.subject_name,
            "message": notice.message,
            "url": link_of(notice),
        },
    }


def test_document() -> dict[str, Any]:
    """What is sent where somebody tries an endpoint."""
    return {
        "type": "test",
        "timestamp": f"{timezone.now():%Y-%m-%dT%H:%M:%SZ}",
        "data": {"url": settings.PUBLIC_ORIGIN},
    }


def link_of(notice: Notice) -> str:
    """The page that shows what a notice is about."""
    if notice.kind.startswith("data_source."):
        path = reverse("source", args=[notice.subject_id])
    else:
        path = reverse("import", args=[notice.subject_id])
    return f"{settings.PUBLIC_ORIGIN}{path}"


def try_endpoint(scope: Scope, endpoint_id: str) -> WebhookEndpoint:
    """Send a test event now; the endpoint as it is after that. Raises: `NotFound`, `NotAllowed`."""
    endpoint = rules.read_endpoint(scope, endpoint_id)
    with contextlib.suppress(NotDelivered):  # noted beside the endpoint
        deliver(endpoint, f"msg_{notice_id()}", test_document())
    return rules.read_endpoint(scope, endpoint_id)
