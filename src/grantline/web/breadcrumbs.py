"""The line of links above a title, for applications and what is below them.

In: labels and rows. Out: what `frame/breadcrumbs.html` shows; the last one is the page itself.
"""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from grantline.control.applications.models import Application
from grantline.control.imports.models import Import


def crumb(label: str, name: str = "", *args: Any) -> dict[str, str]:
    """One link; without the name of an address it is the page itself."""
    return {"label": label, "href": reverse(name, args=args)} if name else {"label": label}


def to_application(application: Application) -> list[dict[str, str]]:
    """The way to an application."""
    return [crumb("Applications", "applications"), crumb(application.name, "application", application.pk)]


def to_import(item: Import) -> list[dict[str, str]]:
    """The way to an import."""
    return [*to_application(item.application), crumb(item.title, "import", item.pk)]
