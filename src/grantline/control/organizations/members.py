"""Rules of members: adding, changing and removing them; what each may change about themselves.

In: a scope and what is asked. Out: the stored change with its audit event. Invariants: an organization
always has a Super Administrator; whoever is removed has no session and no token left; a link to set a
password is made only for somebody who is a member of this organization alone, so that no organization
can take over an account that another one also trusts.
"""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.db import models, transaction
from django.utils import timezone

from grantline.control.audit.rules import Action, record
from grantline.control.organizations.models import Membership, Organization, User
from grantline.control.organizations.roles import Permission, Role
from grantline.control.organizations.rules import check_email, check_password
from grantline.control.tenancy import Scope, scoped, system_scope
from grantline.control.tokens.models import ApiToken
from grantline.errors import Conflict, InputInvalid, NotFound

_links = PasswordResetTokenGenerator()
"""A link's text is signed over the password's hash and the last sign-in: it works once, for three days."""


def list_members(scope: Scope) -> models.QuerySet[Membership]:
    """The organization's memberships by e-mail address."""
    scope.require(Permission.MEMBER_READ)
    return scoped(Membership, scope).select_related("user").order_by("user__email")


@transaction.atomic
def add(scope: Scope, email: str, role: Role, *, name: str = "") -> Membership:
    """A new member; an e-mail address that is unknown here gets a user without a password.

    Raises: `InputInvalid` for the address or the name, `Conflict` for somebody who is a member already.
    """
    scope.require(Permission.MEMBER_WRITE)
    email = email.strip()
    check_email(email)
    user = User.objects.filter(email__iexact=email).first()
    user = user or User.objects.create_user(email, name=_valid_name(name))
    membership, created = scoped(Membership, scope).get_or_create(
        organization_id=scope.organization_id, user=user, defaults={"role": role.value}
    )
    if not created:
        raise Conflict(f"{user.email} is already a member.", remedy="Change the role in the list of members.")
    record(scope, Action.MEMBER_ADD, membership, name=user.email, after={"role": role.value})
    return membership


def may_have_link(membership: Membership) -> bool:
    """Whether a link to set the password can be made: for members of this one organization."""
    with system_scope("a password counts in every organization: is the member in another one?"):
        return not membership.user.memberships.exclude(pk=membership.pk).exists()


@transaction.atomic
def password_link(scope: Scope, membership_id: str) -> tuple[Membership, str]:
    """The text of a link with which the member sets a password once. Raises: `NotFound`, `Conflict`."""
    scope.require(Permission.MEMBER_WRITE)
    membership = _member(scope, membership_id)
    if not may_have_link(membership):
        raise Conflict(
            f"{membership.user.email} is a member of another organization too.",
            remedy="They sign in with the password they have, and can change it under their profile.",
        )
    record(scope, Action.MEMBER_LINK, membership, name=membership.user.email)
    return membership, f"{membership.user_id}.{_links.make_token(membership.user)}"


def user_of_link(text: str) -> User | None:
    """Whose password the link sets, or None where it is wrong, used or too old."""
    user_id, _, token = text[:200].partition(".")
    user = User.objects.filter(pk=user_id.replace("\x00", ""), is_active=True).first()
    return user if user is not None and _links.check_token(user, token) else None


@transaction.atomic
def set_password(scope: Scope, user: User, password: str) -> None:
    """Store a new password and end every session; the caller keeps their own alive.

    Raises: `InputInvalid` for a weak one.
    """
    check_password(password, user)
    user.set_password(password)
    user.save(update_fields=["password"])
    record(scope, Action.PASSWORD_CHANGE, user, name=user.email)


@transaction.atomic
def change_name(scope: Scope, user: User, name: str) -> None:
    """Store the member's own name. Raises: `InputInvalid`."""
    before, user.name = user.name, _valid_name(name)
    user.save(update_fields=["name"])
    record(scope, Action.PROFILE_CHANGE, user, name=user.email, before={"name": before}, after={"name": user.name})


@transaction.atomic
def change_role(scope: Scope, membership_id: str, role: Role) -> Membership:
    """Give a member another role. Raises: `NotFound`, `Conflict` for the last Super Administrator."""
    scope.require(Permission.MEMBER_WRITE)
    membership = _member(scope, membership_id)
    if membership.role != role.value:
        _keep_one_administrator(membership)
        store_role(scope, membership, role)
    return membership


def store_role(scope: Scope, membership: Membership, role: Role) -> None:
    """Store a role and record it; the caller has checked that it may be changed."""
    before, membership.role = membership.role, role.value
    membership.save(update_fields=["role"])
    name = membership.user.email
    record(scope, Action.MEMBER_CHANGE, membership, name=name, before={"role": before}, after={"role": role.value})


def is_last_administrator(membership: Membership) -> bool:
    """Whether the organization has no other Super Administrator; takes the organization's lock."""
    Organization.objects.select_for_update().get(pk=membership.organization_id)
    if membership.role != Role.SUPER_ADMINISTRATOR.value:
        return False
    others = scoped(Membership, membership).filter(role=membership.role)
    return not others.exclude(pk=membership.pk).filter(user__is_active=True).exists()


@transaction.atomic
def remove(scope: Scope, membership_id: str) -> Membership:
    """End a membership, with the member's sessions and tokens. Raises: `NotFound`, `Conflict`."""
    scope.require(Permission.MEMBER_WRITE)
    membership = _member(scope, membership_id)
    _keep_one_administrator(membership)
    user = membership.user
    tokens = scoped(ApiToken, scope).filter(user=user, revoked_at__isnull=True)
    count = tokens.update(revoked_at=timezone.now())
    before = {"role": membership.role, "tokens": count}
    record(scope, Action.MEMBER_REMOVE, membership, name=user.email, before=before)
    membership.delete()
    end_sessions(user)
    return membership


@transaction.atomic
def reset_second_step(scope: Scope, membership_id: str) -> Membership:
    """Forget a member's second step, for somebody who lost their device. Raises: `NotFound`, `Conflict`."""
    scope.require(Permission.MEMBER_WRITE)
    membership = _member(scope, membership_id)
    if not may_have_link(membership):
        raise Conflict(f"{membership.user.email} is a member of another organization too.")
    Authenticator.objects.filter(user_id=membership.user_id).delete()
    end_sessions(membership.user)
    record(scope, Action.MEMBER_RESET, membership, name=membership.user.email)
    return membership


def end_sessions(user: User, *, besides: str | None = None) -> int:
    """End the user's sessions, but for the one whose key is given; how many they were."""
    ended = list(UserSession.objects.filter(user_id=user.pk).exclude(session_key=besides or ""))
    for session in ended:
        session.end()
    return len(ended)


def _member(scope: Scope, membership_id: str) -> Membership:
    rows = scoped(Membership, scope).select_for_update(of=("self",)).select_related("user")
    found = rows.filter(pk=membership_id[:64].replace("\x00", "")).first()
    if found is None:
        raise NotFound(f"There is no member {membership_id[:64]!r} in your organization.")
    return found


def _keep_one_administrator(membership: Membership) -> None:
    if is_last_administrator(membership):
        raise Conflict(
            f"{membership.user.email} is the last Super Administrator.",
            remedy="Make somebody else Super Administrator first.",
        )


def _valid_name(name: str) -> str:
    text = name.strip()
    if len(text) > 200 or not (text == "" or text.isprintable()):
        raise InputInvalid("A name has at most 200 printable characters.", field="name")
    return text
