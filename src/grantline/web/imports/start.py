"""The beginning of an import: which application, from a data source or from a file.

In: an application, and perhaps a data source and a key that somebody picked elsewhere. Out: a draft,
which survives a closed window, and the way to its page.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from grantline.control.applications import rules as applications
from grantline.control.organizations.roles import Permission
from grantline.control.sources.rules import list_sources
from grantline.errors import GrantlineError, InputInvalid, answer
from grantline.jobs import drafts
from grantline.jobs.uploads import store_upload
from grantline.web.applications.trail import crumb, to_applications, to_imports
from grantline.web.requests import PageRequest


@require_GET
def choose_application(request: PageRequest) -> HttpResponse:
    """Which application a file picked from a bucket belongs to."""
    scope = request.scope
    found = [
        application
        for application in applications.list_applications(scope)
        if applications.may(scope, application, Permission.IMPORT_WRITE)
    ]
    context = {
        "applications": found,
        "data_source_id": request.GET.get("data_source", ""),
        "key": request.GET.get("key", ""),
        "may_create": scope.may(Permission.APPLICATION_CREATE),
        "breadcrumbs": [*to_applications(), crumb("Import app data")],
    }
    return render(request, "imports/choose.html", context)


@require_http_methods(["GET", "POST"])
def new(request: PageRequest, application_id: str) -> HttpResponse:
    """From data source or from file; drafts that were left are offered first."""
    scope = request.scope
    application = applications.read(scope, application_id)
    applications.require(scope, application, Permission.IMPORT_WRITE)
    if request.method == "POST":
        values = {name: request.POST[name] for name in ("data_source_id", "key") if request.POST.get(name)}
        return redirect("import_draft", drafts.start(scope, application.pk, values).pk)
    return render(request, "imports/new.html", _context(request, application_id))


@require_POST
def upload(request: PageRequest, application_id: str) -> HttpResponse:
    """A draft of a file by hand."""
    try:
        kept = store_upload(request.scope, application_id, *sent_file(request))
    except GrantlineError as error:
        context = {**_context(request, application_id), "error": f"{error.message} {error.remedy}"}
        return render(request, "imports/new.html", context, status=answer(error).status)
    draft = drafts.start(request.scope, application_id, {"upload_id": kept.pk})
    messages.success(request, f"{kept.file_name} is kept. Nothing of the application has changed yet.")
    return redirect("import_draft", draft.pk)


def sent_file(request: PageRequest) -> tuple[Iterator[bytes], str]:
    """The file that a form brought and its name, as `store_upload` takes them.

    Raises: `InputInvalid` where there is none.
    """
    file = request.FILES.get("file")
    if not isinstance(file, UploadedFile):
        raise InputInvalid("There is no file in what was sent.", field="file", remedy="Choose a file, then send it.")
    return file.chunks(), file.name or ""


def _context(request: PageRequest, application_id: str) -> dict[str, object]:
    application = applications.read(request.scope, application_id)
    sources = list(list_sources(request.scope))
    return {
        "application": application,
        "drafts": drafts.list_drafts(request.scope, application)[:5],
        "has_sources": bool(sources),
        "has_connected": any(source.verified_at is not None for source in sources),
        "error": "",
        "breadcrumbs": [*to_imports(application), crumb("Import app data")],
    }
