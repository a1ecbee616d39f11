"""Where notices go: webhook endpoints, and who gets e-mail. Super Administrators decide.

In: a scope and values. Out: rows. A webhook's secret is made here, shown once, and kept sealed; an address
is https and public, unless the operator allows private ones (checked again when it is connected to).
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, models, transaction
from django.utils import timezone

from grantline.control.audit.rules import Action, record
from grantline.control.notices.models import Notice, NoticeSettings, WebhookEndpoint
from grantline.control.notices.reach import valid_url
from grantline.control.organizations.models import Membership
from grantline.control.organizations.roles import Permission, Role
from grantline.control.organizations.rules import check_email
from grantline.control.sealing import seal, unseal
from grantline.control.tenancy import HasOrganization, Scope, get, scoped
from grantline.errors import Conflict, InputInvalid

PURPOSE = "webhook"
SECRET_BYTES = 32
ENDPOINTS_LIMIT = 10
EMAILS_LIMIT = 20
FIELDS = ("email_owners", "email_super_administrators", "more_emails")


@transaction.atomic
def add_endpoint(scope: Scope, url: str) -> tuple[WebhookEndpoint, str]:
    """A new endpoint, and its secret, which is not shown again. Raises: `InputInvalid`, `Conflict`."""
    scope.require(Permission.MEMBER_WRITE)
    url = valid_url(url)
    if scoped(WebhookEndpoint, scope).count() >= ENDPOINTS_LIMIT:
        raise Conflict(f"An organization has at most {ENDPOINTS_LIMIT} webhooks.", remedy="Remove one first.")
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
    try:
        with transaction.atomic():
            endpoint = WebhookEndpoint.objects.create(
                organization_id=scope.organization_id,
                url=url,
                secret_sealed=seal(secret, PURPOSE),
                created_by=scope.actor_name,
            )
    except IntegrityError as error:
        raise InputInvalid("There is a webhook for this address already.", field="url") from error
    record(scope, Action.WEBHOOK_ADD, endpoint, name=url)
    return endpoint, secret


def list_endpoints(scope: Scope) -> models.QuerySet[WebhookEndpoint]:
    """The organization's endpoints, newest first."""
    scope.require(Permission.MEMBER_WRITE)
    return scoped(WebhookEndpoint, scope).order_by("-created_at", "-id")


def read_endpoint(scope: Scope, endpoint_id: str) -> WebhookEndpoint:
    """One endpoint. Raises: `NotFound`."""
    scope.require(Permission.MEMBER_WRITE)
    return get(WebhookEndpoint, scope, endpoint_id)


@transaction.atomic
def remove_endpoint(scope: Scope, endpoint_id: str) -> None:
    """Send nothing to it any more. Raises: `NotFound`."""
    scope.require(Permission.MEMBER_WRITE)
    endpoint = get(WebhookEndpoint, scope, endpoint_id, lock=True)
    record(scope, Action.WEBHOOK_REMOVE, endpoint, name=endpoint.url)
    endpoint.delete()


def secret_of(endpoint: WebhookEndpoint) -> str:
    """What its requests are signed with. Raises: `SettingInvalid` where the secret key is another one now."""
    return unseal(endpoint.secret_sealed, PURPOSE)


def note_delivery(endpoint: WebhookEndpoint, failure: str = "") -> None:
    """Keep how the last delivery went, for the people who look after the endpoint."""
    now = timezone.now()
    values: dict[str, Any] = {"failed_at": now, "failure": failure[:300]} if failure else {"delivered_at": now}
    scoped(WebhookEndpoint, endpoint).filter(pk=endpoint.pk).update(**values)


def read_settings(scope: HasOrganization) -> NoticeSettings:
    """Who gets e-mail; the defaults where nobody has decided."""
    found = scoped(NoticeSettings, scope).first()
    return found or NoticeSettings(organization_id=scope.organization_id, more_emails=[])


@transaction.atomic
def change_settings(scope: Scope, values: Mapping[str, Any]) -> NoticeSettings:
    """Store new values of any of `FIELDS`. Raises: `InputInvalid`, `NotAllowed`."""
    scope.require(Permission.MEMBER_WRITE)
    row = read_settings(scope)
    before = _described(row)
    for field, value in values.items():
        if field not in FIELDS:
            raise InputInvalid(f"There is no notification setting {field!r}.", field=field)
        setattr(row, field, _valid_emails(value) if field == "more_emails" else bool(value))
    row.save()
    record(scope, Action.NOTIFICATION_CHANGE, row, name="Notifications", before=before, after=_described(row))
    return row


def recipients(notice: Notice) -> list[str]:
    """The addresses a notice goes to, each once: the application's owner, Super Administrators, others named."""
    chosen = read_settings(notice)
    found: list[str] = list(chosen.more_emails)
    if chosen.email_super_administrators:
        admins = scoped(Membership, notice).filter(role=Role.SUPER_ADMINISTRATOR, user__is_active=True)
        found += admins.order_by("created_at").values_list("user__email", flat=True)
    owner = notice.application.owner if notice.application is not None else None
    is_member = owner is not None and owner.is_active and scoped(Membership, notice).filter(user=owner).exists()
    if chosen.email_owners and owner is not None and is_member:
        found.append(owner.email)
    return list({address.lower(): address for address in found}.values())


def _valid_emails(value: Any) -> list[str]:
    if not isinstance(value, list) or len(value) > EMAILS_LIMIT:
        raise InputInvalid(f"Give at most {EMAILS_LIMIT} e-mail addresses.", field="more_emails")
    for address in value:
        try:
            check_email(str(address))
        except InputInvalid as error:
            raise InputInvalid(error.message, field="more_emails") from error
    return [str(address) for address in value]


def _described(row: NoticeSettings) -> dict[str, Any]:
    return {field: getattr(row, field) for field in FIELDS}
