"""Real processes of Grantline, started, asked, stopped and killed by the acceptance tests."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

START_SECONDS = 90


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(data_dir: Path, **more: str) -> dict[str, str]:
    """This process's environment with Grantline's settings replaced."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GRANTLINE_", "AWS_"))}
    return kept | {"GRANTLINE_DATA_DIR": str(data_dir), "GRANTLINE_REQUIRE_MFA": "nobody", **more}


def grantline(*arguments: str, data_dir: Path, given: str = "", **more: str) -> subprocess.CompletedProcess[str]:
    """Run one verb to its end."""
    return subprocess.run(
        [sys.executable, "-m", "grantline.cli.main", *arguments],
        env=environment(data_dir, **more),
        input=given,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


class Serve:
    """A running `grantline serve`."""

    def __init__(self, data_dir: Path, **more: str) -> None:
        self.data_dir = data_dir
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = data_dir.parent / f"{data_dir.name}-serve.log"
        with self.log.open("ab") as target:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "grantline.cli.main", "serve"],
                env=environment(data_dir, GRANTLINE_PORT=str(self.port), **more),
                stdout=target,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def wait_until_ready(self) -> None:
        """Return when `/readyz` says yes."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.output()
            try:
                if self.status("/readyz") == 200:
                    return
            except OSError:
                pass
            time.sleep(0.1)
        raise AssertionError(f"not ready within {START_SECONDS} s: {self.output()}")

    def status(self, path: str) -> int:
        """The HTTP status of a GET."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    def output(self) -> str:
        """What it has said so far."""
        return self.log.read_text(errors="replace")

    def children(self) -> list[int]:
        """Ids of the processes it started and that still run."""
        found = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True, check=False)
        return [int(line) for line in found.stdout.split()]

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def kill(self) -> None:
        """kill -9 of the serving process alone."""
        self.process.kill()
        self.process.wait(10)


def is_running(pid: int) -> bool:
    """Whether a process is there and not a zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def wait_until_gone(pids: list[int], seconds: float = 20) -> None:
    """Return when none of the processes runs any more."""
    deadline = time.monotonic() + seconds
    while any(is_running(pid) for pid in pids):
        assert time.monotonic() < deadline, f"still running: {[pid for pid in pids if is_running(pid)]}"
        time.sleep(0.1)


def postgres_pid(data_dir: Path) -> int | None:
    """Process id of the embedded PostgreSQL, if its file says one."""
    file = data_dir / "postgres" / "postmaster.pid"
    return int(file.read_text().splitlines()[0]) if file.exists() else None
