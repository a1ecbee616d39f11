"""How a process of Grantline starts: settings, logs, database, Django, in this order.

In: the environment. Out: a context in which the models can be used. Every verb of the CLI that needs
the control plane goes through `started`; the web server's worker processes go through `config.wsgi`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from grantline.config.database import database
from grantline.config.logs import configure_logs
from grantline.config.settings import Settings, load


@contextlib.contextmanager
def started(*, migrate: bool = True, settings: Settings | None = None) -> Iterator[Settings]:
    """Settings of a process whose Django is ready, with its database running.

    `migrate` brings the schema up to date first; safe when several processes do it at once (an
    advisory lock). Raises: `SettingInvalid`, `DatabaseUnavailable`.
    """
    settings = settings or load()
    configure_logs(settings.log_format)
    with database(settings):
        set_up_django()
        if migrate:
            migrate_database()
        yield settings


def set_up_django() -> None:
    """Make Django ready in this process."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "grantline.config.django")
    import django

    django.setup()


def migrate_database() -> None:
    """Bring the schema up to date. Raises: `DatabaseUnavailable` where it cannot be reached."""
    from django.core.management import call_command
    from django.db import OperationalError, connection

    from grantline.errors import DatabaseUnavailable

    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(hashtext('grantline.migrate'))")
            try:
                call_command("migrate", verbosity=0, interactive=False)
            finally:
                cursor.execute("SELECT pg_advisory_unlock(hashtext('grantline.migrate'))")
    except OperationalError as error:
        raise DatabaseUnavailable(f"PostgreSQL cannot be reached: {str(error).strip()}") from error
