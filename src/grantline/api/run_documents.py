"""What the API says of a run and its issues."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from grantline.api.documents import Document, text
from grantline.control.runs.models import Run, RunIssue, RunState, Trigger


class Difference(Document):
    """How many came, went and changed."""

    added: int = 0
    removed: int = 0
    changed: int = 0


class Changes(Document):
    """What a run changed, or, while it is held, would change."""

    accounts: Difference = Difference()
    entitlements: Difference = Difference()
    grants: Difference = Difference()


class RunDocument(Document):
    """One pass of an import."""

    id: str
    import_id: str
    application_id: str
    number: int
    state: RunState
    trigger: Trigger
    requested_by: str | None
    queued_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    stage: str | None = Field(description="The stage it is at, while it runs.")
    timings: dict[str, float] = Field(description="Seconds by stage.")
    counts: dict[str, Any] | None = Field(description="Rows read and refused, and what they became.")
    changes: Changes | None
    issue_counts: dict[str, Any] = Field(description="All issues by code, also those that are not kept.")
    evidence: dict[str, Any] | None = Field(description="Which object was read: version, ETag, size, hash, when.")
    format: dict[str, Any] | None = Field(description="What the file was recognized as.")
    mapping: dict[str, Any] | None = Field(description="The mapping that was used.")
    notes: list[Any]
    error: dict[str, Any] | None = Field(description="Why it failed: code, message, remedy and the place.")
    guard: dict[str, Any] | None = Field(description="Why it is held.")
    version: int | None = Field(description="The number of the version it published.")
    restores: int | None = Field(description="The number of the version that a rollback brings back.")
    reason: str | None = Field(description="Why somebody asked for the rollback.")
    decided_by: str | None
    decided_reason: str | None


class CellDocument(Document):
    """One cell of a row of the file."""

    column: str
    text: str = Field(description="In clear for the cell in question; of others the shape: `xxxx@xxxx.xxx`.")


class IssueDocument(Document):
    """One finding about one row of the file."""

    id: str
    code: str
    severity: Literal["error", "warning"]
    row: int | None = Field(description="Data records from 1.")
    line: int | None = Field(description="The physical line where the record starts.")
    cell: str | None = Field(description="The cell of a workbook, `Users!C3`.")
    column: str | None
    value: str | None
    message: str
    remedy: str | None
    file: str | None = Field(description="The file, where the import reads several.")
    record: list[CellDocument] | None = Field(
        description="With `record=true` the row as it stands in the file, masked; null where none was kept."
    )


def run_document(run: Run) -> RunDocument:
    """The document of a run that was read with its import and version."""
    return RunDocument(
        id=run.pk,
        import_id=run.of_import_id,
        application_id=run.of_import.application_id,
        number=run.number,
        state=RunState(run.state),
        trigger=Trigger(run.trigger),
        requested_by=text(run.requested_by),
        queued_at=run.queued_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
        stage=text(run.stage),
        timings=run.timings,
        counts=run.counts,
        changes=None if run.changes is None else Changes.model_validate(run.changes),
        issue_counts=run.issue_counts,
        evidence=run.evidence,
        format=run.format,
        mapping=run.mapping,
        notes=run.notes,
        error=run.error,
        guard=run.guard,
        version=run.version.number if run.version else None,
        restores=run.restores,
        reason=text(run.reason),
        decided_by=text(run.decided_by),
        decided_reason=text(run.decided_reason),
    )


def issue_document(issue: RunIssue, *, record: bool = False) -> IssueDocument:
    """The document of an issue; `record` where its row was read with it."""
    cells = [CellDocument(column=column, text=shown) for column, shown in (issue.record or ())] if record else []
    return IssueDocument(
        id=f"{issue.run_id}.{issue.ordinal}",
        code=issue.code,
        severity="warning" if issue.severity == "warning" else "error",
        row=issue.row,
        line=issue.line,
        cell=text(issue.cell),
        column=text(issue.column),
        value=text(issue.value),
        message=issue.message,
        remedy=text(issue.remedy),
        file=text(issue.file),
        record=cells or None,
    )
