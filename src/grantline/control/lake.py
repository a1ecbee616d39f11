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
    ended = Version.objects.filter(of_import=item, has_history=True, number__lte=current.number)
    return folder_of(item).snapshot(current.number, current.pk, ended.order_by("number").values_list("pk", flat=True))


def snapshots_of(items: Sequence[Import]) -> list[tuple[str, Snapshot]]:
    """The current versions of several imports, those that have one, as the look-ups take them."""
    found = [(item.pk, snapshot_of(item)) for item in items]
    return [(import_id, snapshot) for import_id, snapshot in found if snapshot is not None]


def numbers_at(items: Sequence[Import], moment: datetime) -> dict[str, int]:
    """The version number of each import that was current at `moment`; imports without one are left out."""
    rows = Version.objects.filter(of_import__in=list(items), published_at__lte=moment).order_by("number")
    return dict(rows.values_list("of_import_id", "number"))


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
