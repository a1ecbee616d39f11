"""Imports: what they read, when they look, in which state they are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from grantline.control.applications import rules as applications
from grantline.control.applications.models import Application
from grantline.control.imports import rules
from grantline.control.imports.models import Import
from grantline.control.imports.states import ImportState, import_state, state_sentence
from grantline.control.tenancy import Scope
from grantline.errors import InputInvalid, MappingInvalid, NotAllowed, NotFound
from tests.integration.control.test_sources import connected

pytestmark = [pytest.mark.django_db, pytest.mark.integration]
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture
def application(admin: Scope) -> Application:
    return applications.create(admin, "Payments")


@pytest.fixture
def source_id(admin: Scope) -> str:
    return connected(admin).pk


def test_create_plans_the_next_look_within_the_interval(admin: Scope, application: Application, source_id: str) -> None:
    item = rules.create(admin, application.pk, {"data_source_id": source_id, "key": "access/a.csv"})
    assert item.next_run_at is not None
    assert timedelta() < item.next_run_at - item.created_at <= timedelta(hours=1)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({}, "key"),
        ({"key": "access/a.csv", "pattern": "access/*.csv"}, "pattern"),
        ({"pattern": "access/a.csv"}, "pattern"),
        ({"key": "other/a.csv"}, "key"),
        ({"key": "access/a.csv", "interval_seconds": 60}, "interval_seconds"),
        ({"key": "access/a.csv", "interval_seconds": 604801}, "interval_seconds"),
        ({"key": "access/a.csv", "interval_seconds": True}, "interval_seconds"),
        ({"key": "access/a.csv", "guard_share": 1.5}, "guard_share"),
        ({"key": "access/a.csv", "guard_count": -1}, "guard_count"),
        ({"key": "access/a.csv", "colour": "red"}, "colour"),
        ({"key": "access/a\x00.csv"}, "key"),
    ],
)
def test_wrong_values_are_named(
    admin: Scope, application: Application, source_id: str, values: dict[str, object], field: str
) -> None:
    with pytest.raises(InputInvalid) as caught:
        rules.create(admin, application.pk, {"data_source_id": source_id, **values})
    assert field in caught.value.fields
    assert not Import.objects.exists()


def test_a_key_without_a_source_is_refused(admin: Scope, application: Application) -> None:
    with pytest.raises(InputInvalid, match="needs a data source"):
        rules.create(admin, application.pk, {"key": "access/a.csv"})


def test_a_wrong_mapping_is_refused(admin: Scope, application: Application, source_id: str) -> None:
    with pytest.raises(MappingInvalid):
        rules.create(
            admin,
            application.pk,
            {"data_source_id": source_id, "key": "access/a.csv", "mapping": {"version": 1, "colums": []}},
        )


def test_a_source_of_another_organization_does_not_exist(admin: Scope, stranger: Scope, source_id: str) -> None:
    theirs = applications.create(stranger, "Theirs")
    with pytest.raises(NotFound):
        rules.create(stranger, theirs.pk, {"data_source_id": source_id, "key": "access/a.csv"})


def test_pause_and_resume(admin: Scope, application: Application, source_id: str) -> None:
    item = rules.create(admin, application.pk, {"data_source_id": source_id, "key": "access/a.csv"})
    assert rules.pause(admin, item.pk).next_run_at is None
    assert import_state(Import.objects.get(pk=item.pk), NOW) is ImportState.PAUSED
    assert item.pk not in {due.pk for due in rules.due(NOW + timedelta(days=99))}
    assert rules.resume(admin, item.pk).next_run_at is not None
    assert item.pk in {due.pk for due in rules.due(NOW + timedelta(days=99))}


def test_an_application_owner_manages_their_own_only(admin: Scope, owner: Scope, source_id: str) -> None:
    mine = applications.create(admin, "Mine", owner_email=owner.actor_name)
    other = applications.create(admin, "Not mine")
    rules.create(owner, mine.pk, {"data_source_id": source_id, "key": "access/a.csv"})
    with pytest.raises(NotAllowed, match="has another owner"):
        rules.create(owner, other.pk, {"data_source_id": source_id, "key": "access/a.csv"})


def test_states_and_their_sentences(application: Application) -> None:
    item = Import(application=application, organization_id=application.organization_id, interval_seconds=3600)
    item.active_states = []  # type: ignore[attr-defined]
    assert import_state(item, NOW) is ImportState.NEW
    item.data_source_id = "src_x"
    item.looked_at = NOW - timedelta(minutes=12)
    item.changed_at = NOW - timedelta(days=2)
    item.next_run_at = NOW + timedelta(minutes=48)
    assert import_state(item, NOW) is ImportState.HEALTHY
    assert state_sentence(item, ImportState.HEALTHY, NOW) == (
        "Healthy. Looked 12 minutes ago, nothing new for 2 days; next look at 12:48 UTC."
    )
    assert import_state(item, NOW + timedelta(hours=2)) is ImportState.STALE
    item.stale_after_seconds = 3600
    assert import_state(item, NOW) is ImportState.STALE
    item.failing_since, item.failure_count = NOW - timedelta(hours=3), 3
    assert import_state(item, NOW) is ImportState.FAILING
    assert "Failing since 3 hours ago (3 times in a row)" in state_sentence(item, ImportState.FAILING, NOW)
