"""Rules of imports: what they read, when they look, and in which state they are.

Invariant: an import reads one key or one pattern of one data source of its own organization, or takes
files by hand. What a run does with it is in `runs.rules` and `jobs`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from grantline.aws.buckets import validate_key
from grantline.control.applications.models import Application
from grantline.control.applications.rules import require
from grantline.control.audit.rules import Action, record
from grantline.control.imports.models import (
    LONGEST_INTERVAL_SECONDS,
    Import,
)
from grantline.control.imports.references import ReferenceMode
from grantline.control.imports.schedule import next_look
from grantline.control.organizations.roles import Permission
from grantline.control.sources.models import DataSource
from grantline.control.tenancy import Scope, get, scoped, system_scope
from grantline.errors import Conflict, InputInvalid
from grantline.reading import as_mapping

FIELDS = (
    "key",
    "pattern",
    "data_source_id",
    "mapping",
    "interval_seconds",
    "stale_after_seconds",
    "guard_share",
    "guard_count",
    "guard_growth_share",
    "allow_empty",
    "retention_days",
    "references",
)
LONGEST_RETENTION_DAYS = 36_525


@transaction.atomic
def create(scope: Scope, application_id: str, values: Mapping[str, Any]) -> Import:
    """A new import of an application. It looks for the first time when its interval comes round, or
    when it is told to.

    `values` may hold any of `FIELDS`; without a data source the import takes files by hand. Raises:
    `InputInvalid` naming the field, `MappingInvalid`, `NotFound`, `NotAllowed`.
    """
    application = get(Application, scope, application_id, lock=True)
    require(scope, application, Permission.IMPORT_WRITE)
    item = Import(organization_id=scope.organization_id, application=application, created_by=scope.actor_name)
    _assign(scope, item, values)
    if item.data_source_id is not None:
        item.next_run_at = next_look(item.pk, item.interval_seconds, timezone.now())
    item.save(force_insert=True)
    record(scope, Action.IMPORT_CREATE, item, name=item.title, after={"application": application.name})
    return item


def list_imports(scope: Scope, application: Application | None = None) -> models.QuerySet[Import]:
    """The organization's imports (of one application), oldest first."""
    scope.require(Permission.IMPORT_READ)
    rows = scoped(Import, scope).select_related("application", "data_source", "current_version", "organization")
    if application is not None:
        rows = rows.filter(application=application)
    return rows.order_by("created_at", "id")


def read(scope: Scope, import_id: str) -> Import:
    """One import. Raises: `NotFound`."""
    scope.require(Permission.IMPORT_READ)
    return get(Import, scope, import_id, related=["application", "data_source", "current_version", "organization"])


@transaction.atomic
def change(scope: Scope, import_id: str, values: Mapping[str, Any]) -> Import:
    """Store new values of any of `FIELDS`. The next look reads the file again if its meaning changed."""
    item = get(Import, scope, import_id, lock=True)
    require(scope, item.application, Permission.IMPORT_WRITE)
    before = _described(item)
    _assign(scope, item, values)
    if item.data_source_id is not None and item.paused_at is None:
        item.next_run_at = next_look(item.pk, item.interval_seconds, timezone.now())
    item.save()
    record(scope, Action.IMPORT_CHANGE, item, name=item.title, before=before, after=_described(item))
    return item


@transaction.atomic
def pause(scope: Scope, import_id: str) -> Import:
    """Stop looking until `resume`; what is known stays."""
    item = get(Import, scope, import_id, lock=True)
    require(scope, item.application, Permission.IMPORT_RUN)
    if item.paused_at is None:
        item.paused_at, item.next_run_at = timezone.now(), None
        item.save(update_fields=["paused_at", "next_run_at"])
        record(scope, Action.IMPORT_PAUSE, item, name=item.title)
    return item


@transaction.atomic
def resume(scope: Scope, import_id: str) -> Import:
    """Look again from now on."""
    item = get(Import, scope, import_id, lock=True)
    require(scope, item.application, Permission.IMPORT_RUN)
    if item.paused_at is not None:
        item.paused_at = None
        if item.data_source_id is not None:
            item.next_run_at = next_look(item.pk, item.interval_seconds, timezone.now())
        item.save(update_fields=["paused_at", "next_run_at"])
        record(scope, Action.IMPORT_RESUME, item, name=item.title)
    return item


@transaction.atomic
def delete(scope: Scope, import_id: str) -> None:
    """Remove an import with its runs, versions and index. Its files go with the next clean-up.

    Raises: `Conflict` while a run is under way.
    """
    from grantline.control.accounts.rules import clear_index, lock_index

    item = get(Import, scope, import_id, lock=True)
    require(scope, item.application, Permission.IMPORT_WRITE)
    if item.runs.filter(state="running").exists():
        raise Conflict("A run of this import is under way.", remedy="Wait until it has ended, then delete.")
    lock_index(item)
    record(scope, Action.IMPORT_DELETE, item, name=item.title, before=_described(item))
    scoped(Import, scope).filter(pk=item.pk).update(current_version=None)
    item.runs.all().delete()
    item.versions.all().delete()
    clear_index(item)
    item.delete()


def due(now: datetime, limit: int = 1000) -> list[Import]:
    """Imports of all organizations whose time has come, oldest first. Only the schedule calls this."""
    rows = Import.objects.filter(paused_at__isnull=True, next_run_at__lte=now)
    with system_scope("the schedule looks after every organization"):
        return list(rows.order_by("next_run_at")[:limit])


