"""Imports that somebody prepares: where from, what it means, what will happen.

In: a scope and what the person has chosen so far. Out: a `Draft` row that survives a closed window, its
preview, and at the end the import with its first run. Nothing of the catalog changes before that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import models, transaction

from grantline.aws.buckets import validate_key
from grantline.control.applications.models import Application
from grantline.control.applications.rules import require
from grantline.control.imports import rules as imports
from grantline.control.imports.models import Draft, Import, Upload
from grantline.control.organizations.roles import Permission
from grantline.control.runs.models import Run, Trigger
from grantline.control.sources.models import DataSource
from grantline.control.tenancy import Scope, get, scoped
from grantline.errors import InputInvalid
from grantline.jobs.preview import preview_import
from grantline.jobs.requests import sync
from grantline.jobs.uploads import import_upload
from grantline.reading import as_mapping

FIELDS = ("data_source_id", "key", "pattern", "upload_id", "mapping")


@transaction.atomic
def start(scope: Scope, application_id: str, values: Mapping[str, Any] | None = None) -> Draft:
    """A new draft for an application. Raises: `NotFound`, `NotAllowed`, `InputInvalid`."""
    application = get(Application, scope, application_id)
    require(scope, application, Permission.IMPORT_WRITE)
    draft = Draft(organization_id=scope.organization_id, application=application, created_by=scope.actor_name)
    _assign(scope, draft, values or {})
    draft.save(force_insert=True)
    return draft


def read(scope: Scope, draft_id: str) -> Draft:
    """One draft of the organization. Raises: `NotFound`."""
    scope.require(Permission.IMPORT_READ)
    return get(Draft, scope, draft_id, related=["application", "data_source", "upload"])


def list_drafts(scope: Scope, application: Application) -> models.QuerySet[Draft]:
    """Drafts of one application, newest first."""
    rows = scoped(Draft, scope).filter(application=application).select_related("data_source", "upload")
    return rows.order_by("-created_at")


@transaction.atomic
def change(scope: Scope, draft_id: str, values: Mapping[str, Any]) -> Draft:
    """Store new values of any of `FIELDS`; a new file takes the mapping away unless one is given."""
    draft = get(Draft, scope, draft_id, lock=True)
    require(scope, draft.application, Permission.IMPORT_WRITE)
    before = (draft.data_source_id, draft.key, draft.pattern, draft.upload_id)
    _assign(scope, draft, values)
    if before != (draft.data_source_id, draft.key, draft.pattern, draft.upload_id) and "mapping" not in values:
        draft.mapping = None
    draft.save()
    return draft


@transaction.atomic
def drop(scope: Scope, draft_id: str) -> None:
    """Give a draft up."""
    draft = get(Draft, scope, draft_id, lock=True)
    require(scope, draft.application, Permission.IMPORT_WRITE)
    draft.delete()


def preview(scope: Scope, draft: Draft) -> dict[str, Any]:
    """What the draft's file would bring, as `jobs.preview` says. Raises: `InputInvalid` without a file."""
    if draft.upload_id is None and not (draft.data_source_id and (draft.key or draft.pattern)):
        raise InputInvalid("Choose a file first: one in a data source, or one by hand.", field="key")
    return preview_import(scope, _as_import(draft), draft.mapping, upload=draft.upload)


@transaction.atomic
def finish(scope: Scope, draft_id: str, *, interval_seconds: int | None = None) -> tuple[Import, Run]:
    """The import, and its first run, queued. Raises: `InputInvalid` where no file is chosen."""
    draft = get(Draft, scope, draft_id, lock=True)
    mapping = draft.mapping or {}
    if draft.upload is not None:
        item, run = import_upload(scope, draft.upload, mapping=mapping)
    else:
        values = {
            "data_source_id": draft.data_source_id,
            "key": draft.key,
            "pattern": draft.pattern,
            "mapping": mapping,
            "interval_seconds": interval_seconds,
        }
        if not draft.data_source_id:
            raise InputInvalid("Choose a file first: one in a data source, or one by hand.", field="key")
        item = imports.create(scope, draft.application_id, values)
        run = sync(scope, item.pk, Trigger.FIRST)
    draft.delete()
    return item, run


def _as_import(draft: Draft) -> Import:
    """The draft as the import it would become; not saved."""
    return Import(
        organization_id=draft.organization_id,
        application=draft.application,
        data_source=draft.data_source,
        key=draft.key,
        pattern=draft.pattern,
        mapping=draft.mapping or {},
    )


def _assign(scope: Scope, draft: Draft, values: Mapping[str, Any]) -> None:
    for field in values:
        if field not in FIELDS:
            raise InputInvalid(f"An import being prepared has no field {field!r}.", field=field)
    if values.get("data_source_id"):
        draft.data_source, draft.upload = get(DataSource, scope, str(values["data_source_id"])), None
    if values.get("key"):
        draft.key, draft.pattern = validate_key(str(values["key"])), ""
    if values.get("pattern"):
        draft.key, draft.pattern = "", imports.valid_pattern(str(values["pattern"]))
    if values.get("upload_id"):
        upload = get(Upload, scope, str(values["upload_id"]))
        if upload.application_id != draft.application_id:
            raise InputInvalid("That file was uploaded for another application.", field="upload_id")
        draft.upload, draft.data_source, draft.key, draft.pattern = upload, None, "", ""
    if "mapping" in values:
        draft.mapping = as_mapping(values["mapping"]).to_document() if values["mapping"] else None
