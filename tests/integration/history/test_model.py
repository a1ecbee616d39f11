"""Random lives of an import, through the product's own path, against a plain model.

Files come, broken ones too; held runs are approved, discarded or replaced; versions come back; history is
merged and cleaned up. After every step each past moment is answered as the model says.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from grantline.catalog import lake
from grantline.control.runs import rules as runs
from grantline.control.runs.models import Run
from grantline.jobs import cleaning
from tests.integration.history.conftest import Desk, make_desk
from tests.integration.history.model import File, Model

pytestmark = pytest.mark.integration

USERS = st.sampled_from(["U1", "U2", "U3", "U4", "U5"])
GROUPS = st.frozensets(st.sampled_from(["staff", "audit", "admin"]), max_size=3)
EMAILS = st.sampled_from(["", "a@example.com", "b@example.com"])
ROWS = st.dictionaries(USERS, st.tuples(EMAILS, GROUPS), max_size=5)
FILES = st.builds(File, ROWS, st.frozensets(USERS, max_size=1))
BROKEN = st.sampled_from([b"nonsense\n", b'User ID,Groups\nU1,"open\n', b"User ID,Groups\nU1,\xff\n", b"\x00\x01\x02"])


class Life(RuleBasedStateMachine):
    """One import and its model."""

    def __init__(self) -> None:
        super().__init__()
        self.desk: Desk = make_desk(f"Example {id(self)} {Run.objects.count()}")
        self.model = Model()
        self.given: list[File] = []

    @rule(file=FILES)
    def load(self, file: File) -> None:
        self._load(file)

    @precondition(lambda self: self.model.versions)
    @rule(user=USERS, email=EMAILS, groups=GROUPS)
    def change_one_row(self, user: str, email: str, groups: frozenset[str]) -> None:
        now = self.model.versions[-1]
        rows = {
            name: (address, frozenset(group for account, group in now.grants if account == name))
            for name, address in now.accounts.items()
        }
        self._load(File({**rows, user: (email, groups)}))

    @precondition(lambda self: self.given)
    @rule(data=st.data())
    def load_an_old_file_again(self, data: st.DataObject) -> None:
        self._load(data.draw(st.sampled_from(self.given)))

    @rule(body=BROKEN)
    def load_a_broken_file(self, body: bytes) -> None:
        assert self.desk.load(body).state == "failed"

    @precondition(lambda self: self.model.held)
    @rule()
    def approve(self) -> None:
        self.desk.approve(self._held())
        self.model.approve()

    @precondition(lambda self: self.model.held)
    @rule()
    def discard(self) -> None:
        runs.discard(self.desk.scope, self._held().pk, "It is wrong.")
        self.model.held = None

    @precondition(lambda self: len(self.model.versions) > 1)
    @rule(data=st.data())
    def roll_back(self, data: st.DataObject) -> None:
        number = data.draw(st.integers(1, len(self.model.versions) - 1))
        run = self.desk.roll_back(number)
        assert run.state == self.model.roll_back(number), run.error

    @precondition(lambda self: len(self.model.versions) > 1)
    @rule(merge=st.booleans())
    def clean_up(self, merge: bool) -> None:
        if merge:
            cleaning.merge_histories()
        cleaning.forget_past()
        cleaning.clean_lake()

    @invariant()
    def every_past_moment_is_as_the_model_says(self) -> None:
        held = self.desk.item.runs.filter(state="held").count()
        assert held == (self.model.held is not None)
        for number, state in enumerate(self.model.versions, start=1):
            catalog = self.desk.catalog(number)
            accounts = {row["id"]: row["email"] or "" for row in catalog.export("account")}
            assert accounts == state.accounts
            assert {(row["account"], row["entitlement"]) for row in catalog.export("grant")} == state.grants
            assert {row["entitlement"] for row in catalog.export("entitlement")} == state.entitlements
        if self.model.versions:
            self._check_current()

    def _check_current(self) -> None:
        state, catalog = self.model.versions[-1], self.desk.catalog()
        marked = {row["id"] for row in catalog.accounts(limit=50).items if row["unconfirmed_since"]}
        assert marked == state.marks
        if len(self.model.versions) > 1:
            before = self.model.versions[-2]
            rows = catalog.changes(kind="grant", limit=100).items
            assert {(row["account"], row["entitlement"]) for row in rows if row["op"] == "added"} == (
                state.grants - before.grants
            )
            assert {(row["account"], row["entitlement"]) for row in rows if row["op"] == "removed"} == (
                before.grants - state.grants
            )

    def _load(self, file: File) -> None:
        self.given.append(file)
        run = self.desk.load(file.body)
        assert run.state == self.model.load(file), (run.guard, run.error)

    def _held(self) -> Run:
        return self.desk.item.runs.get(state="held")


@pytest.fixture
def place(db: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(django_settings, "GRANTLINE", replace(django_settings.GRANTLINE, data_dir=tmp_path))
    monkeypatch.setattr(lake.ImportFolder.clean_up, "__kwdefaults__", {"staged": (), "grace_seconds": -60, "now": None})
    monkeypatch.setattr(cleaning, "FORGETTING_GRACE", timedelta(0))
    monkeypatch.setattr("grantline.catalog.merge.merge_history.__kwdefaults__", {"worth_merging": 1})


def test_random_lives_of_an_import(place: None) -> None:
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=7,
            stateful_step_count=10,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
