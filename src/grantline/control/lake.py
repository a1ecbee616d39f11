"""From the control plane's versions to the catalog's folders and snapshots.

The control plane knows which version is current, which versions ended rows, and when each was published;
the catalog knows where their files lie. This is the one place where the two meet.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import duckdb
from django.conf import settings

from grantline.catalog.connection import connect
from grantline.catalog.lake import ImportFolder
from grantline.catalog.model import Snapshot
from grantline.control.imports.models import Import
from grantline.control.runs.models import Version
from grantline.control.tenancy import scoped
from grantline.errors import InputInvalid

READER_MEMORY_MB = 512


def lake_root() -> Path:
    """The folder of the versions of all organizations."""
    root: Path = settings.GRANTLINE.lake_dir
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    return root


def folder_of(item: Import) -> ImportFolder:
    """Where the versions of an import lie."""
    return ImportFolder(lake_root(), item.organization_id, item.pk)


def snapshot_of(item: Import) -> Snapshot | None:
    """The current version of an import, with the history that reaches back from it; None before the first."""
    current = item.current_version
    if current is None:
        return None
    return folder_of(item).snapshot(current.number, current.pk, history_of(item))


def staged_snapshot(item: Import, version_id: str, number: int) -> Snapshot:
    """The version that a held run proposes, as if it were the current one."""
    return folder_of(item).snapshot(number, version_id, [*history_of(item), version_id])


def history_of(item: Import) -> list[str]:
    """The ids of the versions that ended rows which can still be asked about, oldest first."""
    current = item.current_version.number if item.current_version else 0
    ended = scoped(Version, item).filter(
        of_import=item, has_history=True, number__gt=_forgotten_up_to(item.kept_from), number__lte=current
    )
    return list(ended.order_by("number").values_list("pk", flat=True))


def _forgotten_up_to(kept_from: int) -> int:
    """The last version whose ended rows are not needed: what ended with the oldest kept one, or before."""
    return kept_from if kept_from > 1 else 0


def snapshots_of(items: Sequence[Import]) -> list[tuple[str, Snapshot]]:
    """The current versions of several imports, those that have one, as the look-ups take them."""
    found = [(item.pk, snapshot_of(item)) for item in items]
    return [(import_id, snapshot) for import_id, snapshot in found if snapshot is not None]


def numbers_at(items: Sequence[Import], moment: datetime) -> dict[str, int]:
    """The version number of each import that was current at `moment`; imports without one are left out.

    Raises: `InputInvalid` where retention has removed what was so at that moment.
    """
    if not items:
        return {}
    rows = scoped(Version, items[0]).filter(of_import__in=list(items), published_at__lte=moment).order_by("number")
    found = dict(rows.values_list("of_import_id", "number"))
    for item in items:
        if item.pk in found and found[item.pk] < item.kept_from:
            first = item.versions.filter(number=item.kept_from).values_list("published_at", flat=True).first()
            raise InputInvalid(
                f"What {item.title} said at that moment is not kept any more.",
                field="as_of",
                remedy=f"Ask about {first:%Y-%m-%d %H:%M} UTC or later." if first else "Ask about a later moment.",
            )
    return found


@contextlib.contextmanager
def reader() -> Iterator[duckdb.DuckDBPyConnection]:
    """A cursor of this process's warm DuckDB connection, for one look-up."""
    cursor = _warm().cursor()
    try:
        yield cursor
    finally:
        cursor.close()


@functools.cache
def _warm() -> duckdb.DuckDBPyConnection:
    return connect(READER_MEMORY_MB, settings.GRANTLINE.duckdb_threads)
