"""The demo's Grantline: real processes, driven through the command line and the HTTP API.

In: a data directory, a port, credentials. Out: a running `grantline serve` and a small client of its
API. Whatever goes wrong is told with the end of the product's own log.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from grantline.errors import InstallationError

START_SECONDS = 120
ORGANIZATION = "Example Corp"
EMAIL = "admin@example.com"
OVER = ("unchanged", "published", "failed", "held", "discarded")


class Product:
    """A running `grantline serve` with its administrator and an API token."""

    def __init__(self, data_dir: Path, port: int, environment: dict[str, str], password: str) -> None:
        self.data_dir, self.port = data_dir, port
        self.url = f"http://127.0.0.1:{port}"
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "GRANTLINE_"))}
        self.environment = kept | environment
        self.log = data_dir / "demo-serve.log"
        self.token = ""
        with self.log.open("wb") as target:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "grantline.cli.main", "serve"],
                env=self.environment,
                stdout=target,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._wait_until_ready()
        self._command(
            ["create-admin", "--organization", ORGANIZATION, "--email", EMAIL, "--password-stdin"], password + "\n"
        )
        self.token = self._command(["create-token", "--email", EMAIL, "--name", "Demo"]).splitlines()[-1]

    def call(self, method: str, path: str, body: dict[str, Any] | None = None, timeout: float = 120) -> Any:
        """One call of the API; the answer's document. Raises: `InstallationError` with the problem's words."""
        request = urllib.request.Request(  # noqa: S310 - loopback
            f"{self.url}/api/v1{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:  # noqa: S310 - loopback
                text = answer.read()
        except urllib.error.HTTPError as error:
            words = error.read().decode(errors="replace")[:1000]
            raise InstallationError(f"{method} {path} answered {error.code}: {words}") from error
        return json.loads(text) if text else None

    def wait_for_run(self, run_id: str, timeout: float = 300) -> dict[str, Any]:
        """The run, when it is over. Raises: `InstallationError` where it was not published."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            run: dict[str, Any] = self.call("GET", f"/runs/{run_id}")
            if run["state"] in OVER:
                if run["state"] not in ("published", "unchanged"):
                    raise InstallationError(f"The run {run_id} is {run['state']}: {run.get('error')}")
                return run
            time.sleep(0.1)
        raise InstallationError(f"The run {run_id} did not end within {timeout:.0f} s. {self._log_tail()}")

    def wait_for_version(self, import_id: str, number: int, timeout: float = 120) -> dict[str, Any]:
        """The run that published version `number` of an import, once the schedule made it."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            for run in self.call("GET", f"/imports/{import_id}/runs?limit=10")["items"]:
                if run["version"] == number:
                    return self.wait_for_run(run["id"])
                if run["state"] in ("failed", "held"):
                    raise InstallationError(f"A scheduled run is {run['state']}: {run.get('error')}")
            time.sleep(0.2)
        raise InstallationError(f"The schedule did not find the changed file within {timeout:.0f} s.")

    def stop(self) -> None:
        """Stop it as Ctrl-C would."""
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url}/readyz", timeout=2):  # noqa: S310 - loopback
                    return
            except OSError:
                time.sleep(0.1)
        self.stop()
        raise InstallationError(f"Grantline did not start. {self._log_tail()}")

    def _command(self, arguments: list[str], given: str = "") -> str:
        done = subprocess.run(
            [sys.executable, "-m", "grantline.cli.main", *arguments],
            env=self.environment,
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise InstallationError(f"grantline {arguments[0]} failed: {done.stderr.strip()}")
        return done.stdout.strip()

    def _log_tail(self) -> str:
        return "Its log ends with: " + " / ".join(self.log.read_text(errors="replace").splitlines()[-4:])
