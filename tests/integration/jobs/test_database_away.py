"""A database that goes away in mid-run: the run is given back, and succeeds when it is carried out again."""

from __future__ import annotations

import psycopg
import pytest
from django.db import Error, connection

from grantline.control.runs.models import Run, Trigger
from grantline.jobs import tasks
from grantline.jobs.requests import sync
from tests.integration.jobs.conftest import World, grants_csv
from tests.wire import Wire, once, watching

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.integration]
KEY = "access/grants.csv"


def cut_connection() -> None:
    """The server ends this thread's session, as it does when it restarts."""
    connected = connection.settings_dict
    pid = connection.connection.info.backend_pid
    with psycopg.connect(host=connected["HOST"], user="postgres", dbname=connected["NAME"], autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


@pytest.mark.parametrize("operation", ["HeadObject", "GetObject"])
def test_a_run_that_loses_the_database_is_given_back_and_succeeds(
    world: World, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    world.put(KEY, grants_csv(("U1", "L1", "Viewer")))
    item = world.make_import(KEY)
    run = sync(world.scope, item.pk, Trigger.BUTTON)
    wire = Wire()
    watching(wire, monkeypatch)
    wire.faults[operation] = once(lambda _request: cut_connection())
    with pytest.raises(Error):  # for the queue, which tries again
        tasks.run_import.func(run_id=run.pk)
    connection.close()
    found = Run.objects.get(pk=run.pk)
    assert (found.state, found.claim, found.error) == ("queued", "", None)
    tasks.run_import.func(run_id=run.pk)
    assert Run.objects.get(pk=run.pk).state == "published"
    assert tasks.run_import.retry_strategy.max_attempts >= 3
