"""Single sign-on of an organization, and the networks that a token is taken from.

Additive: the previous release runs on beside it.
"""

from typing import Any

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import grantline.control.ids
from grantline.control.isolation import walls


def raise_wall(apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        walls.raise_wall(cursor, "control_singlesignon")


class Migration(migrations.Migration):

    dependencies = [
        ("control", "0003_isolation_and_audit"),
    ]

    operations = [
        migrations.AddField("apitoken", "networks", models.JSONField(db_default=[], default=list)),
        migrations.CreateModel(
            name="SingleSignOn",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=grantline.control.ids.sign_on_id,
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("issuer_url", models.URLField(max_length=500)),
                ("client_id", models.CharField(max_length=190)),
                ("sealed_secret", models.TextField()),
                ("email_domains", models.JSONField(default=list)),
                ("role_claim", models.CharField(blank=True, max_length=100)),
                ("role_map", models.JSONField(default=dict)),
                ("default_role", models.CharField(blank=True, max_length=40)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("changed_at", models.DateTimeField(auto_now=True)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="control.organization"
                    ),
                ),
            ],
            options={"verbose_name": "single sign-on"},
        ),
        migrations.AddConstraint(
            "singlesignon",
            models.UniqueConstraint(models.F("organization"), name="one_single_sign_on_per_organization"),
        ),
        migrations.RunPython(raise_wall, migrations.RunPython.noop),
    ]
