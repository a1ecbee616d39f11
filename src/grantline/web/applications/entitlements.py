"""The entitlements of an application: the list with member counts, and one entitlement.

In: search and a cursor. Out: pages of entitlements; an entitlement with its members, since when each,
and who lost it in the last 90 days.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from grantline.control.applications.catalog import Catalog, catalog_of
from grantline.control.applications.rules import read
from grantline.control.runs.models import Version
from grantline.control.tenancy import scoped
from grantline.web.applications.head import head_context
from grantline.web.applications.history import entitlement_name
from grantline.web.applications.trail import crumb
from grantline.web.paging import address_with
from grantline.web.requests import PageRequest, chosen_day

PAGE_ROWS = 50
LOST_WITHIN = timedelta(days=90)
ASKED_VERSIONS = 40
"""Versions that are asked who lost it; each is one small read."""


@require_GET
def index(request: PageRequest, application_id: str) -> HttpResponse:
    """The tab *Entitlements*."""
    application = read(request.scope, application_id)
    catalog = catalog_of(request.scope, application, chosen_day(request))
    query = request.GET
    rows = catalog.entitlements(search=query.get("search", ""), limit=PAGE_ROWS, cursor=query.get("cursor", ""))
    context = {
        **head_context(request, application, "entitlements"),
        "rows": [{**row, "name": entitlement_name(row)} for row in rows.items],
        "query": query,
        "is_empty": catalog.is_empty,
        "next_href": address_with(query, cursor=rows.next) if rows.next else "",
        "first_href": address_with(query, cursor=None) if query.get("cursor") else "",
    }
    return render(request, "applications/entitlements.html", context)


@require_GET
def show(request: PageRequest, application_id: str, token: str) -> HttpResponse:
    """One entitlement."""
    application = read(request.scope, application_id)
    day = chosen_day(request)
    catalog = catalog_of(request.scope, application, day)
    found = catalog.entitlement(token)
    query = request.GET
    members = catalog.grants(
        entitlement=token, search=query.get("search", ""), limit=PAGE_ROWS, cursor=query.get("cursor", "")
    )
    head = head_context(request, application, "entitlements")
    head["breadcrumbs"][-1]["href"] = reverse("application_entitlements", args=[application.pk])
    name = entitlement_name(found)
    context: dict[str, Any] = {
        **head,
        "breadcrumbs": [*head["breadcrumbs"], crumb(name)],
        "entitlement": found,
        "name": name,
        "members": members.items,
        "has_dates": any(grant["granted_at"] or grant["expires_at"] for grant in members.items),
        "query": query,
        "lost": _lost(catalog, token, day or timezone.now()),
        "lost_days": LOST_WITHIN.days,
        "next_href": address_with(query, cursor=members.next) if members.next else "",
        "first_href": address_with(query, cursor=None) if query.get("cursor") else "",
    }
    return render(request, "applications/entitlement.html", context)


def _lost(catalog: Catalog, token: str, until: datetime) -> list[dict[str, Any]]:
    """Who lost the entitlement, newest first: version by version, because over several of them together
    whoever got it and lost it again never had it."""
    rows = scoped(Version, catalog.scope).filter(
        of_import__in=catalog.imports,
        has_history=True,
        published_at__gt=until - LOST_WITHIN,
        published_at__lte=until,
        changes__grants__removed__gt=0,
    )
    found: list[dict[str, Any]] = []
    for version in rows.order_by("-published_at", "-number")[:ASKED_VERSIONS]:
        place = (version.of_import_id, version.number)
        page = catalog.changes(version=place, kind="grant", op="removed", entitlement=token, limit=PAGE_ROWS)
        found += page.items
        if len(found) >= PAGE_ROWS:
            break
    return found[:PAGE_ROWS]
