"""Search over people, applications, data sources and current accounts.

In: `q`. Out: what its letters are found in, without letter case, the nearest kinds first. Accounts come
from the index in the database; entitlements live in the versions' files and are searched per application.
"""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from grantline.control.accounts.rules import search
from grantline.control.applications.rules import list_applications
from grantline.control.people.rules import people
from grantline.control.sources.rules import list_sources
from grantline.control.tenancy import Scope
from grantline.web.requests import PageRequest

ACCOUNTS_SHOWN: Final = 50
OTHERS_SHOWN: Final = 20
SHORTEST: Final = 2
LONGEST: Final = 200


@require_GET
def show(request: PageRequest) -> HttpResponse:
    """The page of results."""
    text = request.GET.get("q", "").replace("\x00", "").strip()[:LONGEST]
    context: dict[str, Any] = {"page_title": f"Search: {text}" if text else "Search", "text": text}
    if len(text) >= SHORTEST:
        context |= _results(request.scope, text)
    return render(request, "search/show.html", context)


def _results(scope: Scope, text: str) -> dict[str, Any]:
    accounts = list(search(scope, text, ACCOUNTS_SHOWN + 1))
    persons = people(scope, search=text, limit=OTHERS_SHOWN)
    applications = list(list_applications(scope).filter(name__icontains=text)[:OTHERS_SHOWN])
    sources = list(list_sources(scope).filter(name__icontains=text)[:OTHERS_SHOWN])
    return {
        "searched": True,
        "accounts": accounts[:ACCOUNTS_SHOWN],
        "more_accounts": len(accounts) > ACCOUNTS_SHOWN,
        "people": persons.items,
        "more_people": persons.next is not None,
        "applications": applications,
        "sources": sources,
        "found": bool(accounts or persons.items or applications or sources),
    }
