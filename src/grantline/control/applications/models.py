"""Applications, and the keys in them that changed their spelling."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import MD5
from django.utils import timezone

from grantline.control import ids
from grantline.control.organizations.models import User
from grantline.control.tenancy import Owned


class Application(Owned):
    """Something people have accounts in. Its accounts, entitlements and grants come from its imports."""

    id = models.CharField(primary_key=True, max_length=40, default=ids.application_id, editable=False)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True, max_length=2000)
    owner = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.CharField(max_length=254)

    class Meta:
        verbose_name = "application"
        constraints: ClassVar = [
            models.UniqueConstraint("organization", "name", name="application_name_is_unique_per_organization"),
        ]

    def __str__(self) -> str:
        return self.name


class KeyAlias(Owned):
    """Two keys of an application that are one account, or one entitlement: `old` is called `new` now.

    Keys are public ones: an account's id, an entitlement's key. Where a file says `old`, it means `new`.
    """

    id = models.CharField(primary_key=True, max_length=40, default=ids.alias_id, editable=False)
    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="aliases")
    kind = models.CharField(max_length=20)
    old = models.TextField()
    new = models.TextField()
    reason = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.CharField(max_length=254)

    class Meta:
        verbose_name = "alias"
        constraints: ClassVar = [
            models.UniqueConstraint("application", "kind", MD5("old"), name="an_old_key_has_one_new_key"),
            models.CheckConstraint(condition=Q(kind__in=("account", "entitlement")), name="an_alias_has_a_known_kind"),
            models.CheckConstraint(condition=~Q(old=F("new")), name="an_alias_names_two_keys"),
        ]