def _assign(scope: Scope, item: Import, values: Mapping[str, Any]) -> None:
    unknown = [field for field in values if field not in FIELDS]
    if unknown:
        raise InputInvalid(f"An import has no field {unknown[0]!r}.", field=unknown[0])
    if "data_source_id" in values and values["data_source_id"]:
        item.data_source = get(DataSource, scope, str(values["data_source_id"]))
    if values.get("key") and values.get("pattern"):
        raise InputInvalid("Give a key or a pattern, not both.", field="pattern")
    if values.get("key"):
        item.key, item.pattern = validate_key(str(values["key"])), ""
    if values.get("pattern"):
        item.key, item.pattern = "", valid_pattern(str(values["pattern"]))
    if (item.key or item.pattern) and item.data_source is None:
        raise InputInvalid("A key needs a data source to read it from.", field="data_source_id")
    if item.data_source is not None and not (item.key or item.pattern):
        raise InputInvalid("Name the file in the bucket (key), or a pattern that finds it.", field="key")
    _check_inside_prefix(item)
    if values.get("mapping") is not None:
        item.mapping = as_mapping(values["mapping"]).to_document() if values["mapping"] else {}
    _assign_numbers(item, values)


def _check_inside_prefix(item: Import) -> None:
    """A key or pattern outside the source's prefix could never be read: the policies do not allow it."""
    prefix = item.data_source.prefix if item.data_source else ""
    field, text = ("key", item.key) if item.key else ("pattern", item.pattern)
    if text and not text.startswith(prefix):
        raise InputInvalid(
            f"{text!r} is not under the data source's prefix {prefix!r}.",
            field=field,
            remedy=f"Give the whole name in the bucket, beginning with {prefix}, or widen the data source's prefix.",
        )


def _assign_numbers(item: Import, values: Mapping[str, Any]) -> None:
    if values.get("interval_seconds") is not None:
        item.interval_seconds = _whole(
            values["interval_seconds"],
            "interval_seconds",
            settings.GRANTLINE.minimum_interval_seconds,
            LONGEST_INTERVAL_SECONDS,
        )
    if "stale_after_seconds" in values:
        limit = values["stale_after_seconds"]
        item.stale_after_seconds = None if limit is None else _whole(limit, "stale_after_seconds", 900, 366 * 24 * 3600)
    for field, value in limits_from(values).items():
        setattr(item, field, value)
    if "allow_empty" in values:
        if not isinstance(values["allow_empty"], bool):
            raise InputInvalid("allow_empty is true or false.", field="allow_empty")
        item.allow_empty = values["allow_empty"]
    if "references" in values:
        if values["references"] not in tuple(ReferenceMode):
            raise InputInvalid("references is auto or own.", field="references")
        item.references = values["references"]
    if "retention_days" in values:
        days = values["retention_days"]
        item.retention_days = None if days is None else _whole(days, "retention_days", 0, LONGEST_RETENTION_DAYS)


def limits_from(values: Mapping[str, Any]) -> dict[str, Any]:
    """The guard's limits among `values`, checked; None: not set here. Raises: `InputInvalid`."""
    found: dict[str, Any] = {}
    if "guard_count" in values:
        count = values["guard_count"]
        found["guard_count"] = None if count is None else _whole(count, "guard_count", 0, 1_000_000_000)
    for field, high in (("guard_share", 1.0), ("guard_growth_share", 1000.0)):
        if field not in values:
            continue
        share = values[field]
        if share is not None and not _is_share(share, high):
            raise InputInvalid(f"{field} is a share from 0 to {high:g} (0.2 is 20 %).", field=field)
        found[field] = None if share is None else float(share)
    return found


def _is_share(value: Any, high: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= high


def _whole(value: Any, field: str, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        unit = f" ({_span(low)} to {_span(high)})" if field.endswith("seconds") else ""
        raise InputInvalid(f"{field} must be a whole number from {low:,} to {high:,}{unit}.", field=field)
    return value


def _span(seconds: int) -> str:
    delta = timedelta(seconds=seconds)
    if delta.days:
        return f"{delta.days} days"
    return f"{seconds // 60} minutes" if seconds >= 60 else f"{seconds} seconds"


def valid_pattern(pattern: str) -> str:
    """`pattern`, if it can find files. Raises: `InputInvalid`."""
    if len(pattern.encode()) > 1024 or "\x00" in pattern:
        raise InputInvalid("A pattern has at most 1,024 bytes and no NUL.", field="pattern")
    if not pattern.endswith("/") and not any(sign in pattern for sign in "*?["):
        raise InputInvalid(
            "A pattern finds the newest of several files and needs a * in it, or ends in / for all files of a folder.",
            field="pattern",
            remedy="Name one file as the key instead.",
        )
    if pattern.endswith(("/", "/**")) and any(sign in pattern.removesuffix("**") for sign in "*?["):
        raise InputInvalid(
            "A pattern that ends in / or /** means all files of that folder, so it can have no other wildcard.",
            field="pattern",
            remedy="Name the folder in full, such as exports/hr/.",
        )
    return pattern


def _described(item: Import) -> dict[str, Any]:
    return {
        "key": item.key,
        "pattern": item.pattern,
        "data_source_id": item.data_source_id,
        "interval_seconds": item.interval_seconds,
        "guard_share": item.guard_share,
        "guard_count": item.guard_count,
        "guard_growth_share": item.guard_growth_share,
        "allow_empty": item.allow_empty,
        "retention_days": item.retention_days,
        "references": item.references,
        "mapping": item.mapping,
    }
