"""The accounts of an application: the list with its filters, and one account.

In: search, filters and a cursor from the query. Out: pages of accounts by key; an account with its
grants by resource and its history. Asked about a past day, everything is as of that day.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from grantline.catalog.lookups import AccountFilters
from grantline.control.applications.catalog import Catalog, catalog_of
from grantline.control.applications.rules import read
from grantline.control.people.rules import person_of
from grantline.errors import NotFound
from grantline.mapping.records import ACCOUNT_FIELDS
from grantline.web.applications.head import head_context
from grantline.web.applications.history import history_items
from grantline.web.applications.trail import crumb
from grantline.web.imports.records import field_label, profile_of
from grantline.web.paging import address_with
from grantline.web.requests import PageRequest, chosen_day

PAGE_ROWS = 50
SHOWN_GRANTS = 200
SHOWN_EVENTS = 200
STATUSES = (("", "Any status"), ("enabled", "Enabled"), ("disabled", "Disabled"), ("deleted", "Deleted"))
TYPES = (("", "Any type"), ("person", "Person"), ("service", "Service"), ("system", "System"))
SWITCHES = (
    ("no_owner", "No owner"),
    ("never_signed_in", "Never signed in"),
    ("unconfirmed", "In a refused row"),
    ("unmatched", "Unmatched"),
)


@require_GET
def index(request: PageRequest, application_id: str) -> HttpResponse:
    """The tab *Accounts*."""
    application = read(request.scope, application_id)
    catalog = catalog_of(request.scope, application, chosen_day(request))
    query = request.GET
    filters = AccountFilters(
        status=query.get("status") or None,
        type=query.get("type") or None,
        **{name: name in query for name, _ in SWITCHES},
    )
    rows = catalog.accounts(
        search=query.get("search", ""), filters=filters, limit=PAGE_ROWS, cursor=query.get("cursor", "")
    )
    context = {
        **head_context(request, application, "accounts"),
        "rows": rows.items,
        "query": query,
        "statuses": STATUSES,
        "types": TYPES,
        "switches": [(name, label, name in query, _toggled(request, name)) for name, label in SWITCHES],
        "is_filtered": any(query.get(name) for name in ("search", "status", "type"))
        or any(name in query for name, _ in SWITCHES),
        "is_empty": catalog.is_empty,
        "next_href": address_with(query, cursor=rows.next) if rows.next else "",
        "first_href": address_with(query, cursor=None) if query.get("cursor") else "",
    }
    return render(request, "applications/accounts.html", context)


@require_GET
def show(request: PageRequest, application_id: str, key: str) -> HttpResponse:
    """One account."""
    application = read(request.scope, application_id)
    catalog = catalog_of(request.scope, application, chosen_day(request))
    history = catalog.account_history(key)[:SHOWN_EVENTS]
    account = _found(catalog, key, history)
    rows = catalog.grants(account=key, limit=SHOWN_GRANTS, cursor=request.GET.get("cursor", ""))
    head = head_context(request, application, "accounts")
    head["breadcrumbs"][-1]["href"] = reverse("application_accounts", args=[application.pk])
    context = {
        **head,
        "breadcrumbs": [*head["breadcrumbs"], crumb(key)],
        "account": account,
        "person": person_of(request.scope, application.pk, key),
        "title": account.get("display_name") or account.get("username") or account.get("email") or key,
        "fields": account_fields(account),
        "profile": sorted(profile_of(account).items()),
        "resources": grouped(rows.items),
        "grant_count": len(rows.items),
        "has_dates": any(grant["granted_at"] or grant["expires_at"] for grant in rows.items),
        "next_href": address_with(request.GET, cursor=rows.next) if rows.next else "",
        "history": history_items(application, history),
    }
    return render(request, "applications/account.html", context)


def account_fields(account: Mapping[str, Any]) -> list[tuple[str, str, bool]]:
    """What is known of an account beside its id and name: `(label, value, is a moment)`."""
    known = [(name, str(account[name])) for name in ACCOUNT_FIELDS if account.get(name)]
    return [
        (field_label(name), value.capitalize() if name in ("status", "type") else value, name.endswith("_at"))
        for name, value in known
    ]


def grouped(grants: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Grants by resource, in their order: `{resource_type, resource, grants}`.

    An entitlement that is called like its resource (a group one is in) stands with its like, by type.
    """
    groups: dict[tuple[Any, Any], dict[str, Any]] = {}
    for grant in grants:
        own = None if grant["entitlement"] == grant["resource"] else grant["resource"]
        place = (grant["resource_type"], own)
        group = groups.setdefault(place, {"resource_type": place[0], "resource": place[1], "grants": []})
        group["grants"].append(grant)
    return list(groups.values())


def _found(catalog: Catalog, key: str, history: list[dict[str, Any]]) -> dict[str, Any]:
    """The account; one that is gone, but was there once, is only its id and `is_gone`."""
    try:
        return catalog.account(key)
    except NotFound:
        if not history:
            raise
        return {"id": key, "is_gone": True}


def _toggled(request: PageRequest, name: str) -> str:
    return address_with(request.GET, cursor=None, **{name: None if name in request.GET else "1"})
