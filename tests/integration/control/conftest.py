"""Two organizations with people in every role."""

from __future__ import annotations

import pytest

from grantline.control.organizations.models import Membership, Organization, User
from grantline.control.organizations.roles import Role
from grantline.control.organizations.rules import scope_of
from grantline.control.tenancy import Scope


def member(organization: Organization, role: Role, name: str = "") -> Scope:
    """The scope of a new member."""
    email = f"{name or role.value}@{organization.pk[4:12]}.example.com"
    user = User.objects.create_user(email, "correct horse battery")
    Membership.objects.create(organization=organization, user=user, role=role.value)
    scope = scope_of(user, via="session")
    assert scope is not None
    return scope


@pytest.fixture
def organization(db: None) -> Organization:
    """One organization."""
    return Organization.objects.create(name="Example Corp")


@pytest.fixture
def admin(organization: Organization) -> Scope:
    """Its Super Administrator."""
    return member(organization, Role.SUPER_ADMINISTRATOR)


@pytest.fixture
def auditor(organization: Organization) -> Scope:
    """Its auditor."""
    return member(organization, Role.AUDITOR)


@pytest.fixture
def owner(organization: Organization) -> Scope:
    """An application owner of it, who owns nothing yet."""
    return member(organization, Role.APPLICATION_OWNER)


@pytest.fixture
def stranger(db: None) -> Scope:
    """The Super Administrator of another organization."""
    return member(Organization.objects.create(name="Other Corp"), Role.SUPER_ADMINISTRATOR)
