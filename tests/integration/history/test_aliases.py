"""Keys that changed their spelling: pointed out, declared, and followed from then on."""

from __future__ import annotations

from typing import Any

import pytest

from grantline.catalog.lookups import entitlement_key
from grantline.control.accounts.models import AccountIndex
from grantline.control.applications import aliases
from grantline.control.applications.known_keys import meant_key
from grantline.control.audit.models import AuditEvent
from grantline.control.runs import changes
from grantline.control.runs import rules as runs
from grantline.control.runs.models import Run
from grantline.errors import Conflict, InputInvalid, NotFound
from tests.integration.history.conftest import Desk, users_csv

pytestmark = pytest.mark.integration
BEFORE = {"U1": ["admins", "staff"], "U2": ["admins"], "U3": ["staff"], "jdoe": ["staff"]}
RENAMED = {"U1": ["Administrators", "staff"], "U2": ["Administrators"], "U3": ["staff"], "jdoe": ["staff"]}


def key(group: str) -> str:
    return entitlement_key("group", group, group)


def declared(desk: Desk, kind: str, old: str, new: str) -> Any:
    return aliases.declare(desk.scope, desk.application.pk, kind, old, new, "Spelled anew.")


def keys_of(desk: Desk) -> dict[str, str]:
    return {row["entitlement"]: row["key"] for row in desk.catalog().entitlements().items}


def renames(desk: Desk, run: Run) -> list[tuple[str, str, str, tuple[str, ...]]]:
    found = changes.renames(desk.scope, runs.read(desk.scope, run.pk))
    return [(one["kind"], one["old_name"], one["new_name"], one["shared"]) for one in found]


def test_a_likely_rename_of_an_entitlement_is_pointed_out_by_its_members(desk: Desk) -> None:
    desk.load(users_csv(BEFORE))
    run = desk.load(users_csv(RENAMED))
    ((kind, old, new, shared),) = renames(desk, run)
    assert (kind, shared) == ("entitlement", ("members",))
    assert old.endswith("admins")
    assert new.endswith("Administrators")


def test_a_likely_rename_of_an_account_is_pointed_out_by_its_address(desk: Desk) -> None:
    desk.load(users_csv(BEFORE, emails={"jdoe": "John.Doe@example.com"}))
    later = {**{user: groups for user, groups in BEFORE.items() if user != "jdoe"}, "john.doe": ["staff"]}
    run = desk.load(users_csv(later, emails={"john.doe": " john.doe@example.com"}))
    assert renames(desk, run) == [("account", "jdoe", "john.doe", ("email",))]


def test_two_candidates_are_no_rename(desk: Desk) -> None:
    desk.load(users_csv({"U1": ["a", "b"], "U2": ["a", "b"], "U3": ["c"]}))
    run = desk.load(users_csv({"U1": ["x", "y"], "U2": ["x", "y"], "U3": ["c"]}))
    if run.state == "held":
        desk.approve(run)
    assert renames(desk, run) == []


def test_a_rename_declared_before_it_is_published_keeps_the_grants(desk: Desk) -> None:
    desk.change(guard_share=0.0, guard_count=1)
    desk.load(users_csv(BEFORE))
    held = desk.load(users_csv(RENAMED))
    assert held.state == "held"
    old, new = keys_of(desk)["admins"], changes.renames(desk.scope, runs.read(desk.scope, held.pk))[0]["new"]
    declared(desk, "entitlement", old, new)
    run = desk.load(users_csv(RENAMED))
    assert run.state == "published", run.guard
    assert run.changes is not None
    assert run.changes["entitlements"] == {"added": 0, "removed": 0, "changed": 1}
    assert run.changes["grants"] == {"added": 0, "removed": 0, "changed": 0}
    (change,) = desk.catalog().changes(limit=10).items
    assert (change["op"], change["before"]["entitlement"], change["after"]["entitlement"]) == (
        "changed",
        "admins",
        "Administrators",
    )
    history = desk.catalog().grant_history("U1", new)
    assert history["first_appeared"]["version"] == 1
    assert len(history["intervals"]) == 1
    assert ("U1", "admins") in desk.grants(1), "the past is told in the words of its day"


def test_an_account_keeps_its_history_under_its_new_key(desk: Desk) -> None:
    desk.load(users_csv(BEFORE))
    declared(desk, "account", "jdoe", "john.doe")
    later = {**{user: groups for user, groups in BEFORE.items() if user != "jdoe"}, "john.doe": ["staff", "audit"]}
    run = desk.load(users_csv(later, emails={"john.doe": "jdoe@example.com"}))
    assert run.state == "published", run.guard
    assert run.changes is not None
    assert run.changes["accounts"] == {"added": 0, "removed": 0, "changed": 1}
    events = desk.catalog().account_history("john.doe")
    assert [(row["kind"], row["op"], row["since"]["version"]) for row in events if row["kind"] == "account"] == [
        ("account", "changed", 2),
        ("account", "added", 1),
    ]
    assert events[0]["before"] == {"id": "jdoe"} or events[1]["before"] == {"id": "jdoe"}
    assert {row.key for row in AccountIndex.objects.filter(import_id=desk.item.pk)} == set(later)
    assert (desk.accounts(1), desk.accounts()) == (sorted(BEFORE), sorted(later))


