"""Runs: what each pass found, and the decision about one that is held."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

from ninja import Query, Router
from pydantic import StrictStr

from grantline.api.bearer import ApiRequest
from grantline.api.bodies import Body
from grantline.api.catalog import Account, Entitlement, KindChosen, OpChosen
from grantline.api.catalog_documents import AffectedDocument, AffectedPage, ChangeDocument, RenameDocument
from grantline.api.openapi import answers
from grantline.api.pages import Cursor, Limit, Page, page
from grantline.api.run_documents import IssueDocument, RunDocument, issue_document, run_document
from grantline.control.runs import changes, rules
from grantline.jobs import requests

router = Router(tags=["runs"])

Code = Literal["", "row_width", "row_key_missing", "row_key_duplicate", "value_invalid", "reference_unknown"]


class Approval(Body):
    """Why the removal is right; kept in the audit log."""

    reason: StrictStr


class Discarding(Body):
    """Why the proposal is dropped."""

    reason: StrictStr = ""


@router.get("", response=answers(200, Page[RunDocument]))
def list_runs(request: ApiRequest, limit: Limit, cursor: Cursor) -> Page[RunDocument]:
    """List the runs of all imports, newest first."""
    return page(rules.list_runs(request.scope), ("-queued_at", "-id"), run_document, limit=limit, cursor=cursor)


@router.get("/{run_id}", response=answers(200, RunDocument, 404))
def read_run(request: ApiRequest, run_id: str) -> RunDocument:
    """Read a run."""
    return run_document(rules.read(request.scope, run_id))


@router.get("/{run_id}/issues", response=answers(200, Page[IssueDocument], 404))
def list_issues(
    request: ApiRequest,
    run_id: str,
    limit: Limit,
    cursor: Cursor,
    code: Annotated[Code, Query("", description="Only this code.")],
    record: Annotated[bool, Query(False, description="With the row of each as it stands in the file, masked.")],
) -> Page[IssueDocument]:
    """List the issues of a run in file order; of very many, the first 10,000 are kept."""
    run = rules.read(request.scope, run_id)
    rows = rules.list_issues(request.scope, run, code, with_records=record)
    return page(rows, ("ordinal",), partial(issue_document, record=record), limit=limit, cursor=cursor)


@router.get("/{run_id}/changes", response=answers(200, Page[ChangeDocument], 404, 409, 503))
def list_run_changes(
    request: ApiRequest,
    run_id: str,
    limit: Limit,
    cursor: Cursor,
    kind: KindChosen,
    op: OpChosen,
    account: Account,
    entitlement: Entitlement,
) -> Page[ChangeDocument]:
    """List what a published run changed, or what a held one would change, row by row.

    Rows of a held run have no `since`: nothing has happened yet.
    """
    rows = changes.changes(
        request.scope,
        rules.read(request.scope, run_id),
        kind=kind,
        op=op,
        account=account,
        entitlement=entitlement,
        limit=limit,
        cursor=cursor,
    )
    return Page(items=[ChangeDocument.model_validate(row) for row in rows.items], next=rows.next)


@router.get("/{run_id}/affected", response=answers(200, AffectedPage, 404, 409, 503))
def list_affected(request: ApiRequest, run_id: str, limit: Limit, cursor: Cursor) -> AffectedPage:
    """List the accounts that lose something by a run, those that lose most grants first."""
    run = rules.read(request.scope, run_id)
    rows, total = changes.affected(request.scope, run, limit=limit, cursor=cursor)
    items = [AffectedDocument.model_validate(row) for row in rows.items]
    return AffectedPage(total=total, items=items, next=rows.next)


@router.get("/{run_id}/renames", response=answers(200, Page[RenameDocument], 404, 409, 503))
def list_likely_renames(request: ApiRequest, run_id: str) -> Page[RenameDocument]:
    """List keys that a run likely renamed: one went, one came, and both are otherwise the same.

    Nothing follows from it by itself; declare an alias where it is right.
    """
    found = changes.renames(request.scope, rules.read(request.scope, run_id))
    return Page(items=[RenameDocument.model_validate(row) for row in found], next=None)


@router.post("/{run_id}/approve", response=answers(200, RunDocument, 404, 409, body=True))
def approve_run(request: ApiRequest, run_id: str, body: Approval) -> RunDocument:
    """Publish what a held run proposes."""
    requests.approve(request.scope, run_id, body.reason)
    return run_document(rules.read(request.scope, run_id))


@router.post("/{run_id}/discard", response=answers(200, RunDocument, 404, 409, body=True))
def discard_run(request: ApiRequest, run_id: str, body: Discarding | None = None) -> RunDocument:
    """Drop what a held run proposes; the import's data stays as it is."""
    rules.discard(request.scope, run_id, body.reason if body else "")
    return run_document(rules.read(request.scope, run_id))
