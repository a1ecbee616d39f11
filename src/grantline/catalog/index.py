"""What the control plane's account index needs to know of a version, as two small CSV files.

In: a diff, or a version that was written earlier. Out: `changed` (`key,email,username,display_name,address,
employee,owner`, one line an account that is new or different; the last three as people are matched by them)
and `removed` (one column, keys that are gone), both without a header, ready for PostgreSQL's COPY. Accounts
that stay the same are in neither.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from grantline.catalog.columns import ACCOUNT
from grantline.catalog.connection import lake_errors, path_literal, target_literal
from grantline.catalog.diff import Diff
from grantline.catalog.lake import needed
from grantline.catalog.persons import ADDRESS, EMPLOYEE, NAME, OWNER

_COLUMNS = f"id, email, username, {NAME}, {ADDRESS}, {EMPLOYEE}, {OWNER}"
_CSV = "FORMAT csv, HEADER false, DELIMITER ',', QUOTE '\"', ESCAPE '\"', NULLSTR ''"


def write_index_of_diff(con: duckdb.DuckDBPyConnection, diff: Diff, changed: Path, removed: Path) -> None:
    """The files for a diff that is about to be published."""
    _write(con, diff.current(ACCOUNT), diff.ended(ACCOUNT), diff.number, changed, removed)


def write_index_of_version(
    con: duckdb.DuckDBPyConnection, version: Path, history: Path, number: int, changed: Path, removed: Path
) -> None:
    """The files for a version that lies in the lake already: its folder, and that of what it ended."""
    current = f"read_parquet({path_literal(needed(version / ACCOUNT.file))})"
    ended_file = history / ACCOUNT.ended_file
    ended = f"read_parquet({path_literal(ended_file)})" if ended_file.exists() else None
    _write(con, current, ended, number, changed, removed)


def write_whole_index(con: duckdb.DuckDBPyConnection, version: Path, changed: Path, removed: Path) -> None:
    """The files that name every account of a version, whenever it came."""
    current = f"read_parquet({path_literal(needed(version / ACCOUNT.file))})"
    with lake_errors("Writing the account index"):
        con.execute(f"COPY (SELECT {_COLUMNS} FROM {current}) TO {target_literal(changed)} ({_CSV})")
    removed.touch()


def _write(
    con: duckdb.DuckDBPyConnection, current: str, ended: str | None, number: int, changed: Path, removed: Path
) -> None:
    gone = f"SELECT DISTINCT id FROM {ended} WHERE id NOT IN (SELECT id FROM {current})"
    with lake_errors("Writing the account index"):
        con.execute(
            f"COPY (SELECT {_COLUMNS} FROM {current} WHERE since = {number:d}) TO {target_literal(changed)} ({_CSV})"
        )
        con.execute(f"COPY ({gone if ended else 'SELECT NULL WHERE false'}) TO {target_literal(removed)} ({_CSV})")
