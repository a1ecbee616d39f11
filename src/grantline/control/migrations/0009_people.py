"""People behind accounts. Additive: the previous release runs on beside it.

Accounts that are in the index already have `matched_by` NULL; the next clean-up of a worker, or
`grantline migrate`, matches them from the files of their versions.
"""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import grantline.control.ids
from grantline.control.isolation.walls import raise_wall


def raise_people_wall(apps, schema_editor):
    """A person belongs to one organization: row-level security shows them to that one alone."""
    with schema_editor.connection.cursor() as cursor:
        raise_wall(cursor, "control_person")


class Migration(migrations.Migration):
    """Adds `Person` and an account's link to one."""

    dependencies = [
        ("control", "0008_issue_record"),
    ]

    operations = [
        migrations.AlterField(
            model_name="accountindex",
            name="organization",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="control.organization",
            ),
        ),
        migrations.AlterField(
            model_name="accountindex",
            name="application",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="control.application",
            ),
        ),
        migrations.AddIndex(
            model_name="accountindex",
            index=models.Index(fields=["application"], name="account_index_by_application"),
        ),
        migrations.AddField(
            model_name="accountindex",
            name="employee_id",
            field=models.CharField(blank=True, db_default="", max_length=254),
        ),
        migrations.AddField(
            model_name="accountindex",
            name="matched_by",
            field=models.CharField(
                choices=[("email", "E-mail address"), ("employee_id", "Employee ID"), ("", "Nobody")],
                max_length=20,
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="accountindex",
            name="owner_email_folded",
            field=models.CharField(blank=True, db_default="", max_length=254),
        ),
        migrations.CreateModel(
            name="Person",
            fields=[
                (
                    "id",
                    models.CharField(
                        default=grantline.control.ids.person_id,
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "rule",
                    models.CharField(
                        choices=[("email", "E-mail address"), ("employee_id", "Employee ID")], max_length=20
                    ),
                ),
                ("value", models.CharField(max_length=254)),
                ("display_name", models.CharField(blank=True, max_length=1024)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="control.organization",
                    ),
                ),
            ],
            options={
                "verbose_name": "person",
            },
        ),
        migrations.AddField(
            model_name="accountindex",
            name="person",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="control.person",
            ),
        ),
        migrations.AddIndex(
            model_name="accountindex",
            index=models.Index(
                condition=models.Q(("person__isnull", False)), fields=["person"], name="account_index_by_person"
            ),
        ),
        migrations.AddIndex(
            model_name="accountindex",
            index=models.Index(
                condition=models.Q(("employee_id", ""), _negated=True),
                fields=["organization", "employee_id"],
                name="account_index_by_employee",
            ),
        ),
        migrations.AddIndex(
            model_name="accountindex",
            index=models.Index(
                condition=models.Q(("owner_email_folded", ""), _negated=True),
                fields=["organization", "owner_email_folded"],
                name="account_index_by_owner",
            ),
        ),
        migrations.AddConstraint(
            model_name="person",
            constraint=models.UniqueConstraint(
                models.F("organization"), models.F("rule"), models.F("value"), name="one_person_per_rule_and_value"
            ),
        ),
        migrations.AddConstraint(
            model_name="person",
            constraint=models.CheckConstraint(
                condition=models.Q(("rule__in", ["email", "employee_id"])), name="a_person_has_a_known_rule"
            ),
        ),
        migrations.AddConstraint(
            model_name="person",
            constraint=models.CheckConstraint(
                condition=models.Q(("value", ""), _negated=True), name="a_person_has_a_value"
            ),
        ),
        migrations.RunPython(raise_people_wall, migrations.RunPython.noop),
    ]
