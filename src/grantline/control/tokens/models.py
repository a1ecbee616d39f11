"""API tokens."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone

from grantline.control import ids
from grantline.control.organizations.models import User
from grantline.control.tenancy import Owned


class ApiToken(Owned):
    """A bearer token of one member. Only its SHA-256 is kept; it is shown once, when it is made."""

    id = models.CharField(primary_key=True, max_length=40, default=ids.token_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=100)
    hint = models.CharField(max_length=12)
    digest = models.CharField(max_length=64, unique=True)
    role = models.CharField(max_length=40)
    networks = models.JSONField(default=list, db_default=[])
    """Networks it is taken from, as CIDR text; empty: from everywhere."""
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "token"
        indexes: ClassVar = [models.Index(fields=["organization", "-created_at"], name="api_token_newest_first")]
