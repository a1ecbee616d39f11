"""What the file means and what will happen: the part of a draft's page that a change renews.

In: a draft, and on a POST the mapping editor's fields or its YAML. Out: the editor and the consequences, as
one part, or as the whole page where no script asks. A mapping that is refused is not stored: the editor
shows it with the reason at its place, and the last one that was good stays.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from grantline.control.applications.rules import require
from grantline.control.imports.models import DEFAULT_INTERVAL_SECONDS, Draft
from grantline.control.organizations.roles import Permission
from grantline.errors import GrantlineError
from grantline.jobs import drafts
from grantline.jobs.fetching_sets import reads_all
from grantline.web.imports import words
from grantline.web.imports.editor import editor_of
from grantline.web.imports.fields import CONDITIONS, DATES, ZONES
from grantline.web.imports.mapping_form import Sent, button_words, sent_mapping
from grantline.web.imports.records import sample_records
from grantline.web.requests import PageRequest, wants_part
from grantline.web.runs.issues import groups_of
from grantline.web.runs.verdict import KINDS


@require_http_methods(["GET", "POST"])
def preview(request: PageRequest, draft_id: str) -> HttpResponse:
    """The part; after a POST with the mapping as it is now."""
    draft = drafts.read(request.scope, draft_id)
    require(request.scope, draft.application, Permission.IMPORT_WRITE)
    sent = sent_mapping(request.POST.dict()) if request.method == "POST" else None
    if sent is not None and sent.error is None:
        drafts.change(request.scope, draft.pk, {"mapping": sent.document})
        draft = drafts.read(request.scope, draft_id)
    if wants_part(request):
        return render(request, "imports/_preview.html", preview_context(request, draft, sent))
    if sent is not None and sent.error is not None:
        return _whole_page(request, draft, sent)
    view = "&view=yaml" if shown_view(request, sent) == "yaml" else ""
    return redirect(f"{request.path.removesuffix('/preview')}?preview=1{view}")


def preview_context(request: PageRequest, draft: Draft, sent: Sent | None = None) -> dict[str, Any]:
    """What the part of a draft shows. A file that cannot be read at all is told in its place."""
    try:
        document = drafts.preview(request.scope, draft)
    except GrantlineError as failure:
        document = {"error": failure.document()}
    context = editor_context(request, document, sent, is_folder=reads_all(draft.pattern))
    number, noun = button_words(context["counts"])
    return context | {
        "draft": draft,
        "application": draft.application,
        "import_count": number,
        "import_noun": noun,
        "may_import": context["problem"] is None and bool(number),
        "intervals": words.interval_options(DEFAULT_INTERVAL_SECONDS),
        "interval_seconds": DEFAULT_INTERVAL_SECONDS,
    }


def editor_context(
    request: PageRequest, document: dict[str, Any], sent: Sent | None, *, is_folder: bool = False
) -> dict[str, Any]:
    """What the editor and the consequences show, of a draft or of an import."""
    refused = sent if sent is not None and sent.error is not None else None
    error = refused.error.document() if refused and refused.error else None
    view = shown_view(request, sent)
    chosen = refused.document if refused and refused.text is None else None
    text = sent.text if sent and (sent.error or view == "yaml") else None
    problem = error or document.get("error")
    return {
        "preview": document,
        "editor": editor_of(document, chosen, error, text=text, is_folder=is_folder),
        "view": view,
        "problem": problem,
        "is_refused": refused is not None,
        "is_unreadable": problem is not None and str(problem["code"]).startswith("source_"),
        "changes": _changes(document),
        "counts": document.get("counts") or {},
        "groups": groups_of(document.get("issue_counts") or {}),
        "records": sample_records(document),
        "conditions": CONDITIONS,
        "date_formats": DATES,
        "time_zones": ZONES,
    }


def shown_view(request: PageRequest, sent: Sent | None) -> str:
    """`columns` or `yaml`: the one that was asked for; YAML that is refused stays where it can be corrected."""
    if sent is not None and sent.text is not None and sent.error is not None:
        return "yaml"
    asked = request.POST.get("view") or request.GET.get("view") or ("yaml" if "yaml" in request.POST else "")
    return "yaml" if asked == "yaml" else "columns"


def _whole_page(request: PageRequest, draft: Draft, sent: Sent) -> HttpResponse:
    """The page of the draft with what is refused; where no script asks for the part."""
    from grantline.web.imports.drafts import page_context

    context = page_context(request, draft) | preview_context(request, draft, sent)
    return render(request, "imports/draft.html", context, status=422)


def _changes(document: dict[str, Any]) -> list[dict[str, Any]]:
    found = document.get("changes") or {}
    return [{"kind": kind.capitalize(), **(found.get(kind) or {})} for kind in KINDS] if found else []
