"""Notices, webhooks, and who gets e-mail. Additive: the previous release runs on beside it."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import grantline.control.ids
from grantline.control.isolation.walls import raise_wall


def raise_notice_walls(apps, schema_editor):
    """Each row belongs to one organization: row-level security shows it to that one alone."""
    with schema_editor.connection.cursor() as cursor:
        for table in ("control_notice", "control_noticesettings", "control_webhookendpoint"):
            raise_wall(cursor, table)


class Migration(migrations.Migration):
    dependencies = [
        ("control", "0006_sets"),
    ]

    operations = [
        migrations.CreateModel(
            name="Notice",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=grantline.control.ids.notice_id,
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("import.failing", "An import failed three times in a row"),
                            ("run.held", "A run is held"),
                            ("import.stale", "An import is stale"),
                            ("data_source.suspended", "A data source is suspended"),
                            ("data_source.disconnected", "A data source is not connected any more"),
                        ],
                        max_length=40,
                    ),
                ),
                ("subject_id", models.CharField(max_length=40)),
                ("subject_name", models.CharField(max_length=1300)),
                ("message", models.TextField()),
                ("opened_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("closed_at", models.DateTimeField(null=True)),
                (
                    "application",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="control.application",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="control.organization"
                    ),
                ),
            ],
            options={
                "verbose_name": "notice",
                "constraints": [
                    models.UniqueConstraint(
                        models.F("organization"),
                        models.F("kind"),
                        models.F("subject_id"),
                        condition=models.Q(("closed_at__isnull", True)),
                        name="a_trouble_is_told_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="NoticeSettings",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=grantline.control.ids.notice_settings_id,
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("email_owners", models.BooleanField(default=True)),
                ("email_super_administrators", models.BooleanField(default=True)),
                ("more_emails", models.JSONField(default=list)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="control.organization"
                    ),
                ),
            ],
            options={
                "verbose_name": "notification settings",
                "constraints": [
                    models.UniqueConstraint(
                        models.F("organization"), name="an_organization_has_one_set_of_notification_settings"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="WebhookEndpoint",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=grantline.control.ids.webhook_id,
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("url", models.CharField(max_length=2000)),
                ("secret_sealed", models.TextField()),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("created_by", models.CharField(max_length=254)),
                ("delivered_at", models.DateTimeField(null=True)),
                ("failed_at", models.DateTimeField(null=True)),
                ("failure", models.CharField(blank=True, db_default="", default="", max_length=300)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="control.organization"
                    ),
                ),
            ],
            options={
                "verbose_name": "webhook",
                "constraints": [
                    models.UniqueConstraint(models.F("organization"), models.F("url"), name="a_webhook_is_there_once")
                ],
            },
        ),
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", "SET CONSTRAINTS ALL IMMEDIATE"),
        migrations.RunPython(raise_notice_walls, migrations.RunPython.noop),
    ]
