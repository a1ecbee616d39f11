"""The imports of one application, with what each is doing, and drafts that were left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from grantline.control.applications.rules import read
from grantline.control.imports.models import Import
from grantline.control.imports.states import ImportState, import_state, state_sentence
from grantline.jobs.drafts import list_drafts
from grantline.web.applications.head import head_context
from grantline.web.imports.words import interval_words
from grantline.web.requests import PageRequest


@dataclass(frozen=True)
class ImportRow:
    """One import with its state in words."""

    item: Import
    state: ImportState
    sentence: str
    interval: str


@require_GET
def index(request: PageRequest, application_id: str) -> HttpResponse:
    """The tab *Imports*."""
    application = read(request.scope, application_id)
    context = head_context(request, application, "imports")
    now = timezone.now()
    rows = [import_row(item, now) for item in context["imports"]]
    drafts = list_drafts(request.scope, application)[:10] if context["may_import"] else ()
    return render(request, "imports/index.html", {**context, "rows": rows, "drafts": drafts})


def import_row(item: Import, now: datetime) -> ImportRow:
    """`item` with its state at `now`."""
    state = import_state(item, now)
    interval = interval_words(item.interval_seconds) if item.data_source_id else "Files by hand"
    return ImportRow(item, state, state_sentence(item, state, now), interval)
