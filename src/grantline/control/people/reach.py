"""Which applications an answer about people is made from, and the catalog of each.

In: a scope and maybe a past moment. Out: the catalogs of the applications that the scope may read, oldest
first, and those that cannot answer because retention has removed that moment. An answer that leaves an
application out must say so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from grantline.catalog.lookups.people import Applications
from grantline.control.applications.catalog import Catalog, catalog_of
from grantline.control.applications.models import Application
from grantline.control.applications.rules import list_applications, may
from grantline.control.organizations.roles import Permission
from grantline.control.tenancy import Scope
from grantline.errors import InputInvalid


@dataclass(frozen=True)
class Unanswered:
    """An application that keeps nothing of the moment asked about, and what can be asked instead."""

    application: Application
    remedy: str


@dataclass(frozen=True)
class Reach:
    """The catalogs to read, and the applications that cannot answer."""

    catalogs: list[Catalog] = field(default_factory=list)
    unanswered: list[Unanswered] = field(default_factory=list)

    def read(self) -> Applications:
        """What the look-ups over several applications take."""
        return [(catalog.snapshots, catalog.as_of) for catalog in self.catalogs]


def catalogs(scope: Scope, as_of: datetime | None, only: set[str] | None = None) -> Reach:
    """The catalogs of the applications that the scope may read, or of those of them named in `only`."""
    rows = list_applications(scope)
    rows = rows if only is None else rows.filter(pk__in=only)
    readable = [application for application in rows if may(scope, application, Permission.CATALOG_READ)]
    reach = Reach()
    for application in sorted(readable, key=_oldest_import):
        try:
            reach.catalogs.append(catalog_of(scope, application, as_of))
        except InputInvalid as error:
            reach.unanswered.append(Unanswered(application, error.remedy))
    return reach


def _oldest_import(application: Application) -> tuple[datetime, str]:
    began = [item.created_at for item in application.imports.all()]
    return min(began, default=application.created_at), application.pk
