"""Rules of organizations and members: the first administrator, and the scope of who is calling."""

from __future__ import annotations

from dataclasses import replace

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from grantline.control.audit.rules import Action, record
from grantline.control.organizations.models import Membership, Organization, User
from grantline.control.organizations.roles import Role
from grantline.control.tenancy import Scope, system_scope
from grantline.errors import Conflict, InputInvalid


@transaction.atomic
def create_admin(organization_name: str, email: str, password: str) -> Membership:
    """A Super Administrator of `organization_name`, with the organization where it is new.

    An existing user keeps their password if it is the one given; one who is already a Super
    Administrator there is left as they are. Raises: `InputInvalid` naming the field, `Conflict` where
    the e-mail belongs to somebody with another password.
    """
    with system_scope("the command line makes an organization"):
        return _create_admin(organization_name.strip(), email.strip(), password)


def _create_admin(name: str, email: str, password: str) -> Membership:
    _check_new_member(name, email)
    organization = Organization.objects.filter(name__iexact=name).first()
    organization = organization or Organization.objects.create(name=name)
    user = User.objects.filter(email__iexact=email).first()
    if user is None:
        check_password(password, User(email=email))
        user = User.objects.create_user(email, password)
    elif not user.check_password(password):
        raise Conflict(
            f"{email} already has an account here with another password.",
            remedy="Give that person's password, or use another e-mail address.",
        )
    membership, created = Membership.objects.update_or_create(
        organization=organization, user=user, defaults={"role": Role.SUPER_ADMINISTRATOR.value}
    )
    if created:
        record(
            _cli_scope(membership),
            Action.MEMBER_ADD,
            membership,
            name=user.email,
            after={"role": membership.role},
        )
    return membership


def scope_of(user: User, *, organization_id: str | None = None, via: str, address: str | None = None) -> Scope | None:
    """The scope of a signed-in user, or None where they are a member nowhere (or not there)."""
    memberships = user.memberships.order_by("created_at")
    if organization_id is not None:
        memberships = memberships.filter(organization_id=organization_id)
    with system_scope("somebody comes in: where are they a member?"):
        membership = memberships.first()
    if membership is None or not user.is_active:
        return None
    return Scope(
        organization_id=membership.organization_id,
        actor_id=user.pk,
        actor_name=user.email,
        role=Role(membership.role),
        via=via,
        address=address,
    )


@transaction.atomic
def note_failed_sign_in(email: str, step: str, address: str | None) -> None:
    """Record that somebody could not sign in as a member, in the log of the member's organization.

    An address that nobody has is in no organization's log; the process's own log counts it.
    """
    user = User.objects.filter(email__iexact=email.strip()[:254].replace("\x00", "")).first()
    scope = scope_of(user, via="session", address=address) if user is not None else None
    if user is not None and scope is not None:
        unproven = replace(scope, actor_id=None)  # whoever it was, they did not prove to be the member
        record(unproven, Action.SIGN_IN_FAIL, user, name=user.email, after={"step": step})


def scope_of_email(email: str, via: str = "cli") -> Scope:
    """The scope of the member with this e-mail address. Raises: `InputInvalid` where there is none."""
    user = User.objects.filter(email__iexact=email.strip()).first()
    scope = scope_of(user, via=via) if user else None
    if scope is None:
        raise InputInvalid(
            f"Nobody with the e-mail address {email} is a member here.",
            field="email",
            remedy="Make the first one with: grantline create-admin --organization O --email E --password-stdin",
        )
    return scope


def worker_scope(organization_id: str) -> Scope:
    """The scope of the schedule and the worker, for one organization."""
    return Scope(organization_id, None, "Grantline", Role.SUPER_ADMINISTRATOR, via="worker")


def _cli_scope(membership: Membership) -> Scope:
    return Scope(membership.organization_id, None, "command line", Role.SUPER_ADMINISTRATOR, via="cli")


def _check_new_member(name: str, email: str) -> None:
    if not name or len(name) > 200:
        raise InputInvalid("The organization's name must have 1 to 200 characters.", field="organization")
    check_email(email)


def check_email(email: str) -> None:
    """Raises: `InputInvalid` unless it is an e-mail address."""
    try:
        validate_email(email)
    except ValidationError as error:
        raise InputInvalid(f"{email[:254]!r} is not an e-mail address.", field="email") from error


def check_password(password: str, user: User) -> None:
    """Raises: `InputInvalid` for a password that is too short or too common, with the reasons."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise InputInvalid(" ".join(error.messages), field="password") from error
