"""Random lives of an import, through the product's own path, against a plain model.

Files come, broken ones too; workers die by SIGKILL and others finish; held runs are approved, discarded or
replaced; versions come back; keys are declared the same; time passes; history is merged, forgotten and
cleaned up. After every step, and after every death, each past moment is answered as the model says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from hypothesis import HealthCheck, Phase, assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from grantline.catalog import lake
from grantline.catalog.lookups import entitlement_key
from grantline.control.accounts.models import AccountIndex
from grantline.control.applications import aliases
from grantline.control.imports import rules as imports
from grantline.control.lake import folder_of, history_of
from grantline.control.runs import rules as runs
from grantline.control.runs.models import Run
from grantline.errors import Conflict, InputInvalid
from grantline.jobs import cleaning, requests
from grantline.jobs.points import APPROVAL, POINTS
from grantline.jobs.run import carry_out
from tests.integration.history.conftest import Desk, make_desk
from tests.integration.history.deaths import dies_at, end_job, give_to_another, take
from tests.integration.history.model import File, Model, State

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]

USERS = st.sampled_from(["U1", "U2", "U3", "U4", "U5"])
GROUPS = st.frozensets(st.sampled_from(["staff", "audit", "admin"]), max_size=3)
EMAILS = st.sampled_from(["", "a@example.com", "b@example.com"])
ROWS = st.dictionaries(USERS, st.tuples(EMAILS, GROUPS), max_size=5)
FILES = st.builds(File, ROWS, st.frozensets(USERS, max_size=1))
BROKEN = st.sampled_from([b"nonsense\n", b'User ID,Groups\nU1,"open\n', b"User ID,Groups\nU1,\xff\n", b"\x00\x01\x02"])
KEYS = st.one_of(
    st.tuples(st.just("account"), USERS, st.sampled_from(["U1", "U5", "V1", "V2"])),
    st.tuples(st.just("entitlement"), *[st.sampled_from(["staff", "audit", "admin", "Staff"])] * 2),
)
DEATHS = st.lists(st.sampled_from(POINTS), min_size=1, max_size=2)
"""Where the workers of one run die, one after the other; the next one finishes."""
MAYBE = st.one_of(st.just([]), DEATHS)

FIGURES: Counter[str] = Counter()
"""What a test run has tried and found; the test writes it down, the documentation quotes it."""


class Life(RuleBasedStateMachine):
    """One import and its model."""

    def __init__(self) -> None:
        super().__init__()
        self.desk: Desk = make_desk(f"Example {id(self)} {Run.objects.count()}")
        self.model = Model()
        self.given: list[File] = []
        self.told_anew = False

    @initialize(file=FILES)
    def begin(self, file: File) -> None:
        self._load(file, [])

    @rule(file=FILES, points=DEATHS, clean=st.booleans())
    def load(self, file: File, points: list[str], clean: bool) -> None:
        self._load(file, points, clean)

    @precondition(lambda self: self.model.versions)
    @rule(user=USERS, email=EMAILS, groups=GROUPS, points=DEATHS)
    def change_one_row(self, user: str, email: str, groups: frozenset[str], points: list[str]) -> None:
        self._load(File({**self.model.versions[-1].rows, user: (email, groups)}), points)

    @precondition(lambda self: self.given)
    @rule(data=st.data(), points=MAYBE)
    def load_an_old_file_again(self, data: st.DataObject, points: list[str]) -> None:
        self._load(data.draw(st.sampled_from(self.given)), points)

    @rule(body=BROKEN)
    def load_a_broken_file(self, body: bytes) -> None:
        assert self.desk.load(body).state == "failed"

    @precondition(lambda self: self.model.held)
    @rule(die_first=st.booleans())
    def approve(self, die_first: bool) -> None:
        held = self._held()
        if die_first:
            assert dies_at(APPROVAL, lambda: requests.approve(self.desk.scope, held.pk, "They have left."))
            FIGURES.update([f"killed {APPROVAL}"])
            self.every_past_moment_is_as_the_model_says()
        self.desk.approve(held)
        self.model.approve()

    @precondition(lambda self: self.model.held)
    @rule()
    def discard(self) -> None:
        runs.discard(self.desk.scope, self._held().pk, "It is wrong.")
        self.model.held = None

    @precondition(lambda self: len(self.model.versions) > self.model.kept_from)
    @rule(data=st.data(), points=MAYBE)
    def roll_back(self, data: st.DataObject, points: list[str]) -> None:
        number = data.draw(st.integers(self.model.kept_from, len(self.model.versions) - 1))
        run = requests.rollback(self.desk.scope, self.desk.item.pk, number, "It was wrong.")
        self._finish_after_deaths(run, points, False, lambda: self.model.roll_back(number))

    @rule(keys=KEYS)
    def declare_the_same(self, keys: tuple[str, str, str]) -> None:
        kind, old, new = keys
        known = self.model.same.of(kind)
        assume(old in known or (old not in known.values() and new not in (*known, *known.values())))
        if old == new or old in known:
            with pytest.raises((InputInvalid, Conflict)):
                self._declare(kind, old, new)
            return
        self._declare(kind, old, new)
        known[old] = new
        self.told_anew = True

    @precondition(lambda self: self.model.same.users or self.model.same.groups)
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        kind, old = data.draw(
            st.sampled_from([(kind, old) for kind in ("account", "entitlement") for old in self.model.same.of(kind)])
        )
        alias = self.desk.application.aliases.get(kind=kind, old=_key(kind, old))
        aliases.withdraw(self.desk.scope, self.desk.application.pk, alias.pk)
        del self.model.same.of(kind)[old]

    @precondition(lambda self: self.model.versions)
    @rule(days=st.sampled_from([10, 20]))
    def let_time_pass(self, days: int) -> None:
        self.desk.age(days)
        self.model.ages = [age + days for age in self.model.ages]

    @rule(days=st.sampled_from([0, 15, 25]))
    def keep_the_past_for(self, days: int) -> None:
        self.desk.change(retention_days=days)
        self.model.kept_days = days

    @precondition(lambda self: self.model.versions)
    @rule(merge=st.booleans())
    def clean_up(self, merge: bool) -> None:
        self._clean_up(merge)

    def teardown(self) -> None:
        """Remove the import: the clean-up of the lives that follow would look after it too."""
        self.desk.item.runs.filter(state="running").update(state="failed")  # of a step that failed
        imports.delete(self.desk.scope, self.desk.item.pk)

    @invariant()
    def every_past_moment_is_as_the_model_says(self) -> None:
        held = self.desk.item.runs.filter(state="held").count()
        assert held == (self.model.held is not None)
        for number, state in enumerate(self.model.versions, start=1):
            if number >= self.model.kept_from:
                self._check(number, state)
            else:
                with pytest.raises(InputInvalid, match="not kept any more"):
                    self.desk.catalog(number)
        if self.model.versions:
            self._check_current()

    def _check(self, number: int, state: State) -> None:
        catalog = self.desk.catalog(number)
        accounts = {row["id"]: row["email"] or "" for row in catalog.export("account")}
        grants = {(row["account"], row["entitlement"]) for row in catalog.export("grant")}
        lost = len(state.accounts.items() - accounts.items()) + len(state.grants - grants)
        FIGURES.update(answers=1, rows=len(state.accounts) + len(state.grants), lost=lost)
        assert accounts == state.accounts
        assert grants == state.grants
        assert {row["entitlement"] for row in catalog.export("entitlement")} == state.entitlements

    def _check_current(self) -> None:
        state, catalog = self.model.versions[-1], self.desk.catalog()
        marked = {row["id"] for row in catalog.accounts(limit=50).items if row["unconfirmed_since"]}
        assert marked == state.marks
        index = AccountIndex.objects.filter(import_id=self.desk.item.pk).values_list("key", flat=True)
        assert sorted(index) == sorted(state.accounts)
        if len(self.model.versions) > self.model.kept_from and not self.told_anew:
            before = self.model.versions[-2]
            rows = catalog.changes(kind="grant", limit=100).items
            assert {(row["account"], row["entitlement"]) for row in rows if row["op"] == "added"} == (
                state.grants - before.grants
            )
            assert {(row["account"], row["entitlement"]) for row in rows if row["op"] == "removed"} == (
                before.grants - state.grants
            )

    def _load(self, file: File, points: list[str], clean: bool = False) -> None:
        self.given.append(file)
        self._finish_after_deaths(self.desk.give(file.body), points, clean, lambda: self.model.load(file))

    def _finish_after_deaths(self, run: Run, points: list[str], clean: bool, model: Callable[[], str]) -> None:
        """Let a worker die at each point, and another one take the run up; then the model takes its step."""
        for point in points:
            take(run)
            if not dies_at(point, lambda: carry_out(run.pk)):
                break
            FIGURES.update([f"killed {point}"])
            run.refresh_from_db()
            if run.state == "running":
                self.every_past_moment_is_as_the_model_says()  # the old version, whole
            if clean:
                self._clean_up(merge=True)
            give_to_another(run)
        run = self.desk.finish(run)
        end_job(run)
        assert run.state == model(), (run.guard, run.error)

    def _clean_up(self, merge: bool) -> None:
        if merge:
            cleaning.merge_histories()
        cleaning.forget_past()
        cleaning.clean_lake()
        cleaning.clean_spool()
        self.desk.item.refresh_from_db()
        self.model.forget()
        assert self.desk.item.kept_from == self.model.kept_from
        self._check_no_orphans()

    def _check_no_orphans(self) -> None:
        """Nothing lies in the lake or the spool that no version and no held run names."""
        item, folder = self.desk.item, folder_of(self.desk.item).folder
        staged = set(item.runs.filter(state="held").values_list("staged_version_id", flat=True))
        newest = set(item.versions.order_by("-number").values_list("pk", flat=True)[:3])
        there = {path.name for path in folder.glob("versions/*")}
        assert there == newest | staged
        assert {path.name for path in folder.glob("history/*")} <= set(history_of(item)) | staged
        running = set(item.runs.filter(state="running").values_list("pk", flat=True))
        left = {path.name.rsplit("-", 1)[0] for path in django_settings.GRANTLINE.spool_dir.glob("*/*")}
        assert left <= running

    def _declare(self, kind: str, old: str, new: str) -> None:
        aliases.declare(self.desk.scope, self.desk.application.pk, kind, _key(kind, old), _key(kind, new), "Anew.")

    def _held(self) -> Run:
        return self.desk.item.runs.get(state="held")


def _key(kind: str, name: str) -> str:
    return name if kind == "account" else entitlement_key("group", name, name)


@pytest.fixture
def place(transactional_db: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(django_settings, "GRANTLINE", replace(django_settings.GRANTLINE, data_dir=tmp_path))
    monkeypatch.setattr(lake.ImportFolder.clean_up, "__kwdefaults__", {"staged": (), "grace_seconds": -60, "now": None})
    monkeypatch.setattr(cleaning, "FORGETTING_GRACE", timedelta(0))
    monkeypatch.setattr(cleaning, "SPOOL_SECONDS", -60)
    monkeypatch.setattr("grantline.catalog.merge.merge_history.__kwdefaults__", {"worth_merging": 1})


def test_random_lives_of_an_import(place: None, record_property: Callable[[str, object], None]) -> None:
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=8,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.reuse, Phase.generate),  # a life of twelve steps is sooner read than shrunk
        ),
    )
    killed = {name: count for name, count in FIGURES.items() if name.startswith("killed ")}
    record_property("random lives: points of failure tried", len(killed))
    record_property("random lives: kills survived", sum(killed.values()))
    record_property("random lives: answers compared", FIGURES["answers"])
    record_property("random lives: rows compared", FIGURES["rows"])
    record_property("random lives: rows lost", FIGURES["lost"])
