"""Writing and reading the audit log.

Every action is one line of one enum, `noun:verb`. `record` is called inside the transaction of the
change it describes, and makes the event the next link of its organization's hash chain (`chain`).
Secrets never enter it: what `fields` does not name as public is hidden.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from grantline.control.audit.chain import GENESIS, digest, storable
from grantline.control.audit.fields import readable, without_secrets
from grantline.control.audit.models import AuditEvent, AuditHead
from grantline.control.organizations.models import Organization
from grantline.control.organizations.roles import Permission
from grantline.control.tenancy import Scope, acting_for, scoped

BATCH = 1000
"""Events in memory at a time while a log is exported."""


class Action(StrEnum):
    """What can be recorded."""

    MEMBER_ADD = "member:add"
    MEMBER_CHANGE = "member:change"
    MEMBER_REMOVE = "member:remove"
    MEMBER_LINK = "member:link"
    MEMBER_RESET = "member:reset"
    PROFILE_CHANGE = "profile:change"
    PASSWORD_CHANGE = "profile:change_password"
    SECOND_STEP_ADD = "second_step:add"
    SECOND_STEP_REMOVE = "second_step:remove"
    SECOND_STEP_RENEW = "second_step:renew"
    SESSION_END = "session:end"
    SIGN_ON_CHANGE = "single_sign_on:change"
    SIGN_ON_DELETE = "single_sign_on:delete"
    SIGN_IN = "session:sign_in"
    SIGN_IN_FAIL = "session:fail"
    SIGN_OUT = "session:sign_out"
    TOKEN_CREATE = "token:create"
    TOKEN_REVOKE = "token:revoke"
    SOURCE_CREATE = "data_source:create"
    SOURCE_CHANGE = "data_source:change"
    SOURCE_CHECK = "data_source:check"
    SOURCE_DELETE = "data_source:delete"
    SOURCE_SUSPEND = "data_source:suspend"
    SOURCE_RESUME = "data_source:resume"
    SOURCE_LAPSE = "data_source:lapse"
    EXTERNAL_ID_ROTATE = "external_id:rotate"
    EXTERNAL_ID_CANCEL = "external_id:cancel"
    EXTERNAL_ID_REPLACE = "external_id:replace"
    APPLICATION_CREATE = "application:create"
    APPLICATION_CHANGE = "application:change"
    APPLICATION_DELETE = "application:delete"
    ALIAS_DECLARE = "alias:declare"
    ALIAS_WITHDRAW = "alias:withdraw"
    IMPORT_CREATE = "import:create"
    IMPORT_CHANGE = "import:change"
    IMPORT_SYNC = "import:sync"
    IMPORT_PAUSE = "import:pause"
    IMPORT_RESUME = "import:resume"
    IMPORT_DELETE = "import:delete"
    IMPORT_ROLLBACK = "import:rollback"
    ORGANIZATION_CHANGE = "organization:change"
    RUN_PUBLISH = "run:publish"
    RUN_APPROVE = "run:approve"
    RUN_DISCARD = "run:discard"
    RUN_HOLD = "run:hold"
    WEBHOOK_ADD = "webhook:add"
    WEBHOOK_REMOVE = "webhook:remove"
    NOTIFICATION_CHANGE = "notifications:change"
    CATALOG_EXPORT = "catalog:export"
    AUDIT_EXPORT = "audit_log:export"


def record(
    scope: Scope,
    action: Action,
    subject: models.Model,
    *,
    name: str = "",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> AuditEvent:
    """Write one event about `subject` in the current transaction, as the next link of the chain.

    From here to the transaction's end no other transaction of the organization can record anything: call
    it late, after the rows it is about are locked, and before nothing that takes long.
    """
    with acting_for(scope), transaction.atomic():
        head = _locked_head(scope)
        event = AuditEvent(
            organization_id=scope.organization_id,
            at=timezone.now(),
            actor_id=scope.actor_id or "",
            actor_name=storable(scope.actor_name)[:254],
            via=scope.via,
            address=scope.address or "",
            action=action.value,
            subject_id=str(subject.pk),
            subject_name=without_secrets(storable(name))[:1100],
            before=readable(before),
            after=readable(after),
            sequence=head.sequence + 1,
            previous_hash=head.hash,
        )
        event.hash = digest(event)
        event.save(force_insert=True)
        head.sequence, head.hash = event.sequence, event.hash
        head.save(update_fields=["sequence", "hash"])
    return event


def list_events(
    scope: Scope,
    *,
    actor: str = "",
    action: str = "",
    subject: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
) -> models.QuerySet[AuditEvent]:
    """The organization's audit events, newest first.

    `actor`: an id, or a part of a name. `action`: whole (`run:publish`) or its noun (`run`). `subject`: an
    id, or a part of a name. `since` is included, `until` is not. Raises: `NotAllowed`.
    """
    scope.require(Permission.AUDIT_READ)
    rows = scoped(AuditEvent, scope)
    if actor := _searchable(actor):
        rows = rows.filter(models.Q(actor_id=actor) | models.Q(actor_name__icontains=actor))
    if action := _searchable(action):
        rows = rows.filter(models.Q(action=action) | models.Q(action__startswith=f"{action}:"))
    if subject := _searchable(subject):
        rows = rows.filter(models.Q(subject_id=subject) | models.Q(subject_name__icontains=subject))
    if since is not None:
        rows = rows.filter(at__gte=since)
    if until is not None:
        rows = rows.filter(at__lt=until)
    return rows.order_by("-sequence")


def export_events(scope: Scope, **filters: Any) -> Iterator[AuditEvent]:
    """The events that `list_events` finds, oldest first, read in batches while they are written out.

    The export is recorded before the first one is read. Raises: `NotAllowed`.
    """
    rows = list_events(scope, **filters).order_by("sequence")
    organization = Organization.objects.get(pk=scope.organization_id)
    chosen = {name: value for name, value in filters.items() if value}
    record(scope, Action.AUDIT_EXPORT, organization, name=organization.name, after={"format": "ocsf", **chosen})
    return _in_batches(rows)


def _in_batches(rows: models.QuerySet[AuditEvent]) -> Iterator[AuditEvent]:
    after = 0
    while batch := list(rows.filter(sequence__gt=after)[:BATCH]):
        yield from batch
        after = batch[-1].sequence


def _searchable(text: str) -> str:
    return storable(text.strip()[:1100])  # type: ignore[no-any-return] # text stays text


def _locked_head(scope: Scope) -> AuditHead:
    """Where the organization's log ends, locked; made with the first event."""
    heads = scoped(AuditHead, scope).select_for_update()
    found = heads.first()
    if found is None:
        first = AuditHead(organization_id=scope.organization_id, sequence=0, hash=GENESIS)
        AuditHead.objects.bulk_create([first], ignore_conflicts=True)  # another transaction may be first
        found = heads.get()
    return found
