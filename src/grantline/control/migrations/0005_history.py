"""The guard's limits and retention as organization defaults, rollbacks, aliases of keys.

Additive: the previous release runs on beside it. Limits that equal the old defaults become the
organization's; an import that somebody gave its own limits keeps them.
"""

import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
from django.db import migrations, models

import grantline.control.ids
from grantline.control.isolation.walls import raise_wall


def inherit_limits(apps, schema_editor):
    """Nobody chose a limit that equals the default."""
    rows = apps.get_model("control", "Import").objects
    rows.filter(guard_share=0.2).update(guard_share=None)
    rows.filter(guard_count=10).update(guard_count=None)


def raise_alias_wall(apps, schema_editor):
    """Aliases belong to one organization: row-level security shows them to it alone."""
    with schema_editor.connection.cursor() as cursor:
        raise_wall(cursor, "control_keyalias")


class Migration(migrations.Migration):
    dependencies = [
        ("control", "0004_sign_in"),
    ]

    operations = [
        migrations.AddField("organization", "guard_share", models.FloatField(db_default=0.2, default=0.2)),
        migrations.AddField("organization", "guard_count", models.PositiveIntegerField(db_default=10, default=10)),
        migrations.AddField("organization", "guard_growth_share", models.FloatField(null=True)),
        migrations.AddField("organization", "retention_days", models.PositiveIntegerField(null=True)),
        migrations.AlterField("import", "guard_share", models.FloatField(null=True)),
        migrations.AlterField("import", "guard_count", models.PositiveIntegerField(null=True)),
        migrations.AddField("import", "guard_growth_share", models.FloatField(null=True)),
        migrations.AddField("import", "allow_empty", models.BooleanField(db_default=False, default=False)),
        migrations.AddField("import", "retention_days", models.PositiveIntegerField(null=True)),
        migrations.AddField("import", "kept_from", models.PositiveIntegerField(db_default=1, default=1)),
        migrations.AddField("import", "kept_from_at", models.DateTimeField(null=True)),
        migrations.AddField("run", "restores", models.PositiveIntegerField(null=True)),
        migrations.AddField("run", "reason", models.TextField(blank=True, db_default="")),
        migrations.RunPython(inherit_limits, migrations.RunPython.noop, elidable=True),
        migrations.CreateModel(
            name="KeyAlias",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=grantline.control.ids.alias_id,
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("kind", models.CharField(max_length=20)),
                ("old", models.TextField()),
                ("new", models.TextField()),
                ("reason", models.TextField(blank=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("created_by", models.CharField(max_length=254)),
                (
                    "application",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="aliases",
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
            options={"verbose_name": "alias"},
        ),
        migrations.AddConstraint(
            "keyalias",
            models.UniqueConstraint(
                models.F("application"),
                models.F("kind"),
                django.db.models.functions.text.MD5("old"),
                name="an_old_key_has_one_new_key",
            ),
        ),
        migrations.AddConstraint(
            "keyalias",
            models.CheckConstraint(
                condition=models.Q(("kind__in", ("account", "entitlement"))), name="an_alias_has_a_known_kind"
            ),
        ),
        migrations.AddConstraint(
            "keyalias",
            models.CheckConstraint(
                condition=models.Q(("old", models.F("new")), _negated=True), name="an_alias_names_two_keys"
            ),
        ),
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", "SET CONSTRAINTS ALL IMMEDIATE"),
        migrations.RunPython(raise_alias_wall, migrations.RunPython.noop),
    ]
