"""What changed in an application: by day and run, and each change of one run.

In: from the query a run, a kind, an operation, a cursor. Out: the days of the last weeks with the runs
that changed something; for a run the list of its changes; both as CSV to download.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial
from itertools import groupby
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from grantline.control.applications.catalog import Catalog, catalog_of
from grantline.control.applications.models import Application
from grantline.control.applications.rules import may, read, require
from grantline.control.audit.rules import Action, record
from grantline.control.organizations.roles import Permission
from grantline.control.runs.changes import renames
from grantline.control.runs.models import Version
from grantline.control.tenancy import Scope, scoped
from grantline.errors import NotFound
from grantline.web.applications.change_list import (
    DOWNLOAD_PAGE_ROWS,
    HEADS,
    PAGE_ROWS,
    choice_context,
    download_cells,
    kind_of,
    list_context,
    op_of,
)
from grantline.web.applications.head import head_context
from grantline.web.charts import DayChange
from grantline.web.downloads import csv_response
from grantline.web.requests import PageRequest, chosen_day
from grantline.web.runs.verdict import change_phrases

SHOWN_VERSIONS = 100
CHARTED_DAYS = 30


@require_GET
def index(request: PageRequest, application_id: str) -> HttpResponse:
    """The tab *Changes*: days and runs, or the changes of one run."""
    application = read(request.scope, application_id)
    context = {
        **head_context(request, application, "changes"),
        **choice_context(request),
        "query": request.GET,
    }
    run_id = request.GET.get("run", "")
    if run_id:
        version = version_of_run(request.scope, application, run_id)
        return render(request, "applications/changes_run.html", {**context, **_of_run(request, application, version)})
    versions = _versions(request, application)
    context |= {"days": by_day(versions), "bars": daily(versions, timezone.now().date())}
    return render(request, "applications/changes.html", context)


@require_GET
def download(request: PageRequest, application_id: str) -> StreamingHttpResponse:
    """The changes of one run, or of all runs shown, as CSV."""
    application = read(request.scope, application_id)
    require(request.scope, application, Permission.CATALOG_READ)
    request.scope.require(Permission.CATALOG_EXPORT)
    run_id = request.GET.get("run", "")
    versions = [version_of_run(request.scope, application, run_id)] if run_id else _versions(request, application)
    catalog = catalog_of(request.scope, application)
    rows = _download_rows(request, catalog, versions)
    exported = {"what": "changes", "format": "csv", "run": run_id or None}
    record(request.scope, Action.CATALOG_EXPORT, application, name=application.name, after=exported)
    return csv_response(f"changes-{application.name}", ("at", "run", *HEADS), rows)


def version_of_run(scope: Scope, application: Application, run_id: str) -> Version:
    """The version that a run published. Raises: `NotFound`."""
    rows = scoped(Version, scope).filter(of_import__application=application, run__id=run_id[:64].replace("\x00", ""))
    version = rows.select_related("of_import", "run").first()
    if version is None:
        raise NotFound("This run has published nothing in this application.")
    return version


def by_day(versions: list[Version]) -> list[dict[str, Any]]:
    """Versions that changed something by day, newest first: `{day, versions}`."""
    days = groupby(versions, key=lambda version: version.published_at.date())
    return [
        {
            "day": day,
            "versions": [{"version": one, "phrases": change_phrases(one.changes)} for one in members],
        }
        for day, members in days
    ]


def daily(versions: list[Version], today: date) -> list[DayChange]:
    """Grants that came and went on each of the last days, oldest first."""
    first = today - timedelta(days=CHARTED_DAYS - 1)
    sums: dict[date, list[int]] = {first + timedelta(days=number): [0, 0] for number in range(CHARTED_DAYS)}
    for version in versions:
        day, grants = version.published_at.date(), version.changes.get("grants") or {}
        if day in sums:
            sums[day][0] += grants.get("added", 0)
            sums[day][1] += grants.get("removed", 0)
    return [DayChange(day, added, removed) for day, (added, removed) in sums.items()]


def _versions(request: PageRequest, application: Application) -> list[Version]:
    rows = scoped(Version, request.scope).filter(of_import__application=application)
    day = chosen_day(request)
    rows = rows.filter(published_at__lte=day) if day else rows
    newest = rows.select_related("of_import", "run").order_by("-published_at", "-number")
    return [version for version in newest[:SHOWN_VERSIONS] if change_phrases(version.changes)]


def _of_run(request: PageRequest, application: Application, version: Version) -> dict[str, Any]:
    catalog = catalog_of(request.scope, application)
    rows = catalog.changes(
        version=(version.of_import_id, version.number),
        kind=kind_of(request),
        op=op_of(request),
        limit=PAGE_ROWS,
        cursor=request.GET.get("cursor", ""),
    )
    return {
        **list_context(request, rows),
        "version": version,
        "renames": renames(request.scope, version.run) if not request.GET.get("cursor") else [],
        "may_rename": may(request.scope, application, Permission.IMPORT_WRITE),
        "phrases": change_phrases(version.changes),
    }


def _download_rows(request: PageRequest, catalog: Catalog, versions: list[Version]) -> Iterator[tuple[Any, ...]]:
    kind, op = kind_of(request), op_of(request)
    for version in versions:
        page_at = partial(
            catalog.changes, version=(version.of_import_id, version.number), kind=kind, op=op, limit=DOWNLOAD_PAGE_ROWS
        )
        published_at = version.published_at.isoformat().replace("+00:00", "Z")
        for cells in download_cells(lambda cursor, page_at=page_at: page_at(cursor=cursor)):  # type: ignore[misc]
            yield published_at, version.run.pk, *cells
