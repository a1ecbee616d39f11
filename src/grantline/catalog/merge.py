"""Merging history: many small folders of ended rows become one, so that past moments stay quick to read.

In: the names of all versions of an import that ended rows. Out: one merged folder, which `snapshot` finds
by itself. Nothing that exists is changed or removed, so readers and a crash in the middle are safe.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from grantline.catalog.columns import SHAPES, listed
from grantline.catalog.connection import path_literal, target_literal
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
    done = place.merged_count(history)
    if len(history) - done < worth_merging:
        return None
    folders = [place.history(name) for name in history[done:]]
    if done:
        folders.insert(0, place.merged(history[done - 1]))
    final = place.merged(history[-1])
    with new_folder(final) as folder:
        for shape in SHAPES:
            if files := existing(folders, shape.ended_file):
                con.execute(
                    f"COPY (SELECT {listed((*shape.columns, 'until'))} FROM read_parquet({path_literal(*files)}) "
                    f"ORDER BY {shape.order}, since) TO {target_literal(folder / shape.ended_file)} ({OPTIONS})"
                )
        write_covered(folder, history)
    return final
