"""The stage *publish*, its first half: a version's files.

In: a `Diff` and the import's folder. Out: a complete, synced folder of the new version, beside it one of
the rows that it ended, and the `Manifest`. Nothing of it is visible until the control plane moves its
pointer. Files of grants are sorted by account and entitlement in row groups of `ROW_GROUP` rows, so that
a look-up reads one or two groups; above `SECOND_ORDER_ABOVE` rows a second file is sorted the other way.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb

from grantline.catalog.columns import ACCOUNT, BY_ENTITLEMENT_FILE, ENTITLEMENT, GRANT, SHAPES, Shape, listed
from grantline.catalog.connection import target_literal
from grantline.catalog.dictionaries import number_of
from grantline.catalog.diff import Diff
from grantline.catalog.lake import ImportFolder, new_folder
from grantline.catalog.manifest import write_manifest
from grantline.catalog.model import KindChanges, Manifest

ROW_GROUP = 16_384
SECOND_ORDER_ABOVE = 1_000_000
OPTIONS = f"FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE {ROW_GROUP}, PARQUET_VERSION v2"


def write(
    con: duckdb.DuckDBPyConnection,
    diff: Diff,
    place: ImportFolder,
    version_id: str,
    *,
    on_step: Callable[[str], None] = lambda _: None,
) -> Manifest:
    """Write the version `version_id` (a name given once) and what it ended.

    `on_step` is told how far the disk is: `history_written`, `version_files_written` (under another name
    still), `version_written`. Raises: `LakeUnavailable` (disk full, read-only, a file of the current version
    missing), `Conflict` where the version id was used before. Where it raises, nothing that anybody reads
    has changed.
    """
    history = _write_history(con, diff, place.history(version_id))
    on_step("history_written")
    with new_folder(place.version(version_id)) as folder:
        for shape in SHAPES:
            _write_current(con, diff, shape, folder)
        if diff.counts.grants > SECOND_ORDER_ABOVE:
            _write_second_order(con, diff, folder)
        manifest = Manifest(
            number=diff.number,
            counts=diff.counts,
            changes=diff.changes,
            next_account=diff.next_account,
            next_entitlement=diff.next_entitlement,
            files=_sizes(folder),
            history_files=history,
        )
        write_manifest(folder, manifest)
        on_step("version_files_written")
    on_step("version_written")
    return manifest


def _write_current(con: duckdb.DuckDBPyConnection, diff: Diff, shape: Shape, folder: Path) -> None:
    if diff.previous and _is_same(diff, shape):
        _take_over(diff.previous.folder / shape.file, folder / shape.file)
        return
    _copy(con, shape, diff.current(shape), shape.order, folder / shape.file)


def _write_second_order(con: duckdb.DuckDBPyConnection, diff: Diff, folder: Path) -> None:
    file = folder / BY_ENTITLEMENT_FILE
    old = diff.previous.folder / BY_ENTITLEMENT_FILE if diff.previous else None
    if old and _is_same(diff, GRANT) and old.exists():
        _take_over(old, file)
    else:
        _copy(con, GRANT, f"{diff.current(GRANT)}_other_way", "entitlement, account", file)


def _write_history(con: duckdb.DuckDBPyConnection, diff: Diff, final: Path) -> dict[str, int]:
    """Write the ended rows, the kinds that have some; returns the files' sizes."""
    some = [shape for shape in SHAPES if _ended_count(con, diff, shape)]
    if not some:
        return {}
    with new_folder(final) as folder:
        for shape in some:
            _copy(con, shape, diff.ended(shape), shape.order, folder / shape.ended_file, "until")
        return _sizes(folder)


def _ended_count(con: duckdb.DuckDBPyConnection, diff: Diff, shape: Shape) -> int:
    return number_of(con, f"SELECT count(*) FROM {diff.ended(shape)}")


def _copy(con: duckdb.DuckDBPyConnection, shape: Shape, source: str, order: str, file: Path, *more: str) -> None:
    con.execute(
        f"COPY (SELECT {listed((*shape.columns, *more))} FROM {source} ORDER BY {order}) "
        f"TO {target_literal(file)} ({OPTIONS})"
    )


def _is_same(diff: Diff, shape: Shape) -> bool:
    kinds: dict[str, KindChanges] = {
        ACCOUNT.kind: diff.changes.accounts,
        ENTITLEMENT.kind: diff.changes.entitlements,
        GRANT.kind: diff.changes.grants,
    }
    return kinds[shape.kind] == KindChanges() and not (shape is ACCOUNT and diff.marks_changed)


def _take_over(old: Path, new: Path) -> None:
    """The same content under a new name: a hard link where the disk can, else a copy."""
    try:
        os.link(old, new)
    except OSError:
        shutil.copyfile(old, new)


def _sizes(folder: Path) -> dict[str, int]:
    return {file.name: file.stat().st_size for file in sorted(folder.iterdir())}
