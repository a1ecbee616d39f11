"""Rules of single sign-on: what an organization may set up, and whom its provider lets in as what.

In: a form, or the claims of a verified ID token. Out: the stored settings, or the user who signs in. A
provider speaks for its own organization only: it can make new members there, and vouch for people who are
members there and nowhere else. Where roles are mapped, the provider decides the role at each sign-in;
the last Super Administrator keeps theirs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from allauth.socialaccount.models import SocialAccount
from django.db import transaction

from grantline.control.audit.rules import Action, record
from grantline.control.organizations.members import is_last_administrator, store_role
from grantline.control.organizations.models import Membership, User
from grantline.control.organizations.roles import Permission, Role
from grantline.control.organizations.rules import check_email
from grantline.control.sealing import seal, unseal
from grantline.control.single_sign_on.models import SingleSignOn
from grantline.control.single_sign_on.reach import is_valid_issuer
from grantline.control.tenancy import Scope, acting_for, scoped, system_scope
from grantline.errors import InputInvalid, NotAllowed, NotFound

SEALED_FOR: Final = "single sign-on"
DOMAIN: Final = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
MAPPED_LIMIT: Final = 100


def read(scope: Scope) -> SingleSignOn | None:
    """The organization's single sign-on, or None."""
    scope.require(Permission.SIGN_IN_WRITE)
    return scoped(SingleSignOn, scope).first()


@transaction.atomic
def save(scope: Scope, values: Mapping[str, Any]) -> SingleSignOn:
    """Store the settings: `issuer_url client_id client_secret email_domains role_claim role_map default_role`.

    An empty `client_secret` keeps the stored one, unless the issuer is another one: a secret is only ever
    sent to the provider it was typed for. Raises: `InputInvalid` naming the field.
    """
    scope.require(Permission.SIGN_IN_WRITE)
    row = scoped(SingleSignOn, scope).select_for_update().first() or SingleSignOn(organization_id=scope.organization_id)
    before = _shown(row) if not row._state.adding else None
    checked = valid(values)
    secret = str(values.get("client_secret") or "").strip()
    if not secret and (row._state.adding or row.issuer_url != checked["issuer_url"]):
        raise InputInvalid("Give the client secret that the provider has made for Grantline.", field="client_secret")
    if not row._state.adding and row.issuer_url != checked["issuer_url"]:
        _forget_subjects(row)
    for name, value in checked.items():
        setattr(row, name, value)
    if secret:
        row.sealed_secret = seal(secret, SEALED_FOR)
    row.save()
    record(scope, Action.SIGN_ON_CHANGE, row, name=row.issuer_url, before=before, after=_shown(row))
    return row


@transaction.atomic
def delete(scope: Scope) -> None:
    """Forget the settings; nobody signs in that way any more. Raises: `NotFound`."""
    scope.require(Permission.SIGN_IN_WRITE)
    row = scoped(SingleSignOn, scope).select_for_update().first()
    if row is None:
        raise NotFound("Single sign-on is not set up.")
    record(scope, Action.SIGN_ON_DELETE, row, name=row.issuer_url, before=_shown(row))
    _forget_subjects(row)
    row.delete()


def valid(values: Mapping[str, Any]) -> dict[str, Any]:
    """The checked fields of `values`, without the secret. Raises: `InputInvalid` naming the field."""
    issuer, client_id = str(values["issuer_url"]).strip(), str(values["client_id"]).strip()
    if not is_valid_issuer(issuer) or len(issuer) > 500:
        raise InputInvalid("The issuer must look like https://login.example.com, without a query.", field="issuer_url")
    if not 1 <= len(client_id) <= 190 or not client_id.isprintable():
        raise InputInvalid("Give the client ID that the provider has made for Grantline.", field="client_id")
    default = str(values.get("default_role") or "")
    if default and default not in list(Role):
        raise InputInvalid("There is no such role.", field="default_role")
    claim = str(values.get("role_claim") or "").strip()
    role_map = _valid_map(values.get("role_map") or {})
    if role_map and not claim:
        raise InputInvalid("Name the claim whose values are mapped to roles.", field="role_claim")
    return {
        "issuer_url": issuer,
        "client_id": client_id,
        "email_domains": _valid_domains(values.get("email_domains") or ()),
        "role_claim": claim[:100],
        "role_map": role_map,
        "default_role": default,
    }


def client_secret(row: SingleSignOn) -> str:
    """The client secret in the clear, for the provider alone."""
    return unseal(row.sealed_secret, SEALED_FOR)


def is_any_set_up() -> bool:
    """Whether any organization here has single sign-on."""
    with system_scope("the sign-in page: nobody is known yet"):
        return SingleSignOn.objects.exists()


def find(sign_on_id: str) -> SingleSignOn | None:
    """The single sign-on with this id, whosever it is, or None."""
    with system_scope("somebody comes in through a provider: whose is it?"):
        return SingleSignOn.objects.filter(pk=sign_on_id[:64].replace("\x00", "")).first()