def test_a_rename_declared_after_it_was_published_joins_both_histories(desk: Desk) -> None:
    desk.load(users_csv(BEFORE))
    old = keys_of(desk)["admins"]
    desk.load(users_csv(RENAMED))
    new = keys_of(desk)["Administrators"]
    before = desk.catalog().account_history("U1")
    assert {(row["op"], row["entitlement"]) for row in before if row["since"]["version"] == 2} == {
        ("removed", "admins"),
        ("added", "Administrators"),
    }
    declared(desk, "entitlement", old, new)
    after = desk.catalog().account_history("U1")
    assert [row for row in after if row["since"]["version"] == 2] == []
    assert [row["entitlement"] for row in after if row["entitlement"]].count("Administrators") == 1
    history = desk.catalog().grant_history("U1", new)
    assert [one["first_appeared"]["version"] for one in history["intervals"]] == [1, 2]
    assert history["first_appeared"]["version"] == 1


def test_a_file_that_says_the_old_key_means_the_new_one(desk: Desk) -> None:
    desk.load(users_csv(BEFORE))
    old = keys_of(desk)["admins"]
    desk.load(users_csv(RENAMED))
    declared(desk, "entitlement", old, keys_of(desk)["Administrators"])
    run = desk.load(users_csv({**RENAMED, "U1": ["admins", "Administrators", "staff"], "U2": ["admins"]}))
    assert run.state == "unchanged", run.guard
    assert "admins" not in keys_of(desk)


def test_two_keys_that_are_both_there_are_merged(desk: Desk) -> None:
    desk.load(users_csv({"U1": ["VIEW"], "U2": ["View"], "U3": ["View", "VIEW"]}))
    found = keys_of(desk)
    declared(desk, "entitlement", found["VIEW"], found["View"])
    run = desk.load(users_csv({"U1": ["VIEW"], "U2": ["View"], "U3": ["View", "VIEW"]}))
    if run.state == "held":
        desk.approve(run)
    assert desk.grants() == {("U1", "View"), ("U2", "View"), ("U3", "View")}


def test_a_chain_of_renames_ends_at_the_last_key(desk: Desk) -> None:
    desk.load(users_csv({"a": ["staff"], "U2": ["staff"]}))
    declared(desk, "account", "a", "b")
    declared(desk, "account", "b", "c")
    assert desk.load(users_csv({"b": ["staff"], "U2": ["staff"]})).state == "published"
    assert desk.accounts() == ["U2", "c"]
    with pytest.raises(Conflict):
        declared(desk, "account", "c", "a")


def test_a_refused_row_of_a_renamed_account_keeps_what_is_known(desk: Desk) -> None:
    desk.load(users_csv({"jdoe": ["staff"], "U2": ["staff"]}))
    declared(desk, "account", "jdoe", "john.doe")
    refused = b"User ID,Email Address,Groups\njohn.doe,x@example.com,staff,too many\nU2,u2@example.com,staff\n"
    desk.load(refused)
    assert desk.accounts() == ["U2", "jdoe"]
    assert desk.catalog().account("jdoe")["unconfirmed_since"]["version"] == 2


def test_a_declaration_can_be_withdrawn_and_both_are_audited(desk: Desk) -> None:
    alias = declared(desk, "account", "jdoe", "john.doe")
    aliases.withdraw(desk.scope, desk.application.pk, alias.pk)
    with pytest.raises(NotFound):
        aliases.withdraw(desk.scope, desk.application.pk, alias.pk)
    desk.load(users_csv({"jdoe": ["staff"]}))
    assert desk.accounts() == ["jdoe"]
    actions = AuditEvent.objects.filter(action__startswith="alias:").order_by("sequence")
    assert [event.action for event in actions] == ["alias:declare", "alias:withdraw"]
    assert actions[0].after == {"kind": "account", "old": "jdoe", "new": "john.doe", "reason": "Spelled anew."}


@pytest.mark.parametrize(
    ("kind", "old", "new", "field"),
    [
        ("grant", "a", "b", "kind"),
        ("account", "a", "a", "new"),
        ("account", "", "b", "old"),
        ("entitlement", "staff", key("x"), "old"),
        ("entitlement", key("x"), "{}", "new"),
    ],
)
def test_what_is_no_key_is_refused_by_name(desk: Desk, kind: str, old: str, new: str, field: str) -> None:
    with pytest.raises(InputInvalid) as caught:
        declared(desk, kind, old, new)
    assert caught.value.field == field


def test_a_name_that_several_entitlements_have_is_not_guessed(desk: Desk) -> None:
    rows = b"User ID,Resource Type,Resource Name,Entitlement\nU1,Ledger,L1,View\nU1,Ledger,L2,View\nU1,Ledger,L2,Post\n"
    desk.load(rows)
    with pytest.raises(InputInvalid) as caught:
        meant_key(desk.scope, desk.application, "entitlement", "View", "old")
    assert caught.value.field == "old"
    assert caught.value.remedy == "Type one of them in full: Ledger / L1 / View; Ledger / L2 / View."
    full = meant_key(desk.scope, desk.application, "entitlement", "Ledger / L2 / View", "old")
    assert full == entitlement_key("Ledger", "L2", "View")
    assert meant_key(desk.scope, desk.application, "entitlement", full, "old") == full
    assert meant_key(desk.scope, desk.application, "entitlement", "Post", "old") == entitlement_key(
        "Ledger", "L2", "Post"
    )


def test_an_old_key_has_one_new_key(desk: Desk) -> None:
    declared(desk, "account", "a", "b")
    with pytest.raises(Conflict):
        declared(desk, "account", "a", "c")
