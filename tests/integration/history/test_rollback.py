"""Going back to a version: what comes back, what stays known, and that nothing undoes it silently."""

from __future__ import annotations

import pytest

from grantline.control.accounts.models import AccountIndex
from grantline.control.audit.models import AuditEvent
from grantline.errors import Conflict, InputInvalid, NotAllowed
from grantline.jobs import requests
from tests.integration.control.conftest import member
from tests.integration.history.conftest import Desk, people, users_csv
from tests.integration.jobs.conftest import World, grants_csv

pytestmark = pytest.mark.integration
FIRST = {"U1": ["staff", "audit"], "U2": ["staff"], "U3": ["staff"]}
SECOND = {"U1": ["staff"], "U2": ["staff", "admin"], "U3": ["staff"], "U4": ["admin"]}


def pairs(users: dict[str, list[str]]) -> set[tuple[str, str]]:
    return {(user, group) for user, groups in users.items() for group in groups}


def test_a_rollback_is_a_new_version_with_a_run_and_a_reason(desk: Desk) -> None:
    desk.load(users_csv(FIRST))
    desk.load(users_csv(SECOND))
    run = desk.roll_back(1, "The export of today is wrong.")
    assert run.state == "published", run.error
    assert run.version is not None
    assert (run.trigger, run.version.number, run.restores) == ("rollback", 3, 1)
    assert (run.reason, run.requested_by) == ("The export of today is wrong.", desk.scope.actor_name)
    assert desk.grants() == pairs(FIRST)
    assert desk.grants(2) == pairs(SECOND), "what was true in between stays in the history"
    assert {row.key for row in AccountIndex.objects.filter(import_id=desk.item.pk)} == set(FIRST)
    event = AuditEvent.objects.get(action="import:rollback")
    assert event.after == {
        "run": run.pk,
        "version": 2,
        "restores": 1,
        "reason": "The export of today is wrong.",
    }


def test_a_rollback_may_remove_what_the_guard_would_hold(desk: Desk) -> None:
    desk.load(users_csv(people(3)))
    desk.load(users_csv(people(40)))
    assert desk.roll_back(1).state == "published"
    assert desk.accounts() == people(3)


def test_the_same_file_does_not_undo_it_silently(desk: Desk) -> None:
    desk.load(users_csv(FIRST))
    undone = users_csv(SECOND)
    desk.load(undone)
    desk.roll_back(1)
    run = desk.load(undone)
    assert run.state == "held"
    assert run.guard is not None
    assert run.guard["reasons"] == [
        "The file is byte for byte the one of version 2, which the rollback to version 1 has undone; "
        "a person decides whether it comes back."
    ]
    assert desk.grants() == pairs(FIRST)
    desk.approve(run)
    assert desk.grants() == pairs(SECOND)
    desk.load(users_csv(FIRST))
    assert desk.load(undone).state == "published", "the rollback does not stand any more"


def test_the_next_file_proceeds_from_what_was_restored(desk: Desk) -> None:
    desk.load(users_csv(FIRST))
    desk.load(users_csv(SECOND))
    desk.roll_back(1)
    run = desk.load(users_csv({**FIRST, "U5": ["staff"]}))
    assert run.state == "published", run.guard
    assert run.changes is not None
    assert run.changes["accounts"] == {"added": 1, "removed": 0, "changed": 0}
    assert desk.grants() == pairs({**FIRST, "U5": ["staff"]})


def test_a_rollback_can_be_rolled_back(desk: Desk) -> None:
    desk.load(users_csv(FIRST))
    desk.load(users_csv(SECOND))
    desk.roll_back(1)
    assert desk.roll_back(2).state == "published"
    assert desk.grants() == pairs(SECOND)
    assert [desk.grants(number) for number in (1, 2, 3)] == [pairs(FIRST), pairs(SECOND), pairs(FIRST)]


def test_a_rollback_replaces_a_held_run(desk: Desk) -> None:
    desk.load(users_csv(people(20)))
    desk.load(users_csv(people(21)))
    held = desk.load(users_csv(people(2)))
    desk.roll_back(1)
    held.refresh_from_db()
    assert (held.state, held.decided_reason) == ("discarded", "a rollback replaced it")
    with pytest.raises(Conflict):
        desk.approve(held)


def test_a_version_that_says_what_is_current_changes_nothing(desk: Desk) -> None:
    desk.load(users_csv(FIRST))
    desk.load(users_csv(SECOND))
    desk.roll_back(1)
    run = desk.roll_back(1)
    assert run.state == "unchanged"
    assert run.notes == ["Version 1 says exactly what is current; nothing changed."]


@pytest.mark.parametrize(
    ("version", "reason", "field"),
    [(2, "wrong", "version"), (9, "wrong", "version"), (0, "wrong", "version"), (1, " ", "reason")],
)
def test_what_cannot_come_back_is_refused_by_name(desk: Desk, version: int, reason: str, field: str) -> None:
    desk.load(users_csv(FIRST))
    desk.load(users_csv(SECOND))
    with pytest.raises(InputInvalid) as caught:
        requests.rollback(desk.scope, desk.item.pk, version, reason)
    assert caught.value.field == field
    assert desk.item.runs.count() == 2


def test_only_who_decides_about_runs_may_roll_back(desk: Desk) -> None:
    from grantline.control.organizations.models import Organization
    from grantline.control.organizations.roles import Role

    desk.load(users_csv(FIRST))
    desk.load(users_csv(SECOND))
    auditor = member(Organization.objects.get(pk=desk.scope.organization_id), Role.AUDITOR)
    with pytest.raises(NotAllowed):
        requests.rollback(auditor, desk.item.pk, 1, "It was wrong.")


@pytest.mark.django_db(transaction=True)
def test_the_object_in_the_bucket_is_not_imported_again(world: World) -> None:
    key = "access/grants.csv"
    ten = [(f"U{number:03d}", "L", "Viewer") for number in range(10)]
    world.put(key, grants_csv(*ten))
    item = world.make_import(key)
    world.run(item)
    second = grants_csv(*ten, ("U010", "L", "Viewer"))
    world.put(key, second)
    world.run(item)
    run = requests.rollback(world.scope, item.pk, 1, "It was wrong.")
    from grantline.jobs.run import carry_out

    carry_out(run.pk)
    same = world.run(item)
    assert same.state == "unchanged"
    assert same.notes == [
        "The import stands at the rollback to version 1. The file is the one that was there before it, so it is not "
        "imported again; a newer file will be compared with what was restored."
    ]
    world.put(key, second)
    assert world.run(item).state == "held", "the same bytes as a new object version do not come back by themselves"
    world.put(key, grants_csv(*ten, ("U011", "L", "Viewer")))
    assert world.run(item).state == "published"