def of_email(email: str) -> SingleSignOn | None:
    """The one single sign-on that people with this e-mail address use; None where it is none, or not clear."""
    domain = email.strip().lower().rpartition("@")[2]
    with system_scope("somebody comes in: whose provider is for this e-mail address?"):
        found = list(SingleSignOn.objects.filter(email_domains__contains=[domain])[:2]) if domain else []
    return found[0] if len(found) == 1 else None


def of_member(scope: Scope) -> SingleSignOn | None:
    """The single sign-on of the member's organization, or None."""
    return scoped(SingleSignOn, scope).first()


def mapped_role(row: SingleSignOn, claims: Mapping[str, Any]) -> Role | None:
    """The highest role that the claims are mapped to, or the default, or None."""
    value = claims.get(row.role_claim) if row.role_claim else None
    said = {str(item) for item in (value if isinstance(value, list) else [value]) if item is not None}
    given = {row.role_map[item] for item in said if item in row.role_map}
    found = next((role for role in Role if role.value in given), None)
    return found or (Role(row.default_role) if row.default_role else None)


@transaction.atomic
def admit(row: SingleSignOn, claims: Mapping[str, Any], *, known: User | None, address: str | None) -> User:
    """The user that the claims of a verified token speak of, as a member of the organization.

    `known` is who signed in with this subject before. Raises: `NotAllowed` with words for the sign-in page.
    """
    with acting_for(row):
        return _admit(row, claims, known, address)


def _admit(row: SingleSignOn, claims: Mapping[str, Any], known: User | None, address: str | None) -> User:
    email = _valid_claim(row, claims)
    user = known or User.objects.filter(email__iexact=email).first()
    membership = user.memberships.filter(organization_id=row.organization_id).first() if user else None
    role = mapped_role(row, claims)
    if user is not None and (membership is None or (known is None and _is_elsewhere(user))):
        raise NotAllowed("This e-mail address has an account here that your provider cannot vouch for.")
    if membership is not None and not row.role_map:
        return membership.user
    if role is None:
        raise NotAllowed("Your identity provider gives you no role in Grantline.")
    scope = Scope(row.organization_id, None, "Single sign-on", Role.SUPER_ADMINISTRATOR, "single_sign_on", address)
    if membership is None:
        return _new_member(scope, email, role, str(claims.get("name") or ""))
    if membership.role != role.value and not is_last_administrator(membership):
        store_role(scope, membership, role)
    return membership.user


def _is_elsewhere(user: User) -> bool:
    with system_scope("a provider speaks for one organization: is the person a member of another one?"):
        return user.memberships.count() > 1


def _new_member(scope: Scope, email: str, role: Role, name: str) -> User:
    user = User.objects.create_user(email, name=name[:200] if name.isprintable() else "")
    membership = Membership.objects.create(organization_id=scope.organization_id, user=user, role=role.value)
    record(scope, Action.MEMBER_ADD, membership, name=email, after={"role": role.value})
    return user


def _valid_claim(row: SingleSignOn, claims: Mapping[str, Any]) -> str:
    """The e-mail address. Raises: `NotAllowed` where there is none that counts."""
    email = str(claims.get("email") or "").strip()
    try:
        check_email(email)
    except InputInvalid as error:
        raise NotAllowed("Your identity provider did not say your e-mail address.") from error
    if claims.get("email_verified") in (False, "false"):
        raise NotAllowed("Your identity provider has not verified your e-mail address.")
    if email.lower().rpartition("@")[2] not in row.email_domains:
        raise NotAllowed("Your e-mail address is not of a domain that this sign-in is for.")
    return email


def _valid_domains(domains: Iterable[str]) -> list[str]:
    found = sorted({domain.strip().lower().removeprefix("@") for domain in domains if domain.strip()})
    wrong = [domain for domain in found if not DOMAIN.fullmatch(domain)]
    if wrong:
        raise InputInvalid(f"{wrong[0][:80]!r} is not a domain such as example.com.", field="email_domains")
    if not found or len(found) > MAPPED_LIMIT:
        raise InputInvalid("Name the domains whose e-mail addresses may sign in.", field="email_domains")
    return found


def _valid_map(given: Mapping[str, str]) -> dict[str, str]:
    wrong = [role for role in given.values() if role not in list(Role)]
    if wrong:
        raise InputInvalid(f"{wrong[0][:60]!r} is no role; roles are {', '.join(Role)}.", field="role_map")
    if len(given) > MAPPED_LIMIT:
        raise InputInvalid(f"At most {MAPPED_LIMIT} values can be mapped.", field="role_map")
    return dict(given)


def _forget_subjects(row: SingleSignOn) -> None:
    """A subject means somebody only together with its issuer."""
    SocialAccount.objects.filter(provider=row.pk).delete()


def _shown(row: SingleSignOn) -> dict[str, Any]:
    """What the audit log may hold."""
    names = ("issuer_url", "client_id", "email_domains", "role_claim", "default_role")
    role_map = [f"{value} = {role}" for value, role in row.role_map.items()]
    return {name: getattr(row, name) for name in names} | {"role_map": role_map}
