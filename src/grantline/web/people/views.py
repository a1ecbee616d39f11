"""People: the list, and one person with everything they have access to.

In: a search and a cursor from the query; the day that is set. Out: people by address; a person's accounts
by application, each with its grants by resource. Asked about a past day, everything is as of that day.
"""

from __future__ import annotations

from itertools import groupby
from typing import Any, Final

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from grantline.control.applications.catalog import Row, Rows
from grantline.control.organizations.roles import Permission
from grantline.control.people import access, rules
from grantline.control.people.models import Rule
from grantline.errors import InputInvalid
from grantline.web.applications.accounts import grouped
from grantline.web.paging import address_with
from grantline.web.people.report import report_response
from grantline.web.requests import PageRequest, chosen_day
from grantline.web.trail import crumbs

PAGE_ROWS: Final = 50
ACCOUNTS_SHOWN: Final = 20
GRANTS_SHOWN: Final = 200
OWNED_SHOWN: Final = 50


@require_GET
def index(request: PageRequest) -> HttpResponse:
    """The list of people."""
    query, day = request.GET, chosen_day(request)
    search, gone = query.get("search", ""), "gone" in query
    refused: InputInvalid | None = None
    try:
        rows = rules.people(
            request.scope, search=search, as_of=day, gone=gone, limit=PAGE_ROWS, cursor=query.get("cursor", "")
        )
    except InputInvalid as error:
        if "as_of" not in error.fields:
            raise
        rows, refused = Rows([]), error
    context = {
        "rows": rows.items,
        "query": query,
        "refused": refused,
        "gone": gone,
        "gone_href": address_with(query, cursor=None, gone=None if gone else "1"),
        "is_filtered": bool(search),
        "next_href": address_with(query, cursor=rows.next) if rows.next else "",
        "first_href": address_with(query, cursor=None) if query.get("cursor") else "",
    }
    return render(request, "people/index.html", context)


@require_GET
def show(request: PageRequest, person_id: str) -> HttpResponse:
    """One person."""
    person, day = rules.read(request.scope, person_id), chosen_day(request)
    held = access.holdings(request.scope, person, day)
    rows = access.access(held, limit=ACCOUNTS_SHOWN, cursor=request.GET.get("cursor", ""), grants=GRANTS_SHOWN)
    owned = access.owned(request.scope, person, day)
    context = {
        "person": person,
        "title": str(person),
        "rule": person.get_rule_display(),
        "employee_ids": rules.employee_ids(request.scope, person) if person.rule == Rule.EMAIL else [],
        "account_count": len(held.accounts),
        "application_count": held.application_count,
        "unanswered": held.unanswered,
        "applications": _by_application(rows.items),
        "owned": owned.accounts[:OWNED_SHOWN],
        "owned_count": len(owned.accounts),
        "may_export": request.scope.may(Permission.CATALOG_EXPORT),
        "breadcrumbs": crumbs(("People", "people"), here=str(person)),
        "next_href": address_with(request.GET, cursor=rows.next) if rows.next else "",
        "first_href": address_with(request.GET, cursor=None) if request.GET.get("cursor") else "",
    }
    return render(request, "people/show.html", context)


@require_GET
def report(request: PageRequest, person_id: str) -> HttpResponse:
    """What the page shows, whole, as a file that says when and by whom it was made."""
    return report_response(request.scope, rules.read(request.scope, person_id), chosen_day(request))


def _by_application(rows: list[Row]) -> list[dict[str, Any]]:
    """`{application, accounts}`, each account with its grants by resource."""
    found = []
    for application, members in groupby(rows, key=lambda row: row["application"]):
        found.append({"application": application, "accounts": [_shown(row) for row in members]})
    return found


def _shown(row: Row) -> dict[str, Any]:
    account, grants = row["account"], row["grants"]
    return {
        "account": account,
        "title": account.get("display_name") or account.get("username") or account["id"],
        "matched_by": dict(Rule.choices).get(row["matched_by"], ""),
        "resources": grouped(grants.items),
        "has_dates": any(grant["granted_at"] or grant["expires_at"] for grant in grants.items),
        "has_more": grants.next is not None,
    }
