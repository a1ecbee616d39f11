"""People: who has which accounts in all applications, and what these may do.

Accounts are matched to people by e-mail address, or by employee ID where they have none. `as_of` answers by
the address and ID that the accounts had then.
"""

from __future__ import annotations

from typing import Annotated

from ninja import Query, Router

from grantline.api.bearer import ApiRequest
from grantline.api.catalog import AsOf, Flag, Search
from grantline.api.openapi import answers
from grantline.api.pages import Cursor, Limit, Page
from grantline.api.people_documents import (
    AccessPage,
    ApplicationLeftOut,
    OnePerson,
    PersonDocument,
    access_document,
    person_values,
)
from grantline.control.people import access, rules
from grantline.control.people.access import Holdings

router = Router(tags=["people"])

FewAtOnce = Annotated[int, Query(20, ge=1, le=100, description="How many accounts at most, each with its grants.")]


@router.get("", response=answers(200, Page[PersonDocument], 503))
def list_people(
    request: ApiRequest, limit: Limit, cursor: Cursor, search: Search, as_of: AsOf, gone: Flag
) -> Page[PersonDocument]:
    """List people by e-mail address, then those known by their employee ID alone.

    Without `gone` only people who have accounts now, or had some at `as_of`.
    """
    rows = rules.people(request.scope, search=search, as_of=as_of, gone=gone, limit=limit, cursor=cursor)
    items = [
        PersonDocument(**person_values(row["person"], row["display_name"], row["accounts"], row["applications"]))
        for row in rows.items
    ]
    return Page(items=items, next=rows.next)


@router.get("/{person_id}", response=answers(200, OnePerson, 404, 503))
def read_person(request: ApiRequest, person_id: str, as_of: AsOf) -> OnePerson:
    """Read one person: what they are known by, and how many accounts they have or had."""
    person = rules.read(request.scope, person_id)
    held = access.holdings(request.scope, person, as_of)
    return OnePerson(
        **person_values(person, person.display_name, len(held.accounts), held.application_count),
        employee_ids=rules.employee_ids(request.scope, person),
        first_seen_at=person.created_at,
        owned_accounts=len(access.owned(request.scope, person, as_of).accounts),
        not_kept=_left_out(held),
    )


@router.get("/{person_id}/access", response=answers(200, AccessPage, 404, 503))
def list_access(request: ApiRequest, person_id: str, limit: FewAtOnce, cursor: Cursor, as_of: AsOf) -> AccessPage:
    """List all accounts of a person in all applications, each with its grants and since when."""
    person = rules.read(request.scope, person_id)
    return _page(access.holdings(request.scope, person, as_of), limit, cursor)


@router.get("/{person_id}/owned-accounts", response=answers(200, AccessPage, 404, 503))
def list_owned_accounts(
    request: ApiRequest, person_id: str, limit: FewAtOnce, cursor: Cursor, as_of: AsOf
) -> AccessPage:
    """List the accounts that name a person's address as their owner, such as service accounts."""
    person = rules.read(request.scope, person_id)
    return _page(access.owned(request.scope, person, as_of), limit, cursor)


def _page(held: Holdings, limit: int, cursor: str) -> AccessPage:
    rows = access.access(held, limit=limit, cursor=cursor)
    return AccessPage(items=[access_document(row) for row in rows.items], next=rows.next, not_kept=_left_out(held))


def _left_out(held: Holdings) -> list[ApplicationLeftOut]:
    return [
        ApplicationLeftOut(id=one.application.pk, name=one.application.name, remedy=one.remedy)
        for one in held.unanswered
    ]
