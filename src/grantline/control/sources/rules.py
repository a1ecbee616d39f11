"""Rules of data sources: making, changing and deleting them, with an External ID that survives.

Invariants: an External ID is made by the server with the row (`external_ids`); a source is *connected*
only through a finished check whose trust steps passed for exactly the values that are stored (`checks`);
any change of those values ends that in the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from grantline.aws.arns import parse_role_arn, validate_kms_key_arn
from grantline.aws.buckets import validate_bucket, validate_bucket_owner, validate_prefix, validate_region
from grantline.control.audit.rules import Action, record
from grantline.control.organizations.roles import Permission
from grantline.control.sources.checks import CONNECTION_FIELDS
from grantline.control.sources.external_ids import issue, retire_all
from grantline.control.sources.models import DataSource
from grantline.control.sources.trust import end_proof
from grantline.control.tenancy import Scope, get, scoped
from grantline.errors import Conflict, InputInvalid

OTHER_FIELDS = ("name", "versioned", "kms_key_arn")


@transaction.atomic
def create(scope: Scope, name: str) -> DataSource:
    """A new data source with its own External ID. Raises: `InputInvalid` for the name."""
    scope.require(Permission.SOURCE_WRITE)
    source = DataSource(
        organization_id=scope.organization_id,
        name=_valid_name(scope, name),
        created_by=scope.actor_name,
    )
    source.external_id = issue(scope.organization_id, source.pk)
    source.save(force_insert=True)
    record(scope, Action.SOURCE_CREATE, source, name=source.name, after={"external_id": source.external_id})
    return source


def list_sources(scope: Scope) -> models.QuerySet[DataSource]:
    """The organization's data sources, newest first, each with `import_count`."""
    scope.require(Permission.SOURCE_READ)
    rows = scoped(DataSource, scope).annotate(import_count=models.Count("imports"))
    return rows.order_by("-created_at", "id")


def read(scope: Scope, source_id: str) -> DataSource:
    """One data source. Raises: `NotFound`."""
    scope.require(Permission.SOURCE_READ)
    return get(DataSource, scope, source_id)


@transaction.atomic
def change(scope: Scope, source_id: str, values: Mapping[str, Any]) -> DataSource:
    """Store new values of any of `CONNECTION_FIELDS` and `OTHER_FIELDS`.

    Where a connection field changes, the proof of trust is gone in the same transaction and the state
    is *awaiting role*. Raises: `InputInvalid` with a message per wrong field; then nothing is stored.
    """
    scope.require(Permission.SOURCE_WRITE)
    source = get(DataSource, scope, source_id, lock=True)
    clean = _valid_values(scope, source, values)
    before = {field: getattr(source, field) for field in clean if getattr(source, field) != clean[field]}
    if not before:
        return source
    for field in before:
        setattr(source, field, clean[field])
    if any(field in CONNECTION_FIELDS for field in before):
        end_proof(source)
    source.changed_at = timezone.now()
    source.save()
    record(
        scope,
        Action.SOURCE_CHANGE,
        source,
        name=source.name,
        before=before,
        after={field: clean[field] for field in before},
    )
    return source


@transaction.atomic
def delete(scope: Scope, source_id: str) -> None:
    """Remove a data source; its External ID stays on record. Raises: `Conflict` while imports use it."""
    scope.require(Permission.SOURCE_WRITE)
    source = get(DataSource, scope, source_id, lock=True)
    used_by = list(source.imports.select_related("application")[:3])
    if used_by:
        names = ", ".join(f"{item.application.name}: {item.title}" for item in used_by)
        raise Conflict(
            f"The data source {source.name} is used by imports ({names}).",
            remedy="Delete these imports first, or let them read from another data source.",
        )
    retire_all(source)
    record(scope, Action.SOURCE_DELETE, source, name=source.name, before={"external_id": source.external_id})
    source.delete()


def _valid_name(scope: Scope, name: Any, *, besides: DataSource | None = None) -> str:
    text = str(name).strip() if isinstance(name, str) else ""
    if not 1 <= len(text) <= 200 or any(not character.isprintable() for character in text):
        raise InputInvalid("The name must have 1 to 200 printable characters.", field="name")
    taken = scoped(DataSource, scope).filter(name=text)
    if taken.exclude(pk=besides.pk if besides else "").exists():
        raise InputInvalid(f"There is already a data source named {text!r}.", field="name")
    return text


def _valid_values(scope: Scope, source: DataSource, values: Mapping[str, Any]) -> dict[str, Any]:
    """Every field checked; all that is wrong is said at once."""
    clean: dict[str, Any] = {}
    wrong: dict[str, InputInvalid] = {}
    for field, value in values.items():
        try:
            clean[field] = _valid_value(scope, source, field, value, values)
        except InputInvalid as error:
            wrong[field] = error
    if wrong:
        first = next(iter(wrong.values()))
        raise InputInvalid(
            first.message,
            fields={field: error.message for field, error in wrong.items()},
            remedy=first.remedy,
        )
    return clean


def _valid_value(scope: Scope, source: DataSource, field: str, value: Any, values: Mapping[str, Any]) -> str | bool:
    if field == "versioned":
        return bool(value)
    if not isinstance(value, str) and value is not None:
        raise InputInvalid(f"{field} must be text.", field=field)
    text = (value or "").strip() if field != "prefix" else (value or "")
    if field == "name":
        return _valid_name(scope, text, besides=source)
    if field not in CONNECTION_FIELDS and field not in OTHER_FIELDS:
        raise InputInvalid(f"A data source has no field {field!r} that can be changed.", field=field)
    if not text:
        return ""
    if field == "role_arn":
        return parse_role_arn(text, own_account=_own(4), own_partition=_own(1)).text
    if field == "bucket":
        return validate_bucket(text)
    if field == "prefix":
        return validate_prefix(text)
    if field == "region":
        return validate_region(text, _partition(values.get("role_arn") or source.role_arn))
    if field == "bucket_owner":
        return validate_bucket_owner(text)
    if field == "kms_key_arn":
        return validate_kms_key_arn(text)
    return text


def _own(part: int) -> str | None:
    """The partition (1) or the account (4) that Grantline itself runs in, from the operator's setting."""
    arn: str | None = settings.GRANTLINE.service_role_arn
    return arn.split(":")[part] if arn else None


def _partition(role_arn: Any) -> str:
    try:
        return parse_role_arn(str(role_arn)).partition
    except InputInvalid:
        return "aws"
