"""What the API says of an import, and what it takes for one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone
from pydantic import Field, StrictFloat, StrictInt, StrictStr

from grantline.api.bodies import Body
from grantline.api.documents import Counts, Document, text
from grantline.control.imports.models import Import
from grantline.control.imports.states import ImportState, import_state, state_sentence

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
    guard_share: StrictFloat = Field(
        default=None,  # type: ignore[assignment]
        description="The share of one kind that a run may remove without a person (0 to 1).",
    )
    guard_count: StrictInt = Field(
        default=None,  # type: ignore[assignment]
        description="A fall of at most this many is never held.",
    )
    stale_after_seconds: StrictInt | None = Field(
        default=None, description="Say *stale* when nothing new came for so long; null: never."
    )


class NewImport(ImportChange):
    """What an import begins with: a data source and a key or a pattern; nothing for files by hand."""


def import_document(item: Import) -> ImportDocument:
    """The document of an import; cheap where its `active_states` were read with it."""
    now = timezone.now()
    state = import_state(item, now)
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
        guard_share=item.guard_share,
        guard_count=item.guard_count,
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
