"""Imports of several files: an issue names its file."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds `RunIssue.file`."""

    dependencies = [
        ("control", "0005_history"),
    ]

    operations = [
        migrations.AddField(
            model_name="runissue",
            name="file",
            field=models.CharField(blank=True, db_default="", default="", max_length=1024),
        ),
    ]
