"""An organization's single sign-on."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone

from grantline.control import ids
from grantline.control.tenancy import Owned


class SingleSignOn(Owned):
    """The OpenID Connect provider of one organization, and what its claims mean here.

    `sealed_secret` opens only under this installation's secret key. `role_map` is claim value → role.
    `default_role` empty: whoever has no mapped role is not let in.
    """

    id = models.CharField(primary_key=True, max_length=40, default=ids.sign_on_id, editable=False)
    issuer_url = models.URLField(max_length=500)
    client_id = models.CharField(max_length=190)
    sealed_secret = models.TextField()
    email_domains = models.JSONField(default=list)
    role_claim = models.CharField(max_length=100, blank=True)
    role_map = models.JSONField(default=dict)
    default_role = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "single sign-on"
        constraints: ClassVar = [
            models.UniqueConstraint("organization", name="one_single_sign_on_per_organization"),
        ]
