"""Writing the audit log.

Every action is one line of one enum, `noun:verb`. `record` is called inside the transaction of the
change it describes. Secrets never enter it: callers pass plain fields, and `SECRET_FIELDS` is checked.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from django.db import models

from grantline.control.audit.models import AuditEvent
from grantline.control.tenancy import Scope

SECRET_FIELDS = frozenset({"password", "token", "secret", "hash"})


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
    IMPORT_CREATE = "import:create"
    IMPORT_CHANGE = "import:change"
    IMPORT_SYNC = "import:sync"
    IMPORT_PAUSE = "import:pause"
    IMPORT_RESUME = "import:resume"
    IMPORT_DELETE = "import:delete"
    RUN_PUBLISH = "run:publish"
    RUN_APPROVE = "run:approve"
    RUN_DISCARD = "run:discard"


def record(
    scope: Scope,
    action: Action,
    subject: models.Model,
    *,
    name: str = "",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> AuditEvent:
    """Write one event about `subject` in the current transaction."""
    for document in (before, after):
        if document and SECRET_FIELDS & document.keys():
            raise ValueError("a secret field must not enter the audit log")
    return AuditEvent.objects.create(
        organization_id=scope.organization_id,
        actor_id=scope.actor_id or "",
        actor_name=scope.actor_name,
        via=scope.via,
        address=scope.address or "",
        action=action.value,
        subject_id=str(subject.pk),
        subject_name=name,
        before=before,
        after=after,
    )
