"""The page of an import that is being prepared: where from, what it means, what will happen.

In: a draft's id and what its forms send. Out: the page, which opens where it was left. The second and
third step come as one part from `mapping`, because a preview reads the file and may take a while.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from grantline.control.applications.rules import require
from grantline.control.imports.models import DEFAULT_INTERVAL_SECONDS, Draft
from grantline.control.organizations.roles import Permission
from grantline.control.sources.rules import list_sources
from grantline.errors import GrantlineError, InputInvalid, answer
from grantline.jobs import drafts
from grantline.jobs.uploads import store_upload
from grantline.web.applications.trail import crumb, to_imports
from grantline.web.imports.mapping import preview_context
from grantline.web.imports.start import sent_file
from grantline.web.requests import PageRequest


@require_GET
def show(request: PageRequest, draft_id: str) -> HttpResponse:
    """The page of a draft; `?preview=1` reads the file right away, for browsers without script."""
    draft = drafts.read(request.scope, draft_id)
    context = page_context(request, draft)
    if context["has_file"] and request.GET.get("preview"):
        context |= preview_context(request, draft)
    return render(request, "imports/draft.html", context)


@require_POST
def change_source(request: PageRequest, draft_id: str) -> HttpResponse:
    """Another file: one of a data source, by key or by pattern."""
    name = "pattern" if request.POST.get("is_pattern") else "key"
    text = request.POST.get("key", "")
    values = {"data_source_id": request.POST.get("data_source_id", ""), name: text}
    try:
        if not values["data_source_id"]:
            raise InputInvalid("Choose the data source first.", field="data_source_id")
        if not text:
            raise InputInvalid("Name the file, or pick it from the list.", field="key")
        drafts.change(request.scope, draft_id, values)
    except InputInvalid as error:
        draft = drafts.read(request.scope, draft_id)
        context = page_context(request, draft, typed={**values, "key": text, "is_pattern": name == "pattern"})
        context["errors"] = {"key" if field == "pattern" else field: text for field, text in error.fields.items()}
        return render(request, "imports/draft.html", {**context, "is_choosing": True}, status=422)
    return redirect("import_draft", draft_id)


@require_POST
def upload(request: PageRequest, draft_id: str) -> HttpResponse:
    """Another file: one by hand."""
    draft = drafts.read(request.scope, draft_id)
    try:
        kept = store_upload(request.scope, draft.application_id, *sent_file(request))
    except GrantlineError as error:
        context = page_context(request, draft)
        context |= {"errors": {"file": f"{error.message} {error.remedy}"}, "is_choosing": True, "from_file": True}
        return render(request, "imports/draft.html", context, status=answer(error).status)
    drafts.change(request.scope, draft.pk, {"upload_id": kept.pk})
    return redirect("import_draft", draft.pk)


@require_POST
def finish(request: PageRequest, draft_id: str) -> HttpResponse:
    """The import and its first run; leads to the run, which shows itself as it goes."""
    text = request.POST.get("interval_seconds", "")
    interval = int(text) if text.isascii() and text.isdigit() else None
    _, run = drafts.finish(request.scope, draft_id, interval_seconds=interval)
    messages.success(request, "The import is made. This is its first run.")
    return redirect("run", run.pk)


@require_POST
def discard(request: PageRequest, draft_id: str) -> HttpResponse:
    """Give the draft up."""
    draft = drafts.read(request.scope, draft_id)
    drafts.drop(request.scope, draft.pk)
    messages.success(request, "Discarded. Nothing of the application was changed.")
    return redirect("application_imports", draft.application_id)


def page_context(request: PageRequest, draft: Draft, typed: dict[str, Any] | None = None) -> dict[str, Any]:
    """What the page shows beside the preview."""
    require(request.scope, draft.application, Permission.IMPORT_WRITE)
    sources = list(list_sources(request.scope))
    connected = [source for source in sources if source.verified_at is not None and source.bucket]
    chosen = draft.data_source_id or (connected[0].pk if len(connected) == 1 else "")
    return {
        "draft": draft,
        "application": draft.application,
        "sources": [(source.pk, f"{source.name} ({source.bucket})") for source in connected],
        "has_file": bool(draft.upload_id or (draft.data_source_id and (draft.key or draft.pattern))),
        "is_choosing": bool(request.GET.get("choose")),
        "from_file": request.GET.get("from") == "file" or bool(draft.upload_id),
        "typed": typed
        or {
            "data_source_id": chosen,
            "key": draft.key or draft.pattern,
            "is_pattern": bool(draft.pattern),
        },
        "errors": {},
        "interval_seconds": DEFAULT_INTERVAL_SECONDS,
        "breadcrumbs": [*to_imports(draft.application), crumb("Import app data")],
    }
