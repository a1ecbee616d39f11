"""The list of applications, and making one.

In: a request with its scope. Out: the table with the worst state of each application's imports, and
the form for a new application. Leaves the rules to `control.applications`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from grantline.control.applications import rules
from grantline.control.applications.models import Application
from grantline.control.imports.models import Import
from grantline.control.imports.rules import list_imports
from grantline.control.imports.states import ImportState, import_state, state_sentence, with_active_states
from grantline.control.organizations.roles import Permission
from grantline.errors import InputInvalid
from grantline.web.requests import PageRequest

_WORST_FIRST = tuple(ImportState)


@dataclass(frozen=True)
class ApplicationRow:
    """One application as the table shows it."""

    application: Application
    accounts: int
    entitlements: int
    grants: int
    import_count: int
    changed_at: datetime | None
    state: ImportState | None
    sentence: str


@require_GET
def index(request: PageRequest) -> HttpResponse:
    """The table of applications, or what an application is where there is none."""
    scope = request.scope
    rows = application_rows(rules.list_applications(scope), with_active_states(list_imports(scope)), timezone.now())
    context = {"rows": rows, "may_create": scope.may(Permission.APPLICATION_CREATE)}
    return render(request, "applications/index.html", context)


@require_http_methods(["GET", "POST"])
def create(request: PageRequest) -> HttpResponse:
    """The form for a new application; leads to its first step, an import."""
    scope = request.scope
    scope.require(Permission.APPLICATION_CREATE)
    values = {name: request.POST.get(name, "") for name in ("name", "description", "owner_email")}
    if request.method != "POST":
        return render(request, "applications/new.html", {"values": values, "errors": {}})
    try:
        application = rules.create(
            scope,
            values["name"],
            description=values["description"],
            owner_email=values["owner_email"],
        )
    except InputInvalid as error:
        return render(request, "applications/new.html", {"values": values, "errors": error.fields}, status=422)
    return redirect("application_imports", application.pk)


@require_GET
def show(request: PageRequest, application_id: str) -> HttpResponse:
    """An application opens on its accounts; one without any import on its imports."""
    application = rules.read(request.scope, application_id)
    has_imports = application.imports.exists()
    return redirect("application_accounts" if has_imports else "application_imports", application.pk)


def application_rows(
    applications: Iterable[Application], imports: Iterable[Import], now: datetime
) -> list[ApplicationRow]:
    """One row per application; its state is the worst of its imports'."""
    by_application: dict[str, list[Import]] = {}
    for item in imports:
        by_application.setdefault(item.application_id, []).append(item)
    return [_row(application, by_application.get(application.pk, []), now) for application in applications]


def _row(application: Application, imports: list[Import], now: datetime) -> ApplicationRow:
    versions = [item.current_version for item in imports if item.current_version is not None]
    counts = {
        kind: sum(version.counts.get(kind, 0) for version in versions)
        for kind in ("accounts", "entitlements", "grants")
    }
    changes = [item.changed_at for item in imports if item.changed_at is not None]
    worst = min(imports, key=lambda item: _WORST_FIRST.index(import_state(item, now)), default=None)
    state = import_state(worst, now) if worst else None
    return ApplicationRow(
        application=application,
        import_count=len(imports),
        changed_at=max(changes, default=None),
        state=state,
        sentence=state_sentence(worst, state, now) if worst and state else "It has no import yet.",
        **counts,
    )
