"""The catalog of one application: accounts, entitlements, grants, and what changed.

`as_of` answers for any past moment. Wherever something is so *since* a version, the document says which
version of which import, when it was published and by which run.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

from ninja import Query, Router
from pydantic import BaseModel

from grantline.api import moments
from grantline.api.bearer import ApiRequest
from grantline.api.catalog_documents import (
    AccountDocument,
    ChangeDocument,
    EntitlementDocument,
    EventDocument,
    GrantDocument,
    GrantHistory,
)
from grantline.api.openapi import answers
from grantline.api.pages import Cursor, Limit, Page
from grantline.catalog.lookups import AccountFilters
from grantline.control.applications import rules as applications
from grantline.control.applications.catalog import Catalog, Rows, catalog_of
from grantline.errors import InputInvalid

router = Router(tags=["catalog"])

Item = TypeVar("Item", bound=BaseModel)

Search = Annotated[str, Query("", max_length=1000, description="A part of a name, without letter case.")]
AsOf = Annotated[
    moments.Moment | None,
    Query(None, description="A past moment, or a day (its first moment in UTC); default: now."),
]
Account = Annotated[str, Query("", max_length=4096, description="The id of an account.")]
Entitlement = Annotated[str, Query("", max_length=16384, description="The id of an entitlement.")]
OneAccount = Annotated[str, Query("", max_length=4096, description="The id of an account; needed.")]
OneEntitlement = Annotated[str, Query("", max_length=16384, description="The id of an entitlement; needed.")]
Moment = Annotated[moments.Moment | None, Query(None)]
KindChosen = Annotated[Literal["account", "entitlement", "grant"] | None, Query(None)]
OpChosen = Annotated[Literal["added", "removed", "changed"] | None, Query(None)]
Flag = Annotated[bool, Query(False)]
Word = Annotated[str | None, Query(None, max_length=200)]


@router.get("/{application_id}/accounts", response=answers(200, Page[AccountDocument], 404, 503))
def list_accounts(
    request: ApiRequest,
    application_id: str,
    limit: Limit,
    cursor: Cursor,
    search: Search,
    as_of: AsOf,
    status: Word,
    type: Word,
    no_owner: Flag,
    never_signed_in: Flag,
    unconfirmed: Flag,
    unmatched: Flag,
) -> Page[AccountDocument]:
    """List the accounts of an application by id."""
    filters = AccountFilters(status, type, no_owner, never_signed_in, unconfirmed, unmatched)
    catalog = _catalog(request, application_id, as_of)
    return _page(catalog.accounts(search=search, filters=filters, limit=limit, cursor=cursor), AccountDocument)


@router.get("/{application_id}/account", response=answers(200, AccountDocument, 404, 503))
def read_account(request: ApiRequest, application_id: str, id: OneAccount, as_of: AsOf) -> AccountDocument:
    """Read one account by its id, which may hold any character and so is a query."""
    return AccountDocument.model_validate(_catalog(request, application_id, as_of).account(_given(id, "id")))


@router.get("/{application_id}/account/history", response=answers(200, Page[EventDocument], 404, 503))
def list_account_events(request: ApiRequest, application_id: str, id: OneAccount, as_of: AsOf) -> Page[EventDocument]:
    """List all that happened to an account and its grants, newest first, in one page.

    An account that was declared the same as an older one has that one's history too.
    """
    events = _catalog(request, application_id, as_of).account_history(_given(id, "id"))
    return _page(Rows(events), EventDocument)


@router.get("/{application_id}/entitlement", response=answers(200, EntitlementDocument, 404, 503))
def read_entitlement(request: ApiRequest, application_id: str, id: OneEntitlement, as_of: AsOf) -> EntitlementDocument:
    """Read one entitlement by its id."""
    return EntitlementDocument.model_validate(_catalog(request, application_id, as_of).entitlement(_given(id, "id")))


@router.get("/{application_id}/entitlements", response=answers(200, Page[EntitlementDocument], 404, 503))
def list_entitlements(
    request: ApiRequest, application_id: str, limit: Limit, cursor: Cursor, search: Search, as_of: AsOf
) -> Page[EntitlementDocument]:
    """List the entitlements of an application, each with how many accounts have it."""
    catalog = _catalog(request, application_id, as_of)
    return _page(catalog.entitlements(search=search, limit=limit, cursor=cursor), EntitlementDocument)


@router.get("/{application_id}/grants", response=answers(200, Page[GrantDocument], 404, 503))
def list_grants(
    request: ApiRequest,
    application_id: str,
    limit: Limit,
    cursor: Cursor,
    search: Search,
    account: Account,
    entitlement: Entitlement,
    as_of: AsOf,
) -> Page[GrantDocument]:
    """List who has what: all grants, those of an account, or those of an entitlement."""
    rows = _catalog(request, application_id, as_of).grants(
        account=account, entitlement=entitlement, search=search, limit=limit, cursor=cursor
    )
    return _page(rows, GrantDocument)


@router.get("/{application_id}/grants/history", response=answers(200, GrantHistory, 404, 503))
def read_grant_history(
    request: ApiRequest, application_id: str, account: OneAccount, entitlement: OneEntitlement, as_of: AsOf
) -> GrantHistory:
    """Say when and by which run a grant first and last appeared, and every interval between."""
    catalog = _catalog(request, application_id, as_of)
    found = catalog.grant_history(_given(account, "account"), _given(entitlement, "entitlement"))
    return GrantHistory.model_validate(found)


@router.get("/{application_id}/changes", response=answers(200, Page[ChangeDocument], 404, 503))
def list_changes(
    request: ApiRequest,
    application_id: str,
    limit: Limit,
    cursor: Cursor,
    account: Account,
    entitlement: Entitlement,
    since: Moment,
    until: Moment,
    as_of: AsOf,
    kind: KindChosen,
    op: OpChosen,
) -> Page[ChangeDocument]:
    """List who gained or lost what between two moments; without any, by the newest version of each import.

    `as_of` is another word for `until`.
    """
    if until is not None and as_of is not None:
        raise InputInvalid("until and as_of are two words for one moment; give one of them.", field="as_of")
    rows = _catalog(request, application_id, None).changes(
        since=since,
        until=until or as_of,
        kind=kind,
        op=op,
        account=account,
        entitlement=entitlement,
        limit=limit,
        cursor=cursor,
    )
    return _page(rows, ChangeDocument)


def _catalog(request: ApiRequest, application_id: str, as_of: datetime | None) -> Catalog:
    return catalog_of(request.scope, applications.read(request.scope, application_id), as_of)


def _given(value: str, field: str) -> str:
    """A query that cannot be left out. Raises: `InputInvalid`, after the application was found."""
    if not value:
        raise InputInvalid(f"{field} is needed: it says which one.", field=field)
    return value


def _page(rows: Rows, document: type[Item]) -> Page[Item]:
    items: list[dict[str, Any]] = rows.items
    return Page(items=[document.model_validate(item) for item in items], next=rows.next)
