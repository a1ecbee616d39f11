"""Retention: for how long an import's past is kept.

In: an import and a number of days (none: for good). Out: which versions can no longer be asked about, and
what their removal frees. The version that was current at the limit is kept, because it says what was so
from then on; only states before it are forgotten. Version rows stay, so that every run still says what it
did; the rows of the catalog that ended before go.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from grantline.catalog.merge import forgettable
from grantline.control.imports.limits import retention_of
from grantline.control.imports.models import Import
from grantline.control.lake import reader, snapshot_of
from grantline.control.tenancy import get


@dataclass(frozen=True)
class Effect:
    """What a retention would remove from one import now: the versions `first` to `last`, which were
    published up to `last_at`, with `rows` ended rows that take about `size_bytes`."""

    import_id: str
    title: str
    version_count: int
    first: int | None = None
    last: int | None = None
    last_at: datetime | None = None
    rows: int = 0
    size_bytes: int = 0


def effect(item: Import, days: int | None) -> Effect:
    """What keeping `days` days (None or 0: everything) would remove now."""
    kept_from = oldest_kept(item, days, timezone.now())
    if kept_from <= item.kept_from:
        return Effect(item.pk, item.title, 0)
    last = item.versions.filter(number=kept_from - 1).values_list("published_at", flat=True).first()
    snapshot = snapshot_of(item)
    with reader() as con:
        freed = forgettable(con, snapshot.history if snapshot else (), kept_from)
    return Effect(
        item.pk,
        item.title,
        version_count=kept_from - item.kept_from,
        first=item.kept_from,
        last=kept_from - 1,
        last_at=last,
        rows=freed.rows,
        size_bytes=freed.size_bytes,
    )


def oldest_kept(item: Import, days: int | None, now: datetime) -> int:
    """The number of the oldest version to keep: the one that was current `days` days ago, never one that
    is forgotten already."""
    if not days:
        return item.kept_from
    limit = now - timedelta(days=days)
    then = item.versions.filter(published_at__lte=limit).order_by("-number").values_list("number", flat=True).first()
    return max(then or 1, item.kept_from)


@transaction.atomic
def apply(item: Import) -> bool:
    """Move the import's `kept_from` as far as its retention says; True where that forgets something.

    The files go with the next clean-up.
    """
    kept_from = oldest_kept(item, retention_of(item), timezone.now())
    locked = get(Import, item, item.pk, lock=True)
    if kept_from <= locked.kept_from:
        return False
    locked.kept_from, locked.kept_from_at = kept_from, timezone.now()
    locked.save(update_fields=["kept_from", "kept_from_at"])
    item.kept_from, item.kept_from_at = locked.kept_from, locked.kept_from_at
    return True
