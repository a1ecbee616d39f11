"""Applications."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
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
