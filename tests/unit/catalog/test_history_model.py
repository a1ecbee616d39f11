"""Any sequence of files, replayed: every version, asked about later, is what a plain model says."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grantline.catalog import pairs
from grantline.catalog.connection import connect
from grantline.catalog.lake import ImportFolder
from grantline.catalog.lookups import account_history, accounts, changes, counts, export

IDS = st.sampled_from([f"U{n}" for n in range(6)])
KEYS = st.sampled_from([("role", "ledger", "read"), ("role", "ledger", "write"), (None, None, "read")])
TEXT = st.sampled_from([None, "a@example.com", "b@example.com"])
DATE = st.sampled_from([None, "2026-01-01"])


@dataclass
class State:
    """The model: what is true at one version."""

    accounts: dict[str, str | None] = field(default_factory=dict)
    grants: dict[tuple[str, Any], str | None] = field(default_factory=dict)


@st.composite
def files(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "accounts": draw(st.dictionaries(IDS, TEXT, min_size=1)),
        "grants": draw(st.dictionaries(st.tuples(IDS, KEYS), DATE, max_size=8)),
        "unconfirmed": draw(st.sets(IDS, max_size=2)),
        "removals": draw(st.none() | st.sets(st.tuples(IDS, st.none() | KEYS), max_size=3)),
        "email_stated": draw(st.booleans()),
    }


def applied(old: State, file: dict[str, Any]) -> State:
    """The model of one run."""
    came = dict(file["accounts"])
    for account, _ in file["grants"]:
        came.setdefault(account, None)
    delta = file["removals"] is not None
    removals = file["removals"] or set()
    leavers = {account for account, key in removals if key is None}
    granted = {account for account, _ in file["grants"]}
    # A row that removes a grant says nothing with a blank cell.
    only_removed = {account for account, key in removals if key is not None} - granted
    named_only = {account for account, _ in removals} - granted - set(old.accounts)
    came.update({account: None for account, _ in removals if account not in came})
    new = State(dict(old.accounts) if delta else {}, dict(old.grants) if delta else {})
    for account in file["unconfirmed"]:
        if account in old.accounts and not delta:
            new.accounts[account] = old.accounts[account]
            new.grants |= {pair: date for pair, date in old.grants.items() if pair[0] == account}
    for account, email in came.items():
        keeps = account in old.accounts and (not file["email_stated"] or (email is None and account in only_removed))
        new.accounts[account] = old.accounts[account] if keeps else email
    new.grants |= file["grants"]
    for account in leavers | named_only:
        new.accounts.pop(account, None)
    gone = {pair for pair in new.grants if pair[0] in leavers or pair in removals}
    new.grants = {pair: date for pair, date in new.grants.items() if pair not in gone}
    return new


def seen(con: Any, snapshots: Any, as_of: Any = None) -> State:
    people = accounts(con, snapshots, as_of=as_of, limit=1000).items
    rows = list(export(con, snapshots, "grant", as_of=as_of))
    return State(
        {row.id: row.fields["email"] for row in people},
        {
            (row["account"], (row["resource_type"], row["resource"], row["entitlement"])): row["granted_at"]
            for row in rows
        },
    )


@pytest.mark.parametrize("compared_at_once", [0, 50_000], ids=["by digest", "by pair"])
def test_every_version_is_what_the_model_says(monkeypatch, came, compared_at_once):
    monkeypatch.setattr(pairs, "COMPARED_AT_ONCE", compared_at_once)

    @settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(files(), min_size=2, max_size=5))
    def replay(sequence: list[dict[str, Any]]) -> None:
        with TemporaryDirectory() as folder:
            _replay(Path(folder), came, sequence)

    replay()


def _replay(folder: Path, came: Any, sequence: list[dict[str, Any]]) -> None:
    from grantline.catalog.diff import diff
    from grantline.catalog.write import write

    con = connect(256, 1, folder / "spill")
    place = ImportFolder(folder, "org_1", "imp_1")
    states, snapshot, history = [State()], None, []
    stated = frozenset({"account.id", "grant.granted_at"})
    for number, file in enumerate(sequence, 1):
        incoming = came(
            con,
            {name: {"email": email} for name, email in file["accounts"].items()},
            {pair: {"granted_at": date} for pair, date in file["grants"].items()},
            unconfirmed=file["unconfirmed"],
            removals=file["removals"],
            mode="full" if file["removals"] is None else "delta",
            stated=stated | ({"account.email"} if file["email_stated"] else set()),
        )
        manifest = write(con, diff(con, incoming, snapshot, number), place, f"ver_{number}")
        history += [f"ver_{number}"] if manifest.has_history else []
        snapshot = place.snapshot(number, f"ver_{number}", history)
        states.append(applied(states[-1], file))
        assert manifest.counts.accounts == len(states[-1].accounts)
        assert manifest.counts.grants == len(states[-1].grants)
    snapshots = [("imp_1", snapshot)]
    assert seen(con, snapshots) == states[-1]
    for number, state in enumerate(states):
        assert seen(con, snapshots, {"imp_1": number}) == state
        assert counts(con, snapshots, as_of={"imp_1": number}).grants == len(state.grants)
    _check_changes(con, snapshots, states)
    _check_events(con, snapshots, states)
    con.close()


def _check_changes(con: Any, snapshots: Any, states: list[State]) -> None:
    """Changes between any two versions lead from the one state to the other."""
    newest = len(states) - 1
    for first, last in {(0, newest), (1, newest), (newest - 1, newest)}:
        if first < last:
            grants = dict(states[first].grants)
            for change in _all_changes(con, snapshots, first, last):
                pair = (change.account, (change.resource_type, change.resource, change.entitlement))
                if change.op == "removed":
                    grants.pop(pair, None)
            for change in _all_changes(con, snapshots, first, last):
                pair = (change.account, (change.resource_type, change.resource, change.entitlement))
                if change.op != "removed":
                    grants[pair] = change.after.get("granted_at")
            assert grants == states[last].grants


def _all_changes(con: Any, snapshots: Any, first: int, last: int) -> list[Any]:
    found, cursor = [], None
    while True:
        page = changes(con, snapshots, between={"imp_1": (first, last)}, kind="grant", limit=3, cursor=cursor)
        found += page.items
        cursor = page.next
        if cursor is None:
            return found


def _check_events(con: Any, snapshots: Any, states: list[State]) -> None:
    """The events of an account, replayed, say at which versions it was there."""
    for account in (f"U{n}" for n in range(6)):
        happened = account_history(con, snapshots, account)
        there: set[int] = set()
        present = False
        by_number = {e.since.number: e.op for e in reversed(happened) if e.kind == "account"}
        for number in range(1, len(states)):
            op = by_number.get(number)
            present = present if op is None else op != "removed"
            there |= {number} if present else set()
        assert there == {n for n in range(1, len(states)) if account in states[n].accounts}
