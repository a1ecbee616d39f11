"""The way from the top to a page, as the frame shows it: `[{label, href}]`, the page itself last."""

from __future__ import annotations

from django.urls import reverse

from grantline.control.applications.models import Application
from grantline.control.imports.models import Import
from grantline.web.harmless import harmless

Crumb = dict[str, str]


def crumb(label: str, href: str = "") -> Crumb:
    """One step; text of customers is made harmless."""
    return {"label": harmless(label), "href": href}


def to_applications() -> list[Crumb]:
    """Applications."""
    return [crumb("Applications", reverse("applications"))]


def to_application(application: Application) -> list[Crumb]:
    """Applications › Payroll."""
    return [*to_applications(), crumb(application.name, reverse("application", args=[application.pk]))]


def to_imports(application: Application) -> list[Crumb]:
    """Applications › Payroll › Imports."""
    return [*to_application(application), crumb("Imports", reverse("application_imports", args=[application.pk]))]


def to_import(item: Import) -> list[Crumb]:
    """Applications › Payroll › Imports › hr.csv."""
    return [*to_imports(item.application), crumb(item.title, reverse("import", args=[item.pk]))]
