"""What the API says of an import, and what it takes for one."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from django.utils import timezone
from pydantic import Field, StrictFloat, StrictInt, StrictStr

from grantline.api.bodies import Body
from grantline.api.documents import Counts, Document, text
from grantline.control.imports.limits import inherited, limits_of, retention_of
from grantline.control.imports.models import Import
from grantline.control.imports.references import ReferenceMode
from grantline.control.imports.states import ImportState, import_state, state_sentence
from grantline.control.runs.models import Version

MAPPING = "The mapping document; {} lets the headers decide."


class CurrentVersion(Document):
    """The version that is published."""

    id: str
    number: int
    published_at: datetime
    counts: Counts


class ImportDocument(Document):
    """The binding of one application to one file of a data source, or to files by hand."""

    id: str
    application_id: str
    data_source_id: str | None = Field(description="Null for an import that takes files by hand.")
    title: str
    key: str | None
    pattern: str | None
    state: ImportState
    state_sentence: str
    interval_seconds: int
    next_run_at: datetime | None
    paused: bool
    paused_at: datetime | None
    looked_at: datetime | None
    changed_at: datetime | None
    failing_since: datetime | None
    failure_count: int
    current_version: CurrentVersion | None
    mapping: dict[str, Any]
    guard_share: float
    guard_count: int
    guard_growth_share: float | None = Field(description="Null: growth is not limited.")
    allow_empty: bool = Field(description="Whether a file without rows is a statement, not a fault.")
    references: ReferenceMode = Field(
        description="auto: accounts and entitlements that the file only names are looked up in the application's "
        "other imports that list them; own: in its own file alone."
    )
    retention_days: int | None = Field(description="Null: every version is kept.")
    kept_from: int = Field(description="The oldest version that can be asked about.")
    inherited: list[str] = Field(description="Which of these it takes from the organization.")
    stale_after_seconds: int | None
    created_at: datetime
    created_by: str


class ImportChange(Body):
    """What may change."""

    data_source_id: StrictStr = Field(default=None)  # type: ignore[assignment] # absent, never null
    key: StrictStr = Field(default=None, min_length=1)  # type: ignore[assignment]
    pattern: StrictStr = Field(default=None, min_length=1)  # type: ignore[assignment]
    mapping: dict[str, Any] = Field(default=None, description=MAPPING)  # type: ignore[arg-type]
    interval_seconds: StrictInt = Field(default=None)  # type: ignore[assignment]
    guard_share: StrictFloat | None = Field(
        default=None,
        description="The share of one kind that a run may remove without a person (0 to 1); null: the organization's.",
    )
    guard_count: StrictInt | None = Field(
        default=None,
        description="From this many on a fall is judged by that share; a smaller one of entitlements, grants or an "
        "attribute only by half of what was there. Null: the organization's.",
    )
    guard_growth_share: StrictFloat | None = Field(
        default=None, description="The share by which one kind may grow; null: the organization's, which may be none."
    )
    allow_empty: bool = Field(
        default=None,  # type: ignore[assignment]
        description="Take a file without rows for a statement. The guard judges it all the same.",
    )
    retention_days: StrictInt | None = Field(
        default=None, description="For how many days the past is kept; 0: for good; null: the organization's."
    )
    references: Literal["auto", "own"] = Field(
        default=None,  # type: ignore[arg-type]
        description="Where accounts and entitlements that the file only names are looked up: auto or own.",
    )
    stale_after_seconds: StrictInt | None = Field(
        default=None, description="Say *stale* when nothing new came for so long; null: never."
    )


class NewImport(ImportChange):
    """What an import begins with: a data source and a key or a pattern; nothing for files by hand."""


def import_document(item: Import) -> ImportDocument:
    """The document of an import; cheap where its `active_states` were read with it."""
    now = timezone.now()
    state, limits = import_state(item, now), limits_of(item)
    return ImportDocument(
        id=item.pk,
        application_id=item.application_id,
        data_source_id=item.data_source_id,
        title=item.title,
        key=text(item.key),
        pattern=text(item.pattern),
        state=state,
        state_sentence=state_sentence(item, state, now),
        interval_seconds=item.interval_seconds,
        next_run_at=item.next_run_at,
        paused=item.paused_at is not None,
        paused_at=item.paused_at,
        looked_at=item.looked_at,
        changed_at=item.changed_at,
        failing_since=item.failing_since,
        failure_count=item.failure_count,
        current_version=_current_version(item),
        mapping=item.mapping,
        guard_share=limits.share,
        guard_count=limits.count,
        guard_growth_share=limits.growth_share,
        allow_empty=item.allow_empty,
        references=ReferenceMode(item.references),
        retention_days=retention_of(item),
        kept_from=item.kept_from,
        inherited=inherited(item),
        stale_after_seconds=item.stale_after_seconds,
        created_at=item.created_at,
        created_by=item.created_by,
    )


def _current_version(item: Import) -> CurrentVersion | None:
    version = item.current_version
    if version is None:
        return None
    return CurrentVersion(
        id=version.pk,
        number=version.number,
        published_at=version.published_at,
        counts=Counts(**version.counts),
    )


class VersionDocument(CurrentVersion):
    """A version of an import."""

    run_id: str | None
    size_bytes: int = Field(description="What it takes on disk, with its history.")


def version_document(version: Version) -> VersionDocument:
    """The document of a version that was read with its run."""
    run = getattr(version, "run", None)
    return VersionDocument(
        id=version.pk,
        number=version.number,
        published_at=version.published_at,
        counts=Counts(**version.counts),
        run_id=run.pk if run else None,
        size_bytes=version.size_bytes,
    )
