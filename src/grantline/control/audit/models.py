"""The audit log's table."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone

from grantline.control import ids
from grantline.control.tenancy import Owned


class AuditEvent(Owned):
    """Who did what to which thing, when and from where. Written in the transaction it describes.

    The actor's name is kept beside the id, so that the line still says who after they are gone.
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

    class Meta:
        verbose_name = "audit event"
        indexes: ClassVar = [
            models.Index(fields=["organization", "-at"], name="audit_event_newest_first"),
            models.Index(fields=["organization", "subject_id", "-at"], name="audit_event_of_a_thing"),
        ]
