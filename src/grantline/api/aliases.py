"""Aliases: keys of an application that changed their spelling."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from ninja import Router, Status
from pydantic import Field, StrictStr

from grantline.api.bearer import ApiRequest
from grantline.api.bodies import Body
from grantline.api.documents import Document, text
from grantline.api.openapi import answers
from grantline.api.pages import Cursor, Limit, Page, page
from grantline.control.applications import aliases, rules
from grantline.control.applications.models import KeyAlias

router = Router(tags=["aliases"])


class AliasDocument(Document):
    """Two keys that are one account, or one entitlement."""

    id: str
    kind: Literal["account", "entitlement"]
    old: str
    new: str
    reason: str | None
    created_at: datetime
    created_by: str


class NewAlias(Body):
    """What is the same as what. Keys are ids as the catalog's lists give them."""

    kind: Literal["account", "entitlement"]
    old: StrictStr = Field(description="What it was called.")
    new: StrictStr = Field(description="What it is called now.")
    reason: StrictStr = ""


@router.post("/{application_id}/aliases", response=answers(201, AliasDocument, 404, 409, body=True))
def declare_alias(request: ApiRequest, application_id: str, body: NewAlias) -> Status[AliasDocument]:
    """Declare that an account or an entitlement has changed its key.

    Its history goes on under the new key. From the next run on, files that say the old key mean the new
    one; a file that was read already is read again for it.
    """
    alias = aliases.declare(request.scope, application_id, body.kind, body.old, body.new, body.reason)
    return Status(201, _document(alias))


@router.get("/{application_id}/aliases", response=answers(200, Page[AliasDocument], 404))
def list_aliases(request: ApiRequest, application_id: str, limit: Limit, cursor: Cursor) -> Page[AliasDocument]:
    """List the aliases of an application, oldest first."""
    rows = aliases.list_aliases(request.scope, rules.read(request.scope, application_id))
    return page(rows, ("created_at", "id"), _document, limit=limit, cursor=cursor)


@router.delete("/{application_id}/aliases/{alias_id}", response=answers(204, None, 404))
def withdraw_alias(request: ApiRequest, application_id: str, alias_id: str) -> Status[None]:
    """Withdraw an alias: from the next run on both keys stand for themselves again."""
    aliases.withdraw(request.scope, application_id, alias_id)
    return Status(204, None)


def _document(alias: KeyAlias) -> AliasDocument:
    return AliasDocument(
        id=alias.pk,
        kind="account" if alias.kind == "account" else "entitlement",
        old=alias.old,
        new=alias.new,
        reason=text(alias.reason),
        created_at=alias.created_at,
        created_by=alias.created_by,
    )
