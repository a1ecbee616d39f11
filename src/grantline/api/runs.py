"""Runs: what each pass found, and the decision about one that is held."""

from __future__ import annotations

from typing import Annotated, Literal

from ninja import Query, Router
from pydantic import StrictStr

from grantline.api.bearer import ApiRequest
from grantline.api.bodies import Body
from grantline.api.openapi import answers
from grantline.api.pages import Cursor, Limit, Page, page
from grantline.api.run_documents import IssueDocument, RunDocument, issue_document, run_document
from grantline.control.runs import rules
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
) -> Page[IssueDocument]:
    """List the issues of a run in file order; of very many, the first 10,000 are kept."""
    run = rules.read(request.scope, run_id)
    rows = rules.list_issues(request.scope, run, code)
    return page(rows, ("ordinal",), issue_document, limit=limit, cursor=cursor)


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
