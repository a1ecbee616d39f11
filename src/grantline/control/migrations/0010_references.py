"""References across imports of one application. Additive: the previous release runs on beside it."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds `Import.references` and `Run.reference_facts`.

    A run of the previous release has no facts: its import offers nothing to others until its next version.
    """

    dependencies = [
        ("control", "0009_people"),
    ]

    operations = [
        migrations.AddField(
            model_name="import",
            name="references",
            field=models.CharField(default="auto", db_default="auto", max_length=8),
        ),
        migrations.AddField(
            model_name="run",
            name="reference_facts",
            field=models.JSONField(null=True),
        ),
    ]
