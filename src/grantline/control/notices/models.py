"""Notices, the endpoints they are sent to, and who gets them by e-mail."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from grantline.control import ids
from grantline.control.applications.models import Application
from grantline.control.tenancy import Owned


class NoticeKind(models.TextChoices):
    """What members are told; also the `type` of a webhook's event."""

    IMPORT_FAILING = "import.failing", "An import failed three times in a row"
    RUN_HELD = "run.held", "A run is held"
    IMPORT_STALE = "import.stale", "An import is stale"
    SOURCE_SUSPENDED = "data_source.suspended", "A data source is suspended"
    SOURCE_DISCONNECTED = "data_source.disconnected", "A data source is not connected any more"


class Notice(Owned):
    """Something that needs a person, from when it was found until it was over."""

    id = models.CharField(primary_key=True, max_length=40, default=ids.notice_id, editable=False)
    kind = models.CharField(max_length=40, choices=NoticeKind.choices)
    subject_id = models.CharField(max_length=40)
    subject_name = models.CharField(max_length=1300)
    message = models.TextField()
    application = models.ForeignKey(Application, null=True, on_delete=models.CASCADE, related_name="+")
    opened_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "notice"
        constraints: ClassVar = [
            models.UniqueConstraint(
                "organization",
                "kind",
                "subject_id",
                condition=Q(closed_at__isnull=True),
                name="a_trouble_is_told_once",
            ),
        ]


class WebhookEndpoint(Owned):
    """An address that notices are sent to, signed with a secret of its own."""

    id = models.CharField(primary_key=True, max_length=40, default=ids.webhook_id, editable=False)
    url = models.CharField(max_length=2000)
    secret_sealed = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.CharField(max_length=254)
    delivered_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    failure = models.CharField(max_length=300, blank=True, db_default="", default="")

    class Meta:
        verbose_name = "webhook"
        constraints: ClassVar = [
            models.UniqueConstraint("organization", "url", name="a_webhook_is_there_once"),
        ]


class NoticeSettings(Owned):
    """Who gets an organization's notices by e-mail."""

    id = models.CharField(primary_key=True, max_length=40, default=ids.notice_settings_id, editable=False)
    email_owners = models.BooleanField(default=True)
    email_super_administrators = models.BooleanField(default=True)
    more_emails = models.JSONField(default=list)

    class Meta:
        verbose_name = "notification settings"
        constraints: ClassVar = [
            models.UniqueConstraint("organization", name="an_organization_has_one_set_of_notification_settings"),
        ]
