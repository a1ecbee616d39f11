"""The control plane's tables as files, from one snapshot of the database, and back.

In: a folder. Out: one file a table in PostgreSQL's own text form (COPY), with columns, row counts and
hashes for the manifest. Left out is what makes itself anew: the queue (queued runs find new jobs), sessions
(everybody signs in again), the list of migrations (it is in the manifest). No `pg_dump` is needed, so any
release of PostgreSQL will do, on both sides.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader

from grantline.control.isolation.base import as_owner
from grantline.errors import Conflict, InputInvalid

LEFT_OUT = ("procrastinate_%", "django_migrations", "django_session", "usersessions_%")
CHUNK_BYTES = 1 << 20
_TABLES = (
    "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND NOT tablename LIKE ANY(%s) ORDER BY 1"
)
_COLUMNS = (
    "SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = %s"
    " AND is_generated = 'NEVER' ORDER BY ordinal_position"
)
_SEQUENCES = (
    "SELECT a.attname, pg_get_serial_sequence(quote_ident(c.relname), a.attname) FROM pg_class c"
    " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
    " WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = %s"
    " AND pg_get_serial_sequence(quote_ident(c.relname), a.attname) IS NOT NULL"
)


def save_tables(folder: Path) -> dict[str, dict[str, Any]]:
    """Write every table into `folder`; for each its columns, rows and hash. Call it within the snapshot."""
    found = {}
    with connection.cursor() as cursor:
        for table in _names(cursor):
            columns = _columns(cursor, table)
            digest, path = hashlib.sha256(), folder / f"{table}.copy"
            with (
                path.open("xb") as file,
                cursor.copy(f"COPY (SELECT {_listed(columns)} FROM {_q(table)}) TO STDOUT") as rows,
            ):
                for chunk in rows:
                    digest.update(chunk)
                    file.write(chunk)
            found[table] = {"columns": columns, "rows": cursor.rowcount, "sha256": digest.hexdigest()}
    return found


def applied_migrations() -> list[list[str]]:
    """The schema's state: every migration that was applied."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT app, name FROM django_migrations ORDER BY id")
        return [list(row) for row in cursor.fetchall()]


def require_empty() -> None:
    """Raises: `Conflict` where the database has organizations already."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('control_organization') IS NOT NULL")
        if not cursor.fetchone()[0]:
            return
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM control_organization)")
        if cursor.fetchone()[0]:
            raise Conflict(
                "This database holds an installation already, and a restore never overwrites one.",
                remedy="Give an empty --data-dir, or an empty database in GRANTLINE_DATABASE_URL.",
            )


def load_tables(folder: Path, tables: dict[str, dict[str, Any]], migrations: list[list[str]]) -> None:
    """Make the schema as it was, fill it in one transaction, then bring it up to date."""
    _migrate_to({(app, name) for app, name in migrations})
    with as_owner(), transaction.atomic(), connection.cursor() as cursor:
        present = set(_names(cursor))
        if missing := sorted(tables.keys() - present):
            raise InputInvalid(f"The backup has a table that this release does not know: {missing[0]}.")
        for table in present:
            cursor.execute(f"SELECT EXISTS (SELECT FROM {_q(table)})")
            if cursor.fetchone()[0]:
                cursor.execute(f"DELETE FROM {_q(table)}")  # what the migrations themselves wrote
        for table, facts in tables.items():
            _load(cursor, folder / f"{table}.copy", table, facts["columns"])
    call_command("migrate", verbosity=0, interactive=False)


def _migrate_to(wanted: set[tuple[str, str]]) -> None:
    loader = MigrationLoader(connection)
    unknown = sorted(key for key in wanted if key not in loader.disk_migrations and key not in loader.replacements)
    if unknown:
        raise InputInvalid(
            f"The backup was made by a newer release: it has {'.'.join(unknown[0])}.",
            remedy="Restore it with the release that made it, or a later one.",
        )
    if wanted >= set(loader.disk_migrations):
        call_command("migrate", verbosity=0, interactive=False)
        return
    for app in sorted({app for app, _ in wanted}, key=lambda app: (app != "control", app)):  # the roles come first
        ours = {key for key in wanted if key[0] == app}
        leaves = [key for key in ours if not any(child.key in ours for child in loader.graph.node_map[key].children)]
        for _, name in leaves:
            call_command("migrate", app, name, verbosity=0, interactive=False)


def _load(cursor: Any, path: Path, table: str, columns: list[str]) -> None:
    """Through a table of its own, because COPY cannot write where row-level security is in force."""
    cursor.execute(f"CREATE TEMP TABLE loaded ON COMMIT DROP AS SELECT {_listed(columns)} FROM {_q(table)} WHERE false")
    with path.open("rb") as file, cursor.copy(f"COPY loaded ({_listed(columns)}) FROM STDIN") as target:
        while chunk := file.read(CHUNK_BYTES):
            target.write(chunk)
    cursor.execute(f"INSERT INTO {_q(table)} ({_listed(columns)}) SELECT {_listed(columns)} FROM loaded")
    cursor.execute("DROP TABLE loaded")
    cursor.execute(_SEQUENCES, [table])
    for column, sequence in cursor.fetchall():
        cursor.execute(f"SELECT setval(%s, coalesce(max({_q(column)}), 0) + 1, false) FROM {_q(table)}", [sequence])


def _names(cursor: Any) -> list[str]:
    cursor.execute(_TABLES, [list(LEFT_OUT)])
    return [name for (name,) in cursor.fetchall()]


def _columns(cursor: Any, table: str) -> list[str]:
    cursor.execute(_COLUMNS, [table])
    return [name for (name,) in cursor.fetchall()]


def _q(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _listed(columns: list[str]) -> str:
    return ", ".join(map(_q, columns))
