"""Data sources, the External IDs that were ever issued, and connection checks."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from grantline.control import ids
from grantline.control.tenancy import Owned


class SourceState(StrEnum):
    """The state of a data source, in the words of the pages."""

    AWAITING_ROLE = "awaiting_role"
    CHECKING = "checking"
    CONNECTED = "connected"
    NEEDS_ATTENTION = "needs_attention"
    SUSPENDED = "suspended"


class IssuedExternalId(models.Model):
    """Every External ID ever issued. A row is never deleted: that is why no ID is issued twice."""

    external_id = models.CharField(primary_key=True, max_length=64)
    organization_id = models.CharField(max_length=40)
    data_source_id = models.CharField(max_length=40)
    issued_at = models.DateTimeField(default=timezone.now)
    retired_at = models.DateTimeField(null=True)


class DataSource(Owned):
    """A bucket that is read through a role with an External ID.

    The External ID is made with the row and never changes, however often the page is left and opened.
    `verified_at` is set only by a check whose first three steps passed for the values that are stored
    now; any change of role, bucket, prefix or region takes it away in the same transaction.
    """

    id = models.CharField(primary_key=True, max_length=40, default=ids.source_id, editable=False)
    name = models.CharField(max_length=200)
    external_id = models.CharField(max_length=64, unique=True, editable=False)
    state = models.CharField(max_length=20, default=SourceState.AWAITING_ROLE.value)
    role_arn = models.CharField(max_length=2048, blank=True)
    bucket = models.CharField(max_length=255, blank=True)
    prefix = models.CharField(max_length=1024, blank=True)
    region = models.CharField(max_length=40, blank=True)
    found_region = models.CharField(max_length=40, blank=True)
    versioned = models.BooleanField(default=False)
    kms_key_arn = models.CharField(max_length=2048, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.CharField(max_length=254)
    changed_at = models.DateTimeField(default=timezone.now)
    verified_at = models.DateTimeField(null=True)
    checked_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "data source"
        constraints: ClassVar = [
            models.UniqueConstraint("organization", "name", name="data_source_name_is_unique_per_organization"),
            models.CheckConstraint(
                condition=~Q(state="connected") | Q(verified_at__isnull=False),
                name="a_connected_data_source_was_verified",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def effective_region(self) -> str:
        """The region to read in: the one named, else the one found, else empty."""
        return self.region or self.found_region


class ConnectionCheck(Owned):
    """One connection check of a data source: its steps, as they came in.

    `steps` is a list of `{name, outcome, code, message, remedy, at}` in the order of the check.
    `waiting_seconds` is set while AWS has not yet noticed a new role.
    """

    id = models.CharField(primary_key=True, max_length=40, default=ids.check_id, editable=False)
    data_source = models.ForeignKey(DataSource, on_delete=models.CASCADE, related_name="checks")
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)
    requested_by = models.CharField(max_length=254)
    values = models.JSONField(default=dict)
    steps = models.JSONField(default=list)
    waiting_seconds = models.IntegerField(null=True)
    trusted = models.BooleanField(default=False)
    ok = models.BooleanField(default=False)

    class Meta:
        verbose_name = "connection check"
        indexes: ClassVar = [models.Index(fields=["data_source", "-started_at"], name="connection_check_newest_first")]
