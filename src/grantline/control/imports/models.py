"""Imports, imports that are being prepared, and files taken by hand."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from grantline.control import ids
from grantline.control.applications.models import Application
from grantline.control.sources.models import DataSource
from grantline.control.tenancy import Owned

DEFAULT_INTERVAL_SECONDS = 3600
LONGEST_INTERVAL_SECONDS = 7 * 24 * 3600


class Upload(Owned):
    """A file taken by hand, kept under the data directory in a file named by this id."""

    id = models.CharField(primary_key=True, max_length=40, default=ids.upload_id, editable=False)
    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="+")
    file_name = models.CharField(max_length=255)
    size_bytes = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.CharField(max_length=254)

    class Meta:
        verbose_name = "upload"


class Import(Owned):
    """The binding of one application to one file of a data source, or to files taken by hand.

    `current_version` is the pointer that publishing moves. `seen` is what the last reading saw
    (`{bucket, key, version_id, etag, size_bytes, mapping}`, and the state of what it refers to, see
    `imports.references`): where it equals what is there now, a run ends as unchanged. Limits of the guard
    and `retention_days` are the organization's where they are null (`imports.limits`); `retention_days` 0
    keeps everything. `kept_from` is the number of the oldest version that can still be asked about,
    `kept_from_at` when that was last moved. `references` is a `ReferenceMode`.
    """

    id = models.CharField(primary_key=True, max_length=40, default=ids.import_id, editable=False)
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="imports")
    data_source = models.ForeignKey(DataSource, null=True, on_delete=models.PROTECT, related_name="imports")
    key = models.CharField(max_length=1024, blank=True)
    pattern = models.CharField(max_length=1024, blank=True)
    mapping = models.JSONField(default=dict)
    interval_seconds = models.PositiveIntegerField(default=DEFAULT_INTERVAL_SECONDS)
    next_run_at = models.DateTimeField(null=True)
    paused_at = models.DateTimeField(null=True)
    stale_after_seconds = models.PositiveIntegerField(null=True)
    guard_share = models.FloatField(null=True)
    guard_count = models.PositiveIntegerField(null=True)
    guard_growth_share = models.FloatField(null=True)
    allow_empty = models.BooleanField(default=False, db_default=False)
    references = models.CharField(max_length=8, default="auto", db_default="auto")
    retention_days = models.PositiveIntegerField(null=True)
    kept_from = models.PositiveIntegerField(default=1, db_default=1)
    kept_from_at = models.DateTimeField(null=True)
    seen = models.JSONField(null=True)
    current_version = models.ForeignKey(
        "control.Version", null=True, on_delete=models.PROTECT, related_name="current_of"
    )
    looked_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True)
    failure_count = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.CharField(max_length=254)

    class Meta:
        verbose_name = "import"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(data_source__isnull=True, key="", pattern="")
                | (Q(data_source__isnull=False) & (Q(key="") ^ Q(pattern=""))),
                name="an_import_reads_one_key_or_one_pattern_or_uploads",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["next_run_at"], name="imports_that_are_due", condition=Q(paused_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        """What the import reads, in a word: the key, the pattern, or that it takes uploads."""
        return self.key or self.pattern or "Files by hand"


class Draft(Owned):
    """An import that somebody is preparing: it survives a closed window.

    Either `data_source` and `key` (or `pattern`), or `upload`. `mapping` is empty until the person
    changed the proposal. `preview` is the last preview's document, so that the page opens at once.
    """

    id = models.CharField(primary_key=True, max_length=40, default=ids.draft_id, editable=False)
    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="+")
    data_source = models.ForeignKey(DataSource, null=True, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=1024, blank=True)
    pattern = models.CharField(max_length=1024, blank=True)
    upload = models.ForeignKey(Upload, null=True, on_delete=models.SET_NULL, related_name="+")
    mapping: models.JSONField[dict[str, Any] | None] = models.JSONField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.CharField(max_length=254)

    class Meta:
        verbose_name = "import being prepared"
