"""The audit log's table."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone

from grantline.control import ids
from grantline.control.tenancy import Owned


class AuditEvent(Owned):
    """Who did what to which thing, when and from where. Written in the transaction it describes.

    The actor's name is kept beside the id, so that the line still says who after they are gone. Events of
    an organization are numbered without a gap, and each holds the hash of the one before it (`chain`);
    a trigger refuses every change and every removal.
    """

    id = models.CharField(primary_key=True, max_length=40, default=ids.event_id, editable=False)
    at = models.DateTimeField(default=timezone.now)
    actor_id = models.CharField(max_length=40, blank=True)
    actor_name = models.CharField(max_length=254)
    via = models.CharField(max_length=20)
    address = models.CharField(max_length=45, blank=True)
    action = models.CharField(max_length=60)
    subject_id = models.CharField(max_length=64)
    subject_name = models.CharField(max_length=1100, blank=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    sequence = models.PositiveBigIntegerField()
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        verbose_name = "audit event"
        constraints: ClassVar = [
            models.UniqueConstraint("organization", "sequence", name="audit_events_are_numbered_without_repetition"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organization", "-at"], name="audit_event_newest_first"),
            models.Index(fields=["organization", "subject_id", "-at"], name="audit_event_of_a_thing"),
        ]


class AuditHead(Owned):
    """Where an organization's audit log ends: the last event's number and hash, and the last verification.

    Without it a log whose newest events were cut off would look whole. A trigger lets it move forward
    only. Its row's lock is what puts the events of one organization in order.
    """

    sequence = models.PositiveBigIntegerField(default=0)
    hash = models.CharField(max_length=64)
    verified_at = models.DateTimeField(null=True)
    verified_sequence = models.PositiveBigIntegerField(default=0)
    fault_count = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = "end of the audit log"
        constraints: ClassVar = [
            models.UniqueConstraint("organization", name="an_organization_has_one_audit_log"),
        ]
