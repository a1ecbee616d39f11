"""The mapping of an import that exists: looked at with its file, changed, and saved.

In: an import; on a POST the editor's fields or its YAML. Out: the editor with what would change against the
current version; after *Save* the import's page. Nothing is stored before that: the form carries what was
changed. The file is the object as it is in the bucket now, or the last upload; where it cannot be read, the
mapping can be saved all the same. Who may do it is who may change the import by the API.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from grantline.control.applications.rules import require
from grantline.control.imports import rules
from grantline.control.imports.models import Import
from grantline.control.organizations.roles import Permission
from grantline.errors import Conflict, GrantlineError
from grantline.jobs.fetching import mapping_digest
from grantline.jobs.fetching_sets import reads_all
from grantline.jobs.preview import preview_import
from grantline.web.applications.trail import crumb, to_import
from grantline.web.imports.mapping import editor_context
from grantline.web.imports.mapping_form import Sent, sent_mapping
from grantline.web.requests import PageRequest, wants_part


@require_http_methods(["GET", "POST"])
def edit(request: PageRequest, import_id: str) -> HttpResponse:
    """The page; its part where htmx asks; after *Save* the way back to the import."""
    item = rules.read(request.scope, import_id)
    require(request.scope, item.application, Permission.IMPORT_WRITE)
    sent = _sent(request)
    if sent is not None and sent.error is None and ("save" in request.POST or "forget" in request.POST):
        if _is_as_it_was(request, item):
            return _saved(request, item, sent.document)
        sent = Sent(sent.document, sent.text, _changed_meanwhile())
    is_read = request.method == "POST" or wants_part(request) or bool(request.GET.get("preview"))
    context = _page_context(item, request) | (_read_context(request, item, sent) if is_read else {})
    if wants_part(request):
        return render(request, "imports/_edit.html", context)
    status = 422 if sent is not None and sent.error is not None else 200
    return render(request, "imports/edit.html", context, status=status)


def _sent(request: PageRequest) -> Sent | None:
    """What was sent; the button that forgets the mapping sends an empty one."""
    if request.method != "POST":
        return None
    return Sent({}) if "forget" in request.POST else sent_mapping(request.POST.dict())


def _is_as_it_was(request: PageRequest, item: Import) -> bool:
    return request.POST.get("stored") == mapping_digest(item.mapping)


def _changed_meanwhile() -> Conflict:
    return Conflict(
        "Somebody else has changed this mapping meanwhile, so yours was not saved.",
        remedy="Open this page anew to see theirs; keep yours by copying it from the YAML view.",
    )


def _saved(request: PageRequest, item: Import, document: dict[str, Any]) -> HttpResponse:
    """Store it, and say when it is used."""
    if document == item.mapping:
        messages.info(request, "Nothing was changed.")
    else:
        changed = rules.change(request.scope, item.pk, {"mapping": document})
        messages.success(request, f"The mapping is saved. {_when(changed)}")
    if not wants_part(request):
        return redirect("import", item.pk)
    answer = HttpResponse(status=204)
    answer["HX-Redirect"] = reverse("import", args=[item.pk])
    return answer


def _when(item: Import) -> str:
    if item.data_source_id is None:
        return "The next file is read with it; the guard applies."
    if item.next_run_at is None:
        return "The file is read with it once the import is resumed; the guard applies."
    return f"The next look, at {item.next_run_at:%H:%M} UTC or by Sync now, reads the file with it; the guard applies."


def _read_context(request: PageRequest, item: Import, sent: Sent | None) -> dict[str, Any]:
    """The editor with the file read by the mapping as it is now."""
    is_usable = sent is not None and (sent.error is None or isinstance(sent.error, Conflict))
    tried = sent.document if sent is not None and is_usable else item.mapping
    try:
        document = preview_import(request.scope, item, tried)
    except GrantlineError as failure:
        document = {"error": failure.document(), "mapping": tried}
    return editor_context(request, document, sent, is_folder=reads_all(item.pattern))


def _page_context(item: Import, request: PageRequest) -> dict[str, Any]:
    return {
        "item": item,
        "application": item.application,
        "stored": request.POST.get("stored") or mapping_digest(item.mapping),
        "is_recognized": not item.mapping,
        "breadcrumbs": [*to_import(item), crumb("Edit mapping")],
    }
