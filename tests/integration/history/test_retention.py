"""Merging changes no answer; retention takes exactly what it said before, and says so afterwards."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from grantline.catalog import lake
from grantline.control.imports.models import Import
from grantline.control.imports.retention import effect
from grantline.control.lake import folder_of
from grantline.control.organizations import settings as organization
from grantline.control.runs import changes
from grantline.control.runs import rules as runs
from grantline.errors import InputInvalid, NotFound
from grantline.jobs import cleaning, requests
from tests.integration.history.conftest import Desk, people, users_csv

pytestmark = pytest.mark.integration


@pytest.fixture
def old(desk: Desk) -> Desk:
    """Six versions, ten days apart: each has one account more and another one without its group."""
    for number in range(1, 7):
        desk.age(10)
        users = {user: ["staff"] for user in people(number + 3)}
        users[f"U{number:03d}"] = ["audit"]
        assert desk.load(users_csv(users)).state == "published"
    return desk


@pytest.fixture
def no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is too young to be cleaned up."""
    monkeypatch.setattr(lake.ImportFolder.clean_up, "__kwdefaults__", {"staged": (), "grace_seconds": -60, "now": None})
    monkeypatch.setattr(cleaning, "FORGETTING_GRACE", timedelta(0))
    monkeypatch.setattr("grantline.catalog.merge.merge_history.__kwdefaults__", {"worth_merging": 1})


def answers(desk: Desk) -> list[object]:
    """Every past state, every version's changes, and an account's history."""
    found: list[object] = [(desk.accounts(number), desk.grants(number)) for number in range(1, 7)]
    catalog = desk.catalog()
    for number in range(1, 7):
        found.append(
            sorted(
                (row["kind"], row["op"], str(row["account"]), str(row["entitlement"]))
                for row in catalog.changes(version=(desk.item.pk, number), limit=100).items
            )
        )
    found.append([(row["op"], row["since"]["version"]) for row in catalog.account_history("U002")])
    return found


def test_merging_and_cleaning_change_no_answer(old: Desk, no_grace: None) -> None:
    before = answers(old)
    assert cleaning.merge_histories() == 1
    assert answers(old) == before
    folder = folder_of(old.item).folder
    assert cleaning.clean_lake() > 0
    assert list((folder / "history").iterdir()) == [], "what was merged is gone"
    assert len(list((folder / "merged").iterdir())) == 1
    assert answers(old) == before
    old.load(users_csv(people(20)))
    assert cleaning.merge_histories() == 1
    cleaning.clean_lake()
    assert [(old.accounts(number), old.grants(number)) for number in range(1, 7)] == before[:6]
    assert old.roll_back(1).state == "published"
    assert (old.accounts(), old.grants()) == before[0]


def test_a_held_run_survives_the_clean_up(old: Desk, no_grace: None) -> None:
    held = old.load(users_csv(people(2)))
    cleaning.merge_histories()
    cleaning.clean_lake()
    rows, total = changes.affected(old.scope, runs.read(old.scope, held.pk))
    assert total == len(rows.items) == 7
    old.approve(held)
    assert old.accounts() == people(2)
    assert len(old.accounts(6)) == 9


def test_everything_is_kept_by_default(old: Desk, no_grace: None) -> None:
    old.age(5000)
    before = answers(old)
    cleaning.forget_past()
    cleaning.clean_lake()
    assert answers(old) == before


@pytest.mark.parametrize("merged_before", [False, True])
def test_retention_removes_what_it_said_and_nothing_else(old: Desk, no_grace: None, merged_before: bool) -> None:
    if merged_before:
        cleaning.merge_histories()
        cleaning.clean_lake()
    before = answers(old)
    said = effect(old.item, 15)
    assert (said.version_count, said.first, said.last) == (3, 1, 3), "version 4 was current 15 days ago"
    assert said.last_at == old.version(3).published_at
    assert said.rows > 0
    assert said.size_bytes > 0
    assert answers(old) == before, "asking changes nothing"
    assert [one.import_id for one in organization.retention_effects(old.scope, 15)] == [old.item.pk]
    organization.change(old.scope, {"retention_days": 15})
    assert answers(old) == before, "it is applied by the clean-up"
    cleaning.forget_past()
    cleaning.clean_lake()
    old.item.refresh_from_db()
    assert old.item.kept_from == 4
    assert [(old.accounts(number), old.grants(number)) for number in (4, 5, 6)] == before[3:6]
    for number in (1, 3):
        with pytest.raises(InputInvalid, match="not kept any more"):
            old.catalog(number)
    assert effect(old.item, 15).version_count == 0
    run = old.item.runs.get(version__number=4)
    with pytest.raises(NotFound):
        changes.changes(old.scope, runs.read(old.scope, run.pk))
    with pytest.raises(InputInvalid):
        requests.rollback(old.scope, old.item.pk, 3, "It was right.")
    assert old.roll_back(4).state == "published"
    assert (old.accounts(), old.grants()) == before[3]
    everything = old.catalog().changes(limit=100, until=timezone.now()).items
    assert all(row["since"]["version"] > 4 for row in everything)


def test_the_rows_that_ended_before_are_gone_from_the_disk(old: Desk, no_grace: None) -> None:
    cleaning.merge_histories()
    cleaning.clean_lake()
    organization.change(old.scope, {"retention_days": 15})
    cleaning.forget_past()
    cleaning.clean_lake()
    from grantline.catalog.merge import Forgettable, forgettable
    from grantline.control.lake import reader, snapshot_of

    old.item.refresh_from_db()
    snapshot = snapshot_of(old.item)
    assert snapshot is not None
    with reader() as con:
        assert forgettable(con, snapshot.history, 4) == Forgettable(0, 0)
    folder = folder_of(old.item).folder
    assert [path.parent.name for path in folder.glob("*/*") if path.parent.name != "versions"] == ["merged"]


def test_an_imports_own_retention_comes_first(old: Desk, no_grace: None) -> None:
    organization.change(old.scope, {"retention_days": 15})
    old.change(retention_days=0)
    cleaning.forget_past()
    assert Import.objects.get(pk=old.item.pk).kept_from == 1
    assert organization.retention_effects(old.scope, 15) == []


def test_the_files_of_a_forgotten_past_stay_for_a_while(old: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lake.ImportFolder.clean_up, "__kwdefaults__", {"staged": (), "grace_seconds": -60, "now": None})
    organization.change(old.scope, {"retention_days": 15})
    cleaning.forget_past()
    cleaning.clean_lake()
    assert len(list((folder_of(old.item).folder / "history").iterdir())) == 5
