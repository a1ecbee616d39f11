"""The embedded PostgreSQL is killed under a working `serve`: it comes back, and the run ends well."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.processes import Serve, grantline, postgres_pid, wait_until_gone

pytestmark = pytest.mark.acceptance
ROWS = 200_000
"""So many that the run takes a few seconds, and is under way when the database is killed."""


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    running = Serve(tmp_path_factory.mktemp("database") / "data", GRANTLINE_LOST_AFTER_SECONDS="3")
    running.wait_until_ready()
    yield running
    if running.process.poll() is None:
        running.stop()


@pytest.fixture(scope="module")
def http(serve: Serve) -> Iterator[httpx.Client]:
    who = ("--organization", "Example Corp", "--email", "admin@example.com", "--password-stdin")
    assert grantline("create-admin", *who, data_dir=serve.data_dir, given="correct horse battery\n").returncode == 0
    made = grantline("create-token", "--email", "admin@example.com", "--name", "test", data_dir=serve.data_dir)
    token = {"Authorization": f"Bearer {made.stdout.splitlines()[-1]}"}
    with httpx.Client(base_url=f"{serve.url}/api/v1", headers=token, timeout=60) as client:
        yield client


def users_csv(rows: int) -> bytes:
    return b"User ID,Groups\n" + b"".join(b"U%06d,Staff\n" % number for number in range(rows))


def upload(http: httpx.Client, application_id: str, body: bytes, **form: str) -> dict[str, Any]:
    answer = http.post(f"/applications/{application_id}/uploads", files={"file": ("users.csv", body)}, data=form)
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = answer.json()
    return found


def kill_database(serve: Serve) -> None:
    pid = postgres_pid(serve.data_dir)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


def wait_until(serve: Serve, true: Callable[[], bool], seconds: float = 60, pause: float = 0.1) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, serve.output()[-4000:]
        time.sleep(pause)


def state_of(http: httpx.Client, run_id: str) -> str:
    """The run's state; "" while nobody can say."""
    try:
        answer = http.get(f"/runs/{run_id}")
    except httpx.TransportError:
        return ""
    return str(answer.json()["state"]) if answer.status_code == 200 else ""


def test_a_run_survives_the_death_of_the_database(serve: Serve, http: httpx.Client) -> None:
    application_id = http.post("/applications", json={"name": "Payroll"}).json()["id"]
    first = upload(http, application_id, users_csv(ROWS))
    run_id, import_id = first["run"]["id"], first["import"]["id"]
    wait_until(serve, lambda: state_of(http, run_id) != "queued", pause=0.01)
    assert state_of(http, run_id) == "running", "the run ended before the database could be killed: raise ROWS"
    kill_database(serve)
    wait_until(serve, lambda: state_of(http, run_id) == "published")
    assert "The embedded database ended; starting it again." in serve.output()
    assert "The embedded database runs again." in serve.output()
    assert serve.status("/readyz") == 200
    later = upload(http, application_id, users_csv(ROWS + 1), import_id=import_id)
    wait_until(serve, lambda: state_of(http, later["run"]["id"]) == "published")
    changes = http.get(f"/runs/{later['run']['id']}").json()["changes"]
    assert (changes["accounts"]["added"], changes["accounts"]["removed"]) == (1, 0), "no row of the first run is lost"


def test_a_database_that_does_not_come_back_ends_serve_in_words(serve: Serve) -> None:
    children = serve.children()
    control = Path(serve.data_dir / "postgres" / "global" / "pg_control")
    kill_database(serve)
    control.rename(control.with_name("gone"))
    assert serve.process.wait(60) == 69
    assert "The embedded database does not start again; Grantline stops." in serve.output()
    assert "did not start" in serve.output()
    wait_until_gone(children)
