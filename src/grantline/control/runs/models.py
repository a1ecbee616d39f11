"""Runs, their issues, and versions."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from grantline.control import ids
from grantline.control.imports.models import Import, Upload
from grantline.control.tenancy import Owned

ISSUES_KEPT = 10_000
"""Issues that are kept for one run; all are counted."""


class RunState(StrEnum):
    """The state of a run, as in the public contract."""

    QUEUED = "queued"
    RUNNING = "running"
    UNCHANGED = "unchanged"
    PUBLISHED = "published"
    HELD = "held"
    FAILED = "failed"
    DISCARDED = "discarded"


class Trigger(StrEnum):
    """What started a run."""

    SCHEDULE = "schedule"
    BUTTON = "button"
    API = "api"
    UPLOAD = "upload"
    FIRST = "first"
    ROLLBACK = "rollback"
    REFERENCES = "references"


class Version(Owned):
    """One published state of an import. Never changes; its files are in the lake under its id."""

    id = models.CharField(primary_key=True, max_length=40, default=ids.version_id, editable=False)
    of_import = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="versions", db_column="import_id")
    number = models.PositiveIntegerField()
    published_at = models.DateTimeField(default=timezone.now)
    counts = models.JSONField()
    changes = models.JSONField()
    has_history = models.BooleanField(default=False)
    size_bytes = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = "version"
        constraints: ClassVar = [
            models.UniqueConstraint("of_import", "number", name="version_numbers_of_an_import_are_unique"),
        ]


class Run(Owned):
    """One pass of an import, from trigger to verdict.

    `claim` names the worker that carries it out; a run publishes only while it still holds its claim.
    Documents: `timings` `{stage: seconds}`, `evidence` as in `aws.reads.Evidence`, `format` and `counts`
    as in `grantline check`, `changes` `{kind: {added, removed, changed}}`, `error`
    `{code, message, remedy, …}`, `mapping` the document that was used. A rollback reads no file:
    `restores` is the number of the version that it brings back, `reason` why somebody asked for it.
    `reference_facts` is what its file offers to other imports and refers to (`mapping.records.References`).
    """

    id = models.CharField(primary_key=True, max_length=40, default=ids.run_id, editable=False)
    of_import = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="runs", db_column="import_id")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=20, default=RunState.QUEUED.value)
    trigger = models.CharField(max_length=20)
    requested_by = models.CharField(max_length=254, blank=True)
    upload = models.ForeignKey(Upload, null=True, on_delete=models.SET_NULL, related_name="+")
    claim = models.CharField(max_length=64, blank=True)
    stage = models.CharField(max_length=20, blank=True)
    progress_bytes = models.BigIntegerField(null=True)
    queued_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    timings = models.JSONField(default=dict)
    evidence = models.JSONField(null=True)
    format = models.JSONField(null=True)
    mapping = models.JSONField(null=True)
    counts = models.JSONField(null=True)
    changes = models.JSONField(null=True)
    issue_counts = models.JSONField(default=dict)
    notes = models.JSONField(default=list)
    error = models.JSONField(null=True)
    guard = models.JSONField(null=True)
    reference_facts = models.JSONField(null=True)
    base_number = models.PositiveIntegerField(default=0)
    staged_version_id = models.CharField(max_length=40, blank=True)
    version = models.OneToOneField(Version, null=True, on_delete=models.PROTECT, related_name="run")
    restores = models.PositiveIntegerField(null=True)
    reason = models.TextField(blank=True, db_default="")
    decided_by = models.CharField(max_length=254, blank=True)
    decided_reason = models.TextField(blank=True)

    class Meta:
        verbose_name = "run"
        constraints: ClassVar = [
            models.UniqueConstraint("of_import", "number", name="run_numbers_of_an_import_are_unique"),
            models.UniqueConstraint("of_import", name="one_running_run_per_import", condition=Q(state="running")),
            models.UniqueConstraint("of_import", name="one_queued_run_per_import", condition=Q(state="queued")),
            models.UniqueConstraint("of_import", name="one_held_run_per_import", condition=Q(state="held")),
            models.CheckConstraint(
                condition=~Q(state="published") | Q(version__isnull=False),
                name="a_published_run_has_a_version",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organization", "-queued_at"], name="run_newest_first"),
            models.Index(fields=["of_import", "-number"], name="run_of_an_import_newest_first"),
        ]

    @property
    def is_over(self) -> bool:
        """Whether the run has its verdict."""
        return self.state not in (RunState.QUEUED, RunState.RUNNING)


class RunIssue(Owned):
    """One finding about one row of a run's file; see `grantline.issues.Issue`.

    `record` is the row as it stood in the file, `[[header, text], …]`, masked before it came here.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="issues")
    ordinal = models.PositiveIntegerField()
    code = models.CharField(max_length=40)
    severity = models.CharField(max_length=10)
    row = models.BigIntegerField(null=True)
    line = models.BigIntegerField(null=True)
    file = models.CharField(max_length=1024, blank=True, default="", db_default="")
    cell = models.CharField(max_length=100, blank=True)
    column = models.CharField(max_length=1024, blank=True)
    value = models.TextField(blank=True)
    message = models.TextField()
    remedy = models.TextField(blank=True)
    record = models.JSONField(null=True)

    class Meta:
        verbose_name = "issue"
        constraints: ClassVar = [
            models.UniqueConstraint("run", "ordinal", name="issue_ordinals_of_a_run_are_unique"),
        ]
