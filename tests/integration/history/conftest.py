"""One application whose files are given by hand, carried through the product's own path."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from grantline.control.applications import rules as applications
from grantline.control.applications.catalog import Catalog, catalog_of
from grantline.control.applications.models import Application
from grantline.control.imports import rules as imports
from grantline.control.imports.models import Import
from grantline.control.organizations.models import Membership, Organization, User
from grantline.control.organizations.roles import Role
from grantline.control.organizations.rules import scope_of
from grantline.control.runs.models import Run, Version
from grantline.control.tenancy import Scope
from grantline.jobs import requests
from grantline.jobs.run import carry_out
from grantline.jobs.uploads import take_upload
from tests.integration.jobs.conftest import stack, world

__all__ = ["stack", "world"]

HEADER = "User ID,Email Address,Groups"


def users_csv(users: Mapping[str, Iterable[str]] | Iterable[str], *, emails: Mapping[str, str] | None = None) -> bytes:
    """A file with one row per user: their e-mail address and groups."""
    groups = users if isinstance(users, Mapping) else dict.fromkeys(users, ("staff",))
    lines = [HEADER]
    for user, names in groups.items():
        email = (emails or {}).get(user, f"{user.lower()}@example.com")
        lines.append(f'{user},{email},"{",".join(names)}"')
    return ("\n".join(lines) + "\n").encode()


def people(count: int, start: int = 0) -> list[str]:
    """`count` user ids."""
    return [f"U{number:03d}" for number in range(start, start + count)]


@dataclass
class Desk:
    """One person at one application, who gives files by hand and decides."""

    scope: Scope
    application: Application
    item: Import

    def load(self, body: bytes) -> Run:
        """Give a file and carry the run out as a worker would."""
        return self.finish(self.give(body))

    def give(self, body: bytes) -> Run:
        """Give a file; its run is queued."""
        _, run = take_upload(
            self.scope, self.application.pk, [body] if body else [], "users.csv", import_id=self.item.pk
        )
        return run

    def finish(self, run: Run) -> Run:
        """Carry a queued run out."""
        carry_out(run.pk)
        _end_transaction()
        self.item.refresh_from_db()
        related = ("version", "of_import", "of_import__application", "of_import__current_version")
        return Run.objects.select_related(*related).get(pk=run.pk)

    def change(self, **values: Any) -> None:
        """Change the import's settings."""
        self.item = imports.change(self.scope, self.item.pk, values)

    def roll_back(self, version: int, reason: str = "It was wrong.") -> Run:
        """Ask for an earlier version, and carry it out."""
        return self.finish(requests.rollback(self.scope, self.item.pk, version, reason))

    def approve(self, run: Run) -> None:
        """Approve a held run."""
        requests.approve(self.scope, run.pk, "They have left.")
        _end_transaction()
        self.item.refresh_from_db()

    def catalog(self, version: int | None = None) -> Catalog:
        """The catalog now, or as it was with a version."""
        moment = self.version(version).published_at if version else None
        return catalog_of(self.scope, self.application, moment)

    def version(self, number: int) -> Version:
        """A version of the import."""
        return Version.objects.get(of_import=self.item, number=number)

    def accounts(self, version: int | None = None) -> list[str]:
        """The ids of the accounts."""
        return [row["id"] for row in self.catalog(version).accounts(limit=500).items]

    def grants(self, version: int | None = None) -> set[tuple[str, str]]:
        """(account, group)."""
        return {(row["account"], row["entitlement"]) for row in self.catalog(version).grants(limit=500).items}

    def age(self, days: float) -> None:
        """Let time pass: everything that was published becomes older."""
        for version in Version.objects.filter(of_import=self.item):
            Version.objects.filter(pk=version.pk).update(published_at=version.published_at - timedelta(days=days))


def _end_transaction() -> None:
    """What the end of a transaction does to its temporary tables: a test is one transaction, a run is not."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS index_changed, index_removed")


@pytest.fixture
def desk(db: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Desk:
    monkeypatch.setattr(settings, "GRANTLINE", replace(settings.GRANTLINE, data_dir=tmp_path))
    return make_desk()


def make_desk(name: str = "Example Corp") -> Desk:
    """A desk of a new organization."""
    organization = Organization.objects.create(name=name)
    user = User.objects.create_user(f"admin@{organization.pk[4:12]}.example.com")
    Membership.objects.create(organization=organization, user=user, role=Role.SUPER_ADMINISTRATOR.value)
    scope = scope_of(user, via="session")
    assert scope is not None
    application = applications.create(scope, "Payroll")
    return Desk(scope, application, imports.create(scope, application.pk, {}))
