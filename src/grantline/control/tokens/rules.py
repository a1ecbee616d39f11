"""Rules of API tokens: made once, stored hashed, valid until they expire or are revoked."""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from grantline.control.audit.rules import Action, record
from grantline.control.organizations.models import User
from grantline.control.organizations.roles import Permission, Role, role_permissions
from grantline.control.organizations.rules import scope_of
from grantline.control.tenancy import Scope, acting_for, get, scoped, system_scope
from grantline.control.tokens.models import ApiToken
from grantline.errors import InputInvalid, NotSignedIn

TOKEN_PREFIX = "glt_"
DAYS_LIMIT = 3650
LAST_USED_GRAIN = timedelta(minutes=1)
NETWORKS_LIMIT = 20
REFUSED = "The token is unknown, revoked, expired or not meant for the address it came from."

log = structlog.get_logger(__name__)


@transaction.atomic
def create(
    scope: Scope,
    name: str,
    *,
    days: int | None = None,
    role: Role | None = None,
    networks: Iterable[str] = (),
) -> tuple[ApiToken, str]:
    """A new token of the calling member, and its text, which is shown this once.

    `networks` are the networks it is taken from (CIDR, or one address each); none: from everywhere.
    Raises: `InputInvalid` for a name, a number of days, a network or a role above the maker's own.
    """
    scope.require(Permission.TOKEN_OWN)
    if scope.actor_id is None:
        raise InputInvalid("Only a member can have a token.", field="name")
    name, days = name.strip(), settings.GRANTLINE.token_days if days is None else days
    role = role or scope.role
    if not 1 <= len(name) <= 100:
        raise InputInvalid("A token's name must have 1 to 100 characters; it says what uses it.", field="name")
    if not 1 <= days <= DAYS_LIMIT:
        raise InputInvalid(f"A token is valid for 1 to {DAYS_LIMIT:,} days.", field="days")
    if not role_permissions(role) <= role_permissions(scope.role):
        raise InputInvalid("A token's role cannot allow more than its maker's role.", field="role")
    text = TOKEN_PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        organization_id=scope.organization_id,
        user_id=scope.actor_id,
        name=name,
        hint=text[:10],
        digest=_digest(text),
        role=role.value,
        networks=_networks(networks),
        expires_at=timezone.now() + timedelta(days=days),
    )
    record(
        scope,
        Action.TOKEN_CREATE,
        token,
        name=name,
        after={"role": role.value, "days": days, "networks": token.networks},
    )
    return token, text


def list_tokens(scope: Scope) -> models.QuerySet[ApiToken]:
    """The organization's tokens, newest first; a member without `MEMBER_WRITE` sees their own."""
    scope.require(Permission.TOKEN_OWN)
    tokens = scoped(ApiToken, scope).select_related("user").order_by("-created_at")
    return tokens if scope.may(Permission.MEMBER_WRITE) else tokens.filter(user_id=scope.actor_id)


@transaction.atomic
def revoke(scope: Scope, token_id: str) -> ApiToken:
    """End a token at once. Raises: `NotFound`."""
    token = get(ApiToken, scope, token_id, lock=True)
    if token.user_id != scope.actor_id:
        scope.require(Permission.MEMBER_WRITE)
    if token.revoked_at is None:
        token.revoked_at = timezone.now()
        token.save(update_fields=["revoked_at"])
        record(scope, Action.TOKEN_REVOKE, token, name=token.name)
    return token


def scope_of_token(text: str, address: str | None = None) -> Scope:
    """The scope of whoever holds `text`.

    The role is the token's, cut down to the member's role of today. Raises: `NotSignedIn` for a token
    that is unknown, revoked or expired, used from a network it is not for, or whose member is gone; all
    answered alike, so that whoever found one learns nothing.
    """
    with system_scope("a token comes in: whose is it?"):
        token = ApiToken.objects.select_related("user").filter(digest=_digest(text)).first()
    now = timezone.now()
    if token is None or token.revoked_at is not None or token.expires_at <= now:
        raise NotSignedIn(REFUSED)
    if not _within(token.networks, address):
        log.warning("token.network", token_id=token.pk, address=address)
        raise NotSignedIn(REFUSED)
    user: User = token.user
    scope = scope_of(user, organization_id=token.organization_id, via="token", address=address)
    if scope is None:
        raise NotSignedIn(REFUSED)
    if token.last_used_at is None or now - token.last_used_at > LAST_USED_GRAIN:
        with acting_for(scope):
            scoped(ApiToken, scope).filter(pk=token.pk).update(last_used_at=now)
    role = Role(token.role)
    return replace(scope, role=role) if role_permissions(role) <= role_permissions(scope.role) else scope


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _networks(texts: Iterable[str]) -> list[str]:
    """The networks in their canonical form. Raises: `InputInvalid` naming the first that is none."""
    found = []
    for text in texts:
        try:
            found.append(str(ipaddress.ip_network(text.strip())))
        except ValueError as error:
            raise InputInvalid(
                f"{text.strip()[:60]!r} is not a network.",
                field="networks",
                remedy="Write 192.0.2.0/24 or 2001:db8::/32, with no bits set after the prefix, or one address.",
            ) from error
    if len(found) > NETWORKS_LIMIT:
        raise InputInvalid(f"A token can have at most {NETWORKS_LIMIT} networks.", field="networks")
    return found


def _within(networks: list[str], address: str | None) -> bool:
    """Whether `address` lies in one of `networks`; an unknown address lies in none."""
    if not networks:
        return True
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return False
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return any((mapped or found) in ipaddress.ip_network(text) for text in networks)
