"""Organizations, the people who sign in, and their memberships."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from grantline.control import ids
from grantline.control.organizations.roles import Role
from grantline.control.tenancy import Owned


class Organization(models.Model):
    """A customer: everything else belongs to exactly one.

    The guard's limits and `retention_days` hold for every import that has none of its own; without
    `guard_growth_share` growth is not limited, without `retention_days` every version is kept.
    """

    id = models.CharField(primary_key=True, max_length=40, default=ids.organization_id, editable=False)
    name = models.CharField(max_length=200)
    created_at = models.DateTimeField(default=timezone.now)
    guard_share = models.FloatField(default=0.2, db_default=0.2)
    guard_count = models.PositiveIntegerField(default=10, db_default=10)
    guard_growth_share = models.FloatField(null=True)
    retention_days = models.PositiveIntegerField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(Lower("name"), name="organization_name_is_unique"),
        ]

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager["User"]):
    """Makes users; e-mail addresses compare without letter case."""

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email__iexact=username)

    def create_user(self, email: str, password: str | None = None, name: str = "") -> User:
        """A new user who can sign in with `email` and `password`."""
        user = self.model(email=email.strip(), name=name)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser):
    """A person who signs in. What they may do is in their memberships."""

    id = models.CharField(primary_key=True, max_length=40, default=ids.user_id, editable=False)
    email = models.EmailField(max_length=254, unique=True)
    name = models.CharField(max_length=200, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = UserManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(Lower("email"), name="user_email_is_unique_without_case"),
        ]

    def __str__(self) -> str:
        return self.name or self.email


class Membership(Owned):
    """A user's role in an organization."""

    id = models.CharField(primary_key=True, max_length=40, default=ids.membership_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=40, choices=[(role.value, role.label) for role in Role])
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint("organization", "user", name="one_membership_per_user_and_organization"),
        ]
