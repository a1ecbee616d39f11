"""Real worker processes beside a test, on its database, data directory and local AWS."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from tests.acceptance.processes import environment


def database_url() -> str:
    """Of the test's own database."""
    database = connection.settings_dict
    return f"postgresql://postgres@/{database['NAME']}?host={database['HOST']}"


@contextmanager
def worker(log: Path, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    """A real `grantline worker` on the test's database, data directory and local AWS; gone at the end."""
    chosen = settings.GRANTLINE
    given = {
        "GRANTLINE_DATABASE_URL": database_url(),
        "GRANTLINE_AWS_ENDPOINT_URL": chosen.aws_endpoint_url,
        "GRANTLINE_SECRET_KEY": chosen.secret_key,
        "GRANTLINE_SERVICE_ROLE_ARN": chosen.service_role_arn,
        **{name: value for name, value in os.environ.items() if name.startswith("AWS_")},
        **more,
    }
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "grantline.cli.main", "worker"],
            env=environment(chosen.data_dir, **given),
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.wait(20)


def wait_until(true: Callable[[], Any], seconds: float, log: Path) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, log.read_text(errors="replace")[-4000:]
        time.sleep(0.1)
