"""Merging history: many small folders of ended rows become one, so that past moments stay quick to read.

In: the names of all versions of an import that ended rows. Out: one merged folder, which `snapshot` finds
by itself. Nothing that exists is changed or removed here, so readers and a crash in the middle are safe;
`ImportFolder.clean_up` removes what was merged some time later. Retention works the same way: `forget`
writes the merged history anew without the rows that nobody may ask about any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from grantline.catalog.columns import SHAPES, listed
from grantline.catalog.connection import lake_errors, path_literal, target_literal
from grantline.catalog.lake import ImportFolder, existing, new_folder, write_covered
from grantline.catalog.write import OPTIONS

WORTH_MERGING = 24
"""Unmerged folders from which on merging pays: a day of hourly changes."""


def merge_history(
    con: duckdb.DuckDBPyConnection,
    place: ImportFolder,
    history: Sequence[str],
    *,
    worth_merging: int = WORTH_MERGING,
) -> Path | None:
    """Merge the history of `history` (version ids, oldest first); None where too few are unmerged.

    Raises: `LakeUnavailable`.
    """
    merged = place.merged_history(history)
    done = merged.count if merged else 0
    if len(history) - done < max(worth_merging, 1):
        return None
    folders = [place.history(name) for name in history[done:]]
    if merged:
        folders.insert(0, merged.folder)
    return _merge(con, folders, place.merged(history[-1]), history)


def forget(con: duckdb.DuckDBPyConnection, place: ImportFolder, history: Sequence[str], kept_from: int) -> Path | None:
    """Write merged history anew without rows that ended up to version `kept_from`; None where none are in it.

    `history` names the versions after `kept_from` that ended rows, oldest first. Raises: `LakeUnavailable`.
    """
    merged = place.merged_history(history)
    if merged is None or merged.older == 0:
        return None
    names = history[: merged.count]
    final = place.merged(f"{names[-1]}-after-{int(kept_from)}")
    return _merge(con, [merged.folder], final, names, f"WHERE until > {int(kept_from)}")


@dataclass(frozen=True)
class Forgettable:
    """What retention would remove: ended rows, and about how many bytes they take."""

    rows: int
    size_bytes: int


def forgettable(con: duckdb.DuckDBPyConnection, folders: Sequence[Path], kept_from: int) -> Forgettable:
    """How much of the history in `folders` (of a snapshot) ended up to version `kept_from`."""
    rows = size = 0
    for shape in SHAPES:
        for file in existing(folders, shape.ended_file):
            with lake_errors("Reading a version"):
                total, old = con.execute(
                    f"SELECT count(*), count(*) FILTER (until <= {int(kept_from)}) "
                    f"FROM read_parquet({path_literal(file)})"
                ).fetchall()[0]
            rows += old
            size += round(file.stat().st_size * old / total) if total else 0
    return Forgettable(rows, size)


def _merge(
    con: duckdb.DuckDBPyConnection, folders: Sequence[Path], final: Path, names: Sequence[str], condition: str = ""
) -> Path:
    with new_folder(final) as folder:
        for shape in SHAPES:
            if files := existing(folders, shape.ended_file):
                con.execute(
                    f"COPY (SELECT {listed((*shape.columns, 'until'))} FROM read_parquet({path_literal(*files)}) "
                    f"{condition} ORDER BY {shape.order}, since) "
                    f"TO {target_literal(folder / shape.ended_file)} ({OPTIONS})"
                )
        write_covered(folder, names)
    return final
