"""`grantline serve` as a newcomer meets it: it starts with nothing, stops cleanly, survives kill -9."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.processes import Serve, grantline, is_running, postgres_pid, wait_until_gone

pytestmark = pytest.mark.acceptance
PASSWORD = "correct horse battery\n"


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("serve") / "data"


@pytest.fixture(scope="module")
def serve(data_dir: Path) -> Iterator[Serve]:
    running = Serve(data_dir)
    running.wait_until_ready()
    yield running
    if running.process.poll() is None:
        running.stop()


def create_admin(data_dir: Path) -> None:
    done = grantline(
        "create-admin",
        "--organization",
        "Example Corp",
        "--email",
        "admin@example.com",
        "--password-stdin",
        data_dir=data_dir,
        given=PASSWORD,
    )
    assert done.returncode == 0, done.stderr


def test_it_says_where_it_listens_and_answers(serve: Serve) -> None:
    assert f"Grantline listens on {serve.url}" in serve.output()
    assert serve.status("/healthz") == 200
    assert serve.status("/sign-in") == 200


def test_create_admin_and_create_token_work_beside_it(serve: Serve, data_dir: Path) -> None:
    create_admin(data_dir)
    done = grantline("create-token", "--email", "admin@example.com", "--name", "test", data_dir=data_dir)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("glt_")
    assert serve.status("/healthz") == 200


def test_a_second_serve_is_refused_in_words(serve: Serve, data_dir: Path) -> None:
    done = grantline("serve", data_dir=data_dir, GRANTLINE_PORT=str(serve.port + 1))
    assert done.returncode == 78
    assert f"Another Grantline (process {serve.process.pid}) already serves the data directory" in done.stderr
    assert "Traceback" not in done.stderr
    assert serve.status("/healthz") == 200


def test_after_kill_9_everything_is_still_there(serve: Serve, data_dir: Path) -> None:
    children = serve.children()
    assert len(children) >= 2
    serve.kill()
    wait_until_gone(children)
    again = Serve(data_dir)
    try:
        again.wait_until_ready()
        done = grantline("create-token", "--email", "admin@example.com", "--name", "after", data_dir=data_dir)
        assert done.returncode == 0, done.stderr
    finally:
        assert again.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    running = Serve(tmp_path / "data")
    running.wait_until_ready()
    children, database = running.children(), postgres_pid(running.data_dir)
    assert database is not None
    assert is_running(database)
    running.process.send_signal(number)
    assert running.process.wait(60) == 0
    assert "Grantline has stopped." in running.output()
    assert "Traceback" not in running.output()
    wait_until_gone([*children, database])


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = grantline("serve", data_dir=tmp_path / "data", GRANTLINE_PORT=str(port))
    assert done.returncode == 78
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr
    assert "GRANTLINE_PORT" in done.stderr


def test_an_unknown_setting_is_refused(tmp_path: Path) -> None:
    done = grantline("serve", data_dir=tmp_path / "data", GRANTLINE_PROT="8000")
    assert done.returncode == 78
    assert "GRANTLINE_PROT is not a setting of Grantline." in done.stderr


def test_wrong_use_is_64(tmp_path: Path) -> None:
    assert grantline("nonsense", data_dir=tmp_path).returncode == 64
    assert grantline(data_dir=tmp_path).returncode == 64
    done = grantline(
        "create-admin", "--organization", "O", "--email", "nobody", "--password-stdin", data_dir=tmp_path, given="x\n"
    )
    assert done.returncode == 64
    assert "is not an e-mail address" in done.stderr
