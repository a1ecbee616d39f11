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


class CheckKind(StrEnum):
    """What a check looks at: everything, or only whether the role still refuses everybody else."""

    CONNECTION = "connection"
    TRUST = "trust"


class CheckTrigger(StrEnum):
    """What made a check begin."""

    PERSON = "person"
    SCHEDULE = "schedule"


class IssuedExternalId(models.Model):
    """Every External ID ever issued. A row is never deleted: that is why no ID is issued twice.

    One that was made only to be refused by roles has neither organization nor data source.
    """

    external_id = models.CharField(primary_key=True, max_length=64)
    organization_id = models.CharField(max_length=40)
    data_source_id = models.CharField(max_length=40)
    issued_at = models.DateTimeField(default=timezone.now)
    retired_at = models.DateTimeField(null=True)


class DataSource(Owned):
    """A bucket that is read through a role with an External ID.

    The External ID is made with the row and stays, however often the page is left and opened; rotation
    puts a second one beside it (`pending_external_id`), which takes its place once a check proved it.
    `verified_at` is set only by a check whose trust steps all passed for the values that are stored now;
    any change of role, bucket, prefix, region or owner takes it away in the same transaction, and so does
    a check that finds the role open to others (then `suspended_at` says since when). Nothing is read while
    it is null. `proven_at` is the last proof, kept when it lapses; `next_probe_at` is when the schedule
    proves it again, `unknown_count` how many tries in a row gave no clear answer.
    """

    id = models.CharField(primary_key=True, max_length=40, default=ids.source_id, editable=False)
    name = models.CharField(max_length=200)
    external_id = models.CharField(max_length=64, unique=True, editable=False)
    pending_external_id = models.CharField(max_length=64, unique=True, null=True, editable=False)
    state = models.CharField(max_length=20, default=SourceState.AWAITING_ROLE.value)
    role_arn = models.CharField(max_length=2048, blank=True)
    bucket = models.CharField(max_length=255, blank=True)
    prefix = models.CharField(max_length=1024, blank=True)
    region = models.CharField(max_length=40, blank=True)
    bucket_owner = models.CharField(max_length=12, blank=True, default="", db_default="")
    found_region = models.CharField(max_length=40, blank=True)
    versioned = models.BooleanField(default=False)
    kms_key_arn = models.CharField(max_length=2048, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.CharField(max_length=254)
    changed_at = models.DateTimeField(default=timezone.now)
    verified_at = models.DateTimeField(null=True)
    checked_at = models.DateTimeField(null=True)
    proven_at = models.DateTimeField(null=True)
    suspended_at = models.DateTimeField(null=True)
    suspended_reason = models.TextField(blank=True, default="", db_default="")
    next_probe_at = models.DateTimeField(null=True)
    unknown_count = models.PositiveIntegerField(default=0, db_default=0)

    class Meta:
        verbose_name = "data source"
        constraints: ClassVar = [
            models.UniqueConstraint("organization", "name", name="data_source_name_is_unique_per_organization"),
            models.UniqueConstraint(
                "role_arn",
                condition=Q(verified_at__isnull=False),
                name="a_role_belongs_to_one_verified_data_source",
            ),
            models.CheckConstraint(
                condition=~Q(state="connected") | Q(verified_at__isnull=False),
                name="a_connected_data_source_was_verified",
            ),
            models.CheckConstraint(
                condition=Q(suspended_at__isnull=True) | Q(verified_at__isnull=True),
                name="a_suspended_data_source_is_not_verified",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["next_probe_at"], condition=Q(next_probe_at__isnull=False), name="sources_to_probe")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def effective_region(self) -> str:
        """The region to read in: the one named, else the one found, else empty."""
        return self.region or self.found_region


class ConnectionCheck(Owned):
    """One check of a data source: its steps, as they came in.

    `steps` is a list of `{name, outcome, code, message, remedy, at}` in the order of the check.
    `waiting_seconds` is set while AWS has not yet noticed a new role. `external_id` is the one it was
    carried out with; `state_before` what the data source's state was when it began.
    """

    id = models.CharField(primary_key=True, max_length=40, default=ids.check_id, editable=False)
    data_source = models.ForeignKey(DataSource, on_delete=models.CASCADE, related_name="checks")
    kind = models.CharField(max_length=20, default=CheckKind.CONNECTION.value, db_default=CheckKind.CONNECTION.value)
    trigger = models.CharField(max_length=20, default=CheckTrigger.PERSON.value, db_default=CheckTrigger.PERSON.value)
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)
    requested_by = models.CharField(max_length=254)
    values = models.JSONField(default=dict)
    external_id = models.CharField(max_length=64, blank=True, default="", db_default="")
    state_before = models.CharField(
        max_length=20, default=SourceState.AWAITING_ROLE.value, db_default=SourceState.AWAITING_ROLE.value
    )
    steps = models.JSONField(default=list)
    waiting_seconds = models.IntegerField(null=True)
    trusted = models.BooleanField(default=False)
    ok = models.BooleanField(default=False)

    class Meta:
        verbose_name = "connection check"
        constraints: ClassVar = [
            models.UniqueConstraint(
                "data_source",
                condition=Q(finished_at__isnull=True),
                name="one_check_of_a_data_source_is_under_way",
            )
        ]
        indexes: ClassVar = [models.Index(fields=["data_source", "-started_at"], name="connection_check_newest_first")]
