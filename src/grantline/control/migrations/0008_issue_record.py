"""The original row beside an issue, its cells masked."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds `RunIssue.record`."""

    dependencies = [
        ("control", "0007_notifications"),
    ]

    operations = [
        migrations.AddField(
            model_name="runissue",
            name="record",
            field=models.JSONField(null=True),
        ),
    ]
