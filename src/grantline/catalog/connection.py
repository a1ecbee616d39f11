"""The DuckDB connection of one run or of one reader.

Owns how DuckDB is set up: a cap on memory beyond which it spills, no extension is loaded or downloaded
at run time, no Python object is visible to SQL by its variable's name, and, where folders are named, no
file outside them can be reached. Also turns what DuckDB and the file system report into errors of our
tree. A connection is used by one thread at a time; `con.cursor()` gives another to a second thread.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from grantline.errors import LakeUnavailable

NOT_OPTIMIZED = "in_clause"
"""DuckDB makes a join of each `IN (…)` with several constants (as of 2.0.1). A file of 250 columns, each with
a few of them, then took 20 times the time and more than 512 MB for one row."""


def connect(
    memory_limit_mb: int = 1024,
    threads: int = 2,
    temp_dir: Path | None = None,
    *,
    only_below: Sequence[Path] = (),
) -> duckdb.DuckDBPyConnection:
    """A new in-memory DuckDB.

    `temp_dir` is where it spills (nothing spills where it is None). With `only_below`, files outside
    these folders (and `temp_dir`) cannot be read or written any more, and the set-up is locked.
    """
    con = duckdb.connect(
        ":memory:",
        config={
            "threads": threads,
            "memory_limit": f"{memory_limit_mb}MiB",
            "temp_directory": str(temp_dir) if temp_dir else "",
            "autoload_known_extensions": False,
            "autoinstall_known_extensions": False,
            "allow_community_extensions": False,
        },
    )
    # GLOBAL: a plain SET would not reach the cursors that readers use.
    for setting in (
        "python_enable_replacements = false",
        "parquet_metadata_cache = true",
        f"disabled_optimizers = '{NOT_OPTIMIZED}'",
    ):
        con.execute(f"SET GLOBAL {setting}")
    if only_below:
        _lock(con, [*only_below, *([temp_dir] if temp_dir else [])])
    return con


def path_literal(*paths: Path) -> str:
    """The files as a literal for `read_parquet(...)`; quotes and glob characters mean themselves."""
    quoted = ", ".join(
        "'" + "".join(f"[{c}]" if c in "*?[" else c for c in str(path)).replace("'", "''") + "'" for path in paths
    )
    return f"[{quoted}]"


def target_literal(path: Path) -> str:
    """A file as a literal for `COPY ... TO`, where glob characters have no meaning."""
    return "'" + str(path).replace("'", "''") + "'"


@contextmanager
def lake_errors(action: str) -> Iterator[None]:
    """Run the block; a fault of the disk becomes `LakeUnavailable`, saying what `action` failed."""
    try:
        yield
    except OSError as error:
        raise LakeUnavailable(f"{action} failed: {error.strerror or error}.") from error
    except duckdb.OutOfMemoryException as error:
        raise LakeUnavailable(
            f"{action} failed: it needs more memory than it may use, and spilling was not possible.",
            remedy="Raise GRANTLINE_MEMORY_LIMIT_MB, or free space in the data directory.",
        ) from error
    except duckdb.IOException as error:
        raise LakeUnavailable(f"{action} failed: {_reason(error)}.") from error


def _reason(error: duckdb.Error) -> str:
    text = str(error)
    for code in (errno.ENOSPC, errno.EROFS, errno.EACCES, errno.ENOENT):
        if errno.errorcode[code] in text or _words(code) in text:
            return _words(code)
    return "a file could not be read or written"


def _words(code: int) -> str:
    return os.strerror(code)


def _lock(con: duckdb.DuckDBPyConnection, folders: Sequence[Path]) -> None:
    con.execute("SET allowed_directories = ?", [[f"{folder}/" for folder in folders]])
    con.execute("SET enable_external_access = false")
    con.execute("SET lock_configuration = true")
