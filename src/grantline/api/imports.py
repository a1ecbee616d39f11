"""Imports: what an application reads, when, and what to do about it now."""

from __future__ import annotations

from typing import Annotated, Any

from ninja import Query, Router, Status
from pydantic import Field, StrictInt, StrictStr

from grantline.api.bearer import ApiRequest
from grantline.api.bodies import Body, Nothing
from grantline.api.import_documents import (
    ImportChange,
    ImportDocument,
    NewImport,
    VersionDocument,
    import_document,
    version_document,
)
from grantline.api.openapi import answers
from grantline.api.pages import Cursor, Limit, Page, page
from grantline.api.retention import RetentionEffect
from grantline.api.run_documents import RunDocument, run_document
from grantline.control.applications import rules as applications
from grantline.control.imports import rules
from grantline.control.imports.retention import effect
from grantline.control.imports.states import with_active_states
from grantline.control.organizations.roles import Permission
from grantline.control.runs import rules as runs
from grantline.control.runs.models import Trigger
from grantline.jobs import requests

router = Router(tags=["imports"])

ORDER = ("created_at", "id")


class PreviewRequest(Body):
    """What to look at the file with."""

    mapping: dict[str, Any] | None = Field(default=None, description="Tried instead of the import's own.")


class Rollback(Body):
    """Which version comes back, and why; both are kept in the audit log."""

    version: StrictInt
    reason: StrictStr


@router.post("/applications/{application_id}/imports", response=answers(201, ImportDocument, 404, body=True))
def create_import(request: ApiRequest, application_id: str, body: NewImport) -> Status[ImportDocument]:
    """Make an import of an application.

    It looks by itself when its interval comes round; ask for a sync to have it look now.
    """
    item = rules.create(request.scope, application_id, body.model_dump(exclude_unset=True))
    return Status(201, import_document(item))


@router.get("/applications/{application_id}/imports", response=answers(200, Page[ImportDocument], 404))
def list_imports_of_application(
    request: ApiRequest, application_id: str, limit: Limit, cursor: Cursor
) -> Page[ImportDocument]:
    """List the imports of an application, oldest first."""
    application = applications.read(request.scope, application_id)
    rows = with_active_states(rules.list_imports(request.scope, application))
    return page(rows, ORDER, import_document, limit=limit, cursor=cursor)


@router.get("/imports", response=answers(200, Page[ImportDocument]))
def list_imports(request: ApiRequest, limit: Limit, cursor: Cursor) -> Page[ImportDocument]:
    """List the imports of all applications, oldest first."""
    rows = with_active_states(rules.list_imports(request.scope))
    return page(rows, ORDER, import_document, limit=limit, cursor=cursor)


@router.get("/imports/{import_id}", response=answers(200, ImportDocument, 404))
def read_import(request: ApiRequest, import_id: str) -> ImportDocument:
    """Read an import."""
    return import_document(rules.read(request.scope, import_id))


@router.patch("/imports/{import_id}", response=answers(200, ImportDocument, 404, body=True))
def change_import(request: ApiRequest, import_id: str, body: ImportChange) -> ImportDocument:
    """Change an import; the next look reads the file again if its meaning changed."""
    return import_document(rules.change(request.scope, import_id, body.model_dump(exclude_unset=True)))


@router.delete("/imports/{import_id}", response=answers(204, None, 404, 409))
def delete_import(request: ApiRequest, import_id: str) -> Status[None]:
    """Delete an import with its runs, its versions and their history."""
    rules.delete(request.scope, import_id)
    return Status(204, None)


@router.post("/imports/{import_id}/preview", response=answers(200, dict[str, Any], 404, 409, 502, 503, body=True))
def preview_import(request: ApiRequest, import_id: str, body: PreviewRequest | None = None) -> dict[str, Any]:
    """Read the import's file and say what it would bring, without storing anything."""
    item = rules.read(request.scope, import_id)
    applications.require(request.scope, item.application, Permission.IMPORT_RUN)
    return requests.preview(request.scope, item, body.mapping if body else None)


@router.post("/imports/{import_id}/sync", response=answers(202, RunDocument, 404, 409, body=True))
def sync_import(request: ApiRequest, import_id: str, body: Nothing | None = None) -> Status[RunDocument]:
    """Queue a run now; where one is queued or running already, that one is answered."""
    run = requests.sync(request.scope, import_id, Trigger.API)
    return Status(202, run_document(run))


@router.post("/imports/{import_id}/rollback", response=answers(202, RunDocument, 404, 409, body=True))
def roll_import_back(request: ApiRequest, import_id: str, body: Rollback) -> Status[RunDocument]:
    """Queue a run that brings an earlier version back, as a new version.

    The object in the bucket is not imported again until it changes; the same bytes as a new object are
    held for a person. What was so in between stays in the history.
    """
    run = requests.rollback(request.scope, import_id, body.version, body.reason)
    return Status(202, run_document(run))


@router.get("/imports/{import_id}/versions", response=answers(200, Page[VersionDocument], 404))
def list_versions(request: ApiRequest, import_id: str, limit: Limit, cursor: Cursor) -> Page[VersionDocument]:
    """List the versions of an import that are kept, newest first."""
    rows = runs.list_versions(request.scope, rules.read(request.scope, import_id))
    return page(rows, ("-number",), version_document, limit=limit, cursor=cursor)


@router.get("/imports/{import_id}/retention", response=answers(200, RetentionEffect, 404, 503))
def preview_import_retention(
    request: ApiRequest,
    import_id: str,
    days: Annotated[int, Query(0, ge=0, le=36525, description="0: everything is kept.")],
) -> RetentionEffect:
    """Say what keeping this many days of an import would remove, before it is stored."""
    return RetentionEffect.model_validate(vars(effect(rules.read(request.scope, import_id), days)))


@router.post("/imports/{import_id}/pause", response=answers(200, ImportDocument, 404, body=True))
def pause_import(request: ApiRequest, import_id: str, body: Nothing | None = None) -> ImportDocument:
    """Stop looking until somebody resumes the import; what is known stays."""
    return import_document(rules.pause(request.scope, import_id))


@router.post("/imports/{import_id}/resume", response=answers(200, ImportDocument, 404, body=True))
def resume_import(request: ApiRequest, import_id: str, body: Nothing | None = None) -> ImportDocument:
    """Look again from now on."""
    return import_document(rules.resume(request.scope, import_id))


@router.get("/imports/{import_id}/runs", response=answers(200, Page[RunDocument], 404))
def list_runs_of_import(request: ApiRequest, import_id: str, limit: Limit, cursor: Cursor) -> Page[RunDocument]:
    """List the runs of an import, newest first."""
    item = rules.read(request.scope, import_id)
    return page(runs.list_runs(request.scope, item), ("-number",), run_document, limit=limit, cursor=cursor)
