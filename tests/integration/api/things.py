"""Things of an organization, made through its rules, and every route of the API with their ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.utils import timezone

from grantline.control.applications import aliases
from grantline.control.applications import rules as applications
from grantline.control.imports import rules as imports
from grantline.control.imports.models import Import
from grantline.control.notices import rules as notices
from grantline.control.people.models import Person
from grantline.control.runs.models import Run, RunIssue, RunState, Version
from grantline.control.sources import rules as sources
from grantline.control.tenancy import Scope
from grantline.control.tokens import rules as tokens


@dataclass(frozen=True)
class Route:
    """One operation of the API."""

    method: str
    path: str
    operation_id: str

    @property
    def takes_body(self) -> bool:
        return self.method in ("POST", "PATCH") and not self.path.endswith("/uploads")

    def filled(self, ids: dict[str, str]) -> str:
        return self.path.format(**ids)


def routes() -> list[Route]:
    """Every operation of the API, as it is mounted."""
    from grantline.api.urls import api

    found = []
    for bound in api._get_bound_routers():
        for path, view in bound.path_operations.items():
            for operation in view.operations:
                for method in operation.methods:
                    found.append(Route(method, bound.prefix + path, operation.view_func.__name__))
    return found


def make_things(scope: Scope, name: str = "Payroll") -> dict[str, str]:
    """A data source, an application with an import and a published and a held run, and a token: their ids."""
    source = sources.create(scope, f"{name} bucket")
    application = applications.create(scope, name)
    item = imports.create(scope, application.pk, {"data_source_id": source.pk, "key": "hr/users.csv"})
    make_run(item, 1, RunState.PUBLISHED)
    run = make_run(item, 2, RunState.HELD)
    token, _ = tokens.create(scope, name)
    webhook, _ = notices.add_endpoint(scope, f"https://hooks.example.com/{quote(name)}")
    alias = aliases.declare(scope, application.pk, "account", "jdoe", "john.doe")
    known_by = {"organization_id": scope.organization_id, "rule": "email", "value": "anna@example.com"}
    person, _ = Person.objects.get_or_create(**known_by)
    return {
        "person_id": person.pk,
        "source_id": source.pk,
        "application_id": application.pk,
        "import_id": item.pk,
        "run_id": run.pk,
        "token_id": token.pk,
        "alias_id": alias.pk,
        "webhook_id": webhook.pk,
    }


def make_run(item: Import, number: int, state: RunState, **values: Any) -> Run:
    """A run of `item` that has come to `state`."""
    version = None
    if state is RunState.PUBLISHED:
        version = Version.objects.create(
            organization_id=item.organization_id,
            of_import=item,
            number=number,
            counts={"accounts": 3, "resources": 1, "entitlements": 2, "grants": 5},
            changes={"accounts": {"added": 3, "removed": 0, "changed": 0}},
        )
        Import.objects.filter(pk=item.pk).update(current_version=version)
    return Run.objects.create(
        organization_id=item.organization_id,
        of_import=item,
        number=number,
        state=state.value,
        trigger="schedule",
        version=version,
        finished_at=timezone.now() if state not in (RunState.QUEUED, RunState.RUNNING) else None,
        **values,
    )


def make_issues(run: Run, count: int) -> None:
    """`count` issues of a run, in turn of two codes."""
    RunIssue.objects.bulk_create(
        RunIssue(
            organization_id=run.organization_id,
            run=run,
            ordinal=number,
            code="value_invalid" if number % 2 else "row_width",
            severity="error",
            row=number,
            line=number + 1,
            column="Email Address",
            value="not an address",
            message="This is not an e-mail address.",
        )
        for number in range(1, count + 1)
    )
