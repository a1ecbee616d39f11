"""API tokens: made, listed, revoked. A token's text is answered once, when it is made."""

from __future__ import annotations

from datetime import datetime

from ninja import Router, Status
from pydantic import Field, StrictInt, StrictStr

from grantline.api.bearer import ApiRequest
from grantline.api.bodies import Body
from grantline.api.documents import Document
from grantline.api.openapi import answers
from grantline.api.pages import Cursor, Limit, Page, page
from grantline.control.organizations.roles import Role
from grantline.control.tokens import rules
from grantline.control.tokens.models import ApiToken
from grantline.errors import InputInvalid

router = Router(tags=["tokens"])


class TokenDocument(Document):
    """A token, without its text."""

    id: str
    name: str
    hint: str = Field(description="The text's beginning, to tell tokens apart.")
    role: Role
    networks: list[str] = Field(description="Networks it is taken from, in CIDR form; empty: from everywhere.")
    user_email: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class MadeToken(TokenDocument):
    """A token that was just made, with its text."""

    token: str = Field(description="Keep it now; it is not shown again.")


class NewToken(Body):
    """What a token is made from."""

    name: StrictStr = Field(description="What will use it.")
    days: StrictInt | None = Field(default=None, description="How long it is valid; null: the operator's default.")
    role: StrictStr | None = Field(
        default=None, description="A role that allows no more than the maker's; null: the maker's."
    )
    networks: list[StrictStr] | None = Field(
        default=None, description="Networks it is taken from, such as 192.0.2.0/24; null: from everywhere."
    )


@router.post("", response=answers(201, MadeToken, body=True))
def create_token(request: ApiRequest, body: NewToken) -> Status[MadeToken]:
    """Make a token that acts for the caller."""
    token, text = rules.create(
        request.scope, body.name, days=body.days, role=_role(body.role), networks=body.networks or ()
    )
    return Status(201, MadeToken(**_document(token).model_dump(), token=text))


@router.get("", response=answers(200, Page[TokenDocument]))
def list_tokens(request: ApiRequest, limit: Limit, cursor: Cursor) -> Page[TokenDocument]:
    """List tokens, newest first: a Super Administrator sees all, everybody else their own."""
    rows = rules.list_tokens(request.scope)
    return page(rows, ("-created_at", "-id"), _document, limit=limit, cursor=cursor)


@router.delete("/{token_id}", response=answers(204, None, 404))
def revoke_token(request: ApiRequest, token_id: str) -> Status[None]:
    """Revoke a token at once."""
    rules.revoke(request.scope, token_id)
    return Status(204, None)


def _role(name: str | None) -> Role | None:
    if name is None:
        return None
    if name not in list(Role):
        raise InputInvalid(f"role must be one of {', '.join(Role)}.", field="role")
    return Role(name)


def _document(token: ApiToken) -> TokenDocument:
    return TokenDocument(
        id=token.pk,
        name=token.name,
        hint=token.hint,
        role=Role(token.role),
        networks=token.networks,
        user_email=token.user.email,
        created_at=token.created_at,
        expires_at=token.expires_at,
        last_used_at=token.last_used_at,
        revoked_at=token.revoked_at,
    )
