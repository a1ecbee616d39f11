"""`grantline serve`: the embedded database (unless a URL is given), the web server and a worker.

In: the settings. Out: three parts that run until Ctrl-C or SIGTERM, then stop in order: web server,
worker (it finishes what it is doing, for a while), database. Invariant: one `serve` per data
directory. The children watch a pipe from this process, so that a kill -9 of it takes them along. A part
that dies is started again, the embedded database too; what keeps dying ends `serve` with a code that is
not 0, so that whatever supervises it can start it anew.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

from grantline.config.database import embedded_runs, start_embedded_again
from grantline.config.settings import Settings, load
from grantline.config.start import started
from grantline.errors import DatabaseUnavailable, DataDirectoryInUse, SettingInvalid

STOP_SECONDS = 30
"""How long a part may take to stop before it is killed."""
RESTART_PAUSE_SECONDS = 1.0
QUICK_DEATHS_ALLOWED = 5
"""A part that dies this often within a minute is broken: then everything stops."""
DATABASE_PAUSES_SECONDS = (0.2, 1.0, 2.0, 4.0)
"""Waits before each attempt to start the embedded database again: what is left of it needs a moment to end."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    subparsers.add_parser("serve", help="start the database, the web server and a worker")


def run(_args: argparse.Namespace) -> int:
    """Serve until told to stop. Raises: `DataDirectoryInUse`, `SettingInvalid` for a port in use."""
    settings = load()
    with one_per_data_directory(settings):
        refuse_used_port(settings)
        with started(settings=settings):
            return Supervisor(settings).run()


@contextlib.contextmanager
def one_per_data_directory(settings: Settings) -> Iterator[None]:
    """Hold the data directory's serve lock. Raises: `DataDirectoryInUse`."""
    path = settings.data_dir / "serve.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 20).decode(errors="replace").strip() or "unknown"
            raise DataDirectoryInUse(
                f"Another Grantline (process {holder}) already serves the data directory {settings.data_dir}."
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def refuse_used_port(settings: Settings) -> None:
    """Raises: `SettingInvalid` where another program listens on our address."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise SettingInvalid(
                f"Grantline cannot listen on {settings.host}:{settings.port}: {error.strerror}.",
                remedy="Stop the other program, or set GRANTLINE_PORT (or GRANTLINE_HOST) to another one.",
            ) from error


class Supervisor:
    """Starts the parts, restarts one that dies, stops all in order."""

    PARTS = ("web", "worker")

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        self.deaths: list[float] = []
        self.stopping = False

    def run(self) -> int:
        """Serve until a signal. Returns the exit code: 0, or 1 where a part kept dying.

        Raises: `DatabaseUnavailable` where the embedded database has ended and cannot be started again.
        """
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask_to_stop)
        for part in self.PARTS:
            self._start(part)
        print(f"Grantline listens on http://{self.settings.host}:{self.settings.port}", flush=True)
        print(f"Data directory: {self.settings.data_dir}. Stop with Ctrl-C.", flush=True)
        try:
            while not self.stopping:
                if not (self._keep_database() and self._replace_dead()):
                    return 1
                time.sleep(0.2)
        finally:
            self._stop_all()
        print("Grantline has stopped.", flush=True)
        return 0

    def _ask_to_stop(self, _number: int, _frame: object) -> None:
        self.stopping = True

    def _start(self, part: str) -> None:
        command = [sys.executable, "-m", "grantline.cli.main", part, "--supervised"]
        self.children[part] = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)

    def _replace_dead(self) -> bool:
        for part, child in self.children.items():
            if child.poll() is None or self.stopping:
                continue
            print(f"The {part} process ended with code {child.returncode}; starting it again.", file=sys.stderr)
            if self._keeps_dying():
                return False
            time.sleep(RESTART_PAUSE_SECONDS)
            self._start(part)
        return True

    def _keep_database(self) -> bool:
        """Start the embedded database again if it has ended; before the parts, which cannot do without it."""
        if embedded_runs(self.settings):
            return True
        log = self.settings.data_dir / "postgres" / "log"
        print(f"The embedded database ended; starting it again. Its own log: {log}", file=sys.stderr)
        if self._keeps_dying():
            return False
        failure: DatabaseUnavailable | None = None
        for pause in DATABASE_PAUSES_SECONDS:
            time.sleep(pause)
            if self.stopping:
                return True
            try:
                start_embedded_again(self.settings)
            except DatabaseUnavailable as error:
                failure = error
            else:
                print("The embedded database runs again.", file=sys.stderr)
                return True
        print("The embedded database does not start again; Grantline stops.", file=sys.stderr)
        raise failure or DatabaseUnavailable()

    def _keeps_dying(self) -> bool:
        """Note a death; whether there were too many of late."""
        now = time.monotonic()
        self.deaths = [moment for moment in self.deaths if now - moment < 60] + [now]
        if len(self.deaths) <= QUICK_DEATHS_ALLOWED:
            return False
        print("It keeps ending; Grantline stops. The lines above say why.", file=sys.stderr)
        return True

    def _stop_all(self) -> None:
        for part in self.PARTS:
            child = self.children.get(part)
            if child is None or child.poll() is not None:
                continue
            child.send_signal(signal.SIGTERM)
            try:
                child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
