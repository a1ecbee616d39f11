"""People who sign in, for tests of pages."""

from __future__ import annotations

from grantline.control.organizations.models import Membership, Organization, User
from grantline.control.organizations.roles import Role
from grantline.control.organizations.rules import scope_of
from grantline.control.tenancy import Scope

PASSWORD = "an unlikely sentence 17"


def make_member(organization: str, role: Role) -> tuple[User, Scope]:
    """The member of `organization` with `role`, made where there is none; without a password, because
    hashing one takes longer than most tests."""
    owner, _ = Organization.objects.get_or_create(name=organization)
    email = f"{role.value}@{organization.lower()}.example.com"
    user = User.objects.filter(email=email).first() or User.objects.create_user(email, name=role.label)
    Membership.objects.get_or_create(organization=owner, user=user, defaults={"role": role.value})
    scope = scope_of(user, via="session")
    assert scope is not None
    return user, scope
