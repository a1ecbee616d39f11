"""What the file means and what will happen: the part of a draft's page that a change renews.

In: a draft, and on a POST the mapping editor's fields. Out: the editor and the consequences, as one
part. A mapping that is refused is not stored: the editor shows it with the reason at its place, and the
last one that was good stays.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from grantline.control.applications.rules import require
from grantline.control.imports.models import DEFAULT_INTERVAL_SECONDS, Draft
from grantline.control.organizations.roles import Permission
from grantline.errors import GrantlineError, InputInvalid
from grantline.jobs import drafts
from grantline.web.imports import words
from grantline.web.imports.mapping_form import button_words, document_of, editor_of
from grantline.web.imports.records import sample_records
from grantline.web.requests import PageRequest, wants_part
from grantline.web.runs.issues import groups_of
from grantline.web.runs.verdict import KINDS


@require_http_methods(["GET", "POST"])
def preview(request: PageRequest, draft_id: str) -> HttpResponse:
    """The part; after a POST with the mapping as it is now."""
    draft = drafts.read(request.scope, draft_id)
    require(request.scope, draft.application, Permission.IMPORT_WRITE)
    refused: tuple[dict[str, Any], GrantlineError] | None = None
    if request.method == "POST":
        document = _posted(request)
        try:
            draft = drafts.change(request.scope, draft.pk, {"mapping": document})
        except GrantlineError as error:
            refused = (document, error)
        else:
            draft = drafts.read(request.scope, draft_id)
    if not wants_part(request):
        return redirect(f"{request.path.removesuffix('/preview')}?preview=1")
    return render(request, "imports/_preview.html", preview_context(request, draft, refused))


def preview_context(
    request: PageRequest, draft: Draft, refused: tuple[dict[str, Any], GrantlineError] | None = None
) -> dict[str, Any]:
    """What the part shows. A file that cannot be read at all is told in its place."""
    try:
        document = drafts.preview(request.scope, draft)
    except GrantlineError as failure:
        document = {"error": failure.document()}
    chosen, error = (refused[0], refused[1].document()) if refused else (None, None)
    counts = document.get("counts") or {}
    number, noun = button_words(counts)
    problem = error or document.get("error")
    return {
        "draft": draft,
        "application": draft.application,
        "preview": document,
        "editor": editor_of(document, chosen, error),
        "problem": problem,
        "is_unreadable": problem is not None and str(problem["code"]).startswith("source_"),
        "changes": _changes(document),
        "counts": counts,
        "groups": groups_of(document.get("issue_counts") or {}),
        "records": sample_records(document),
        "import_count": number,
        "import_noun": noun,
        "may_import": problem is None and bool(number),
        "intervals": words.interval_options(DEFAULT_INTERVAL_SECONDS),
        "interval_seconds": DEFAULT_INTERVAL_SECONDS,
    }


def _posted(request: PageRequest) -> dict[str, Any]:
    try:
        return document_of(request.POST.dict())
    except ValueError as error:
        raise InputInvalid("The mapping that was sent cannot be read.", field="base") from error


def _changes(document: dict[str, Any]) -> list[dict[str, Any]]:
    found = document.get("changes") or {}
    return [{"kind": kind.capitalize(), **(found.get(kind) or {})} for kind in KINDS] if found else []
