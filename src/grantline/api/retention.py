"""What the API says of a retention before it is stored."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pydantic import Field

from grantline.api.documents import Document


class RetentionEffect(Document):
    """What would be forgotten of one import: versions, and the rows of the catalog that ended by then."""

    import_id: str
    title: str
    version_count: int
    first: int | None
    last: int | None
    last_at: datetime | None = Field(description="When the last of them was published.")
    rows: int
    size_bytes: int = Field(description="About.")


class RetentionPreview(Document):
    """What a retention would remove now; nothing was changed."""

    days: int
    version_count: int
    rows: int
    size_bytes: int
    imports: list[RetentionEffect]


def retention_preview(days: int, effects: Sequence[RetentionEffect]) -> RetentionPreview:
    """The effects with their sums."""
    return RetentionPreview(
        days=days,
        version_count=sum(effect.version_count for effect in effects),
        rows=sum(effect.rows for effect in effects),
        size_bytes=sum(effect.size_bytes for effect in effects),
        imports=list(effects),
    )
