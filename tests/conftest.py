"""What every test may use: a data directory of its own and, on demand, an embedded PostgreSQL.

The settings are read when this module is imported, before Django. The database server is started by
the first test that touches the database, once for all test processes of a run.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

for _name in [name for name in os.environ if name.startswith(("GRANTLINE_", "AWS_"))]:
    del os.environ[_name]

BASE = Path(os.environ.setdefault("TEST_BASE", tempfile.mkdtemp(prefix="gl-test-")))
# A folder of its own for this run: another run that starts at the same time takes the rights of the shared
# one back, and the embedded PostgreSQL, which is another user where tests run as root, could not pass.
os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(BASE))
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")
os.environ["GRANTLINE_DATA_DIR"] = str(BASE / WORKER)
os.environ["GRANTLINE_SECRET_KEY"] = "only-for-tests-" + "x" * 40
os.environ["GRANTLINE_SERVICE_ROLE_ARN"] = "arn:aws:iam::111111111111:role/grantline-service"
os.environ["GRANTLINE_REQUIRE_MFA"] = "nobody"  # tests of the second step set it themselves
os.environ["DJANGO_SETTINGS_MODULE"] = "grantline.config.django"

import django  # noqa: E402 - the settings above come first
from django.conf import settings as django_settings  # noqa: E402

django_settings.PASSWORD_HASHERS = ["tests.quick_hasher.QuickHasher"]
django.setup()

LONG_FIRST = (
    "tests/e2e/test_pages.py",
    "tests/e2e",
    "tests/acceptance",
    "tests/integration/history",
    "tests/integration",
)
"""Which files come first: the longest, so that no worker is left with one at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first; the browser's files follow each other, so that a worker starts one Grantline for all
    of them that it takes."""
    items.sort(key=lambda item: _rank(item.nodeid))


def _rank(nodeid: str) -> int:
    return next((rank for rank, start in enumerate(LONG_FIRST) if nodeid.startswith(start)), len(LONG_FIRST))


@pytest.fixture(autouse=True)
def everything_is_visible() -> Iterator[None]:
    """A test looks at every organization's rows; what it calls over HTTP or as a job sees only its own.

    A thread of a test's own begins with nobody's: it says `tenancy.acting_for(…)` itself.
    """
    from grantline.control.tenancy import system_scope

    with system_scope("a test prepares and checks whatever it likes"):
        yield


@pytest.fixture(scope="session", autouse=True)
def clean_up_as_owner() -> Iterator[None]:
    """Tests that commit are cleaned up by truncating every table, which the application's role may not,
    and the audit log's triggers would not let anybody."""
    from django.db import connection
    from django.test import TransactionTestCase

    from grantline.control.isolation.base import as_owner

    def truncate_as_owner(case: TransactionTestCase) -> None:
        with as_owner(), connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            truncate(case)
            cursor.execute("SET session_replication_role = DEFAULT")

    truncate = TransactionTestCase._fixture_teardown
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", truncate_as_owner)
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """URL of an embedded PostgreSQL that lives as long as the test run."""
    from grantline.config.database import database
    from grantline.config.settings import Settings

    folder = BASE / "shared"
    folder.mkdir(exist_ok=True)
    with database(Settings(data_dir=folder)) as url:
        _forget_durability(url)
        yield url
    os.environ.pop("GRANTLINE_DATABASE_URL", None)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(postgres: str) -> None:
    """Point Django at the embedded server before the test database is made."""
    from django.conf import settings

    from grantline.config.database import django_database

    suffix = "" if WORKER == "main" else f"_{WORKER}"
    settings.DATABASES["default"].update(django_database(postgres))
    settings.DATABASES["default"].setdefault("TEST", {})["NAME"] = f"test_grantline{suffix}"


def _forget_durability(url: str) -> None:
    """No test of this server pulls the plug; those that kill one start a server of their own."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {name} = off")
        connection.execute("SELECT pg_reload_conf()")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The figures that tests have measured, such as kills survived; docs/nothing-lost.md quotes them."""
    figures = [figure for report in terminalreporter.getreports("passed") for figure in report.user_properties]
    if figures:
        terminalreporter.section("figures")
    for name, value in figures:
        terminalreporter.write_line(f"{name}: {value:,}" if isinstance(value, int) else f"{name}: {value}")
