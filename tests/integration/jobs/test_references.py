"""Accounts, entitlements and grants of one application from several imports, through the real jobs."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.utils import timezone

from grantline.catalog.lookups import AccountFilters
from grantline.control.accounts.rules import search
from grantline.control.applications.catalog import Catalog, catalog_of
from grantline.control.imports import rules as imports
from grantline.control.imports.models import Import
from grantline.control.runs import rules as runs
from grantline.control.runs.models import Run, Trigger
from grantline.errors import InputInvalid
from grantline.jobs.preview import preview_import
from grantline.jobs.requests import approve
from grantline.jobs.requests import rollback as bring_back
from grantline.jobs.run import carry_out
from grantline.jobs.uploads import take_upload
from tests.integration.jobs.conftest import World

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.integration]

USERS, MEMBERS, ROLES = "access/app/users.csv", "access/app/members.csv", "access/app/roles.csv"
TYPED = {
    "version": 1,
    "columns": [{"source": "User", "to": "account.id"}, {"source": "Role", "to": "entitlement.name"}],
    "constants": {"resource.type": "role"},
}


def users(*names: str) -> bytes:
    rows = "".join(f"{name},{name.lower()}@example.com,{name} Example\n" for name in names)
    return f"User ID,Email Address,Full Name\n{rows}".encode()


def members(*pairs: str) -> bytes:
    """`ada:reader` gives ada the role."""
    return ("User,Role\n" + "".join(pair.replace(":", ",") + "\n" for pair in pairs)).encode()


def roles(*names: str) -> bytes:
    rows = "".join(f"role,{name},{name},Can {name}\n" for name in names)
    return f"Resource Type,Resource Name,Entitlement,Entitlement Description\n{rows}".encode()


def grants_import(world: World, *pairs: str, **values: object) -> Import:
    world.put(MEMBERS, members(*pairs))
    return world.make_import(MEMBERS, mapping=TYPED, **values)


def roster(world: World, *names: str) -> Import:
    world.put(USERS, users(*names))
    return world.make_import(USERS)


def catalog(world: World, item: Import, as_of: datetime | None = None) -> Catalog:
    return catalog_of(world.scope, item.application, as_of)


def given(world: World, item: Import) -> set[tuple[str, str]]:
    return {(row["account"], row["entitlement"]) for row in catalog(world, item).grants().items}


def is_due(item: Import) -> bool:
    """Whether it looks now; as the schedule does, it is then due an interval later."""
    item.refresh_from_db()
    due = item.next_run_at is not None and item.next_run_at <= timezone.now()
    runs.schedule_next(item)
    return due


def test_one_application_of_three_imports(world: World) -> None:
    people = roster(world, "Ada", "bo")
    assert world.run(people).state == "published"
    world.put(ROLES, roles("reader", "writer"))
    definitions = world.make_import(ROLES)
    assert world.run(definitions).state == "published"
    grants = grants_import(world, "ADA:reader", "bo@example.com:writer", "zoe:reader", "bo:ghost")
    run = world.run(grants)
    assert (run.state, run.issue_counts) == ("published", {"reference_unknown": 2})
    found = {(issue.row, issue.line, issue.value) for issue in run.issues.all()}
    assert found == {(3, 4, "zoe"), (4, 5, "ghost")}
    messages = " ".join(issue.message + issue.remedy for issue in run.issues.all())
    assert f"another import of this application ({USERS})" in messages
    assert f"another import of this application ({ROLES})" in messages
    assert f"Accounts are looked up in other imports of this application: {USERS}." in run.notes
    assert given(world, grants) == {("Ada", "reader"), ("bo", "writer")}
    world.put(ROLES, roles("reader", "writer", "ghost"))
    world.run(definitions)
    assert is_due(grants)
    assert world.run(grants).issue_counts == {"reference_unknown": 1}
    (ghost,) = catalog(world, grants).entitlements(search="ghost").items
    assert (ghost["description"], ghost["members"]) == ("Can ghost", 1)


def test_look_ups_show_what_the_roster_says_and_count_once(world: World) -> None:
    grants = grants_import(world, "Ada:reader", "bo:reader")
    assert world.run(grants).state == "published"
    before = timezone.now()
    people = roster(world, "Ada", "bo")
    world.run(people)
    world.run(grants)
    now = catalog(world, grants)
    assert (now.counts().accounts, now.counts().grants) == (2, 2)
    ada = now.account("Ada")
    assert (ada["email"], ada["since"]["import_id"]) == ("ada@example.com", people.pk)
    assert [row["id"] for row in now.accounts(search="ada@example").items] == ["Ada"]
    assert now.accounts(filters=AccountFilters(unconfirmed=True)).items == []
    (grant,) = now.grants(account="Ada").items
    assert (grant["account_display_name"], grant["account_email"]) == ("Ada Example", "ada@example.com")
    assert {row["account_display_name"] for row in now.grants().items} == {"Ada Example", "bo Example"}
    assert [row["account"] for row in now.grants(search="bo Example").items] == ["bo"]
    assert [row["id"] for row in now.export("account")] == ["Ada", "bo"]
    assert {row["account_display_name"] for row in now.changes(version=(grants.pk, 1), kind="grant").items} == {
        "Ada Example",
        "bo Example",
    }
    events = [(event["kind"], event["op"]) for event in now.account_history("Ada")]
    assert sorted(events) == [("account", "added"), ("grant", "added")]
    assert [row.key for row in search(world.scope, "ada", 10)] == ["Ada"]
    past = catalog(world, grants, before)
    assert (past.counts().accounts, past.account("Ada")["email"]) == (2, None)


def test_the_order_of_first_syncs_does_not_matter(world: World) -> None:
    grants = grants_import(world, "ADA:reader", "bo@example.com:reader", "zoe:reader")
    assert world.run(grants).issue_counts == {}, "nobody lists accounts yet"
    assert not is_due(grants)
    people = roster(world, "Ada", "bo")
    world.run(people)
    assert is_due(grants), "it need not wait for its interval"
    run = world.run(grants)
    assert (run.state, run.issue_counts) == ("published", {"reference_unknown": 1})
    assert given(world, grants) == {("Ada", "reader"), ("bo", "reader"), ("zoe", "reader")}
    assert run.changes["accounts"] == {"added": 0, "removed": 0, "changed": 2}, "the same accounts by other names"
    (doubt,) = catalog(world, grants).accounts(filters=AccountFilters(unconfirmed=True)).items
    assert doubt["id"] == "zoe", "what was known stays"


def test_a_roster_that_gains_an_account_has_the_grants_read_again(world: World) -> None:
    people = roster(world, "Ada")
    world.run(people)
    grants = grants_import(world, "Ada:reader", "bo:reader")
    assert world.run(grants).issue_counts == {"reference_unknown": 1}
    assert world.run(grants).state == "unchanged"
    world.put(USERS, users("Ada", "bo"))
    world.run(people)
    assert is_due(grants)
    run = world.run(grants)
    assert (run.state, run.issue_counts) == ("published", {})
    assert given(world, grants) == {("Ada", "reader"), ("bo", "reader")}
    world.put(USERS, users("Ada", "bo").replace(b"Example\n", b"Sample\n"))
    assert world.run(people).state == "published"
    assert not is_due(grants), "attributes alone are no reason"
    assert world.run(grants).state == "unchanged"
    world.put(MEMBERS, members("Ada:reader", *(f"u{number}:reader" for number in range(12))))
    run = world.run(grants)
    assert (run.state, (run.error or {})["code"]) == ("failed", "file_structure")
    assert "12 of them (92 % of all rows) name accounts or entitlements that no import" in (run.error or {})["message"]


def test_a_roster_that_loses_accounts_leaves_their_grants_in_doubt(world: World) -> None:
    people = roster(world, "Ada", "bo", "cy", "di", "ed", "fay")
    world.run(people)
    grants = grants_import(world, "Ada:reader", "BO@example.com:reader")
    world.run(grants)
    world.put(USERS, users("Ada", "cy", "di", "ed", "fay"))
    assert world.run(people).state == "published"
    assert is_due(grants)
    run = world.run(grants)
    assert (run.state, [issue.value for issue in run.issues.all()]) == ("published", ["BO@example.com"])
    assert given(world, grants) == {("Ada", "reader"), ("bo", "reader")}, "kept, though it was named by its address"
    assert catalog(world, grants).account("bo")["unconfirmed_since"]["import_id"] == grants.pk
    assert world.run(grants).state == "unchanged"


def test_imports_that_depend_on_each_other_come_to_rest(world: World) -> None:
    """Each has a roster of its own and grants to accounts of the other."""
    both = []
    for place, (own, other) in enumerate([("Ada", "bo"), ("bo", "Ada")]):
        world.put(f"access/p{place}/users.csv", users(own))
        world.put(f"access/p{place}/members.csv", members(f"{other}:reader", f"{own}:reader"))
        sources = [
            {"match": "users.csv", "columns": [{"source": "User ID", "to": "account.id"}, EMAIL]},
            {"match": "members.csv", **{name: TYPED[name] for name in ("columns", "constants")}},
        ]
        both.append(world.make_import("", pattern=f"access/p{place}/", mapping={"version": 1, "sources": sources}))
    for _ in range(2):
        for item in both:
            world.run(item)
    due = [is_due(item) for item in both]
    assert True in due
    assert [world.run(item).state for item in both] == ["unchanged", "unchanged"]
    assert given(world, both[0]) == {("Ada", "reader"), ("bo", "reader")}
    assert catalog(world, both[0]).counts().grants == 2
    assert not any(is_due(item) for item in both)


EMAIL = {"source": "Email Address", "to": "account.email"}


def test_an_import_can_refer_to_its_own_file_alone(world: World) -> None:
    world.run(roster(world, "Ada"))
    grants = grants_import(world, "zoe:reader", references="own")
    assert preview_import(world.scope, grants)["issue_counts"] == {}
    assert world.run(grants).issue_counts == {}
    assert world.run(grants).state == "unchanged"
    grants = imports.change(world.scope, grants.pk, {"references": "auto"})
    document = preview_import(world.scope, grants)
    assert document["issue_counts"] == {"reference_unknown": 1}
    assert f"Accounts are looked up in other imports of this application: {USERS}." in document["notes"]
    assert world.run(grants).issue_counts == {"reference_unknown": 1}
    imports.change(world.scope, grants.pk, {"references": "own"})
    assert world.run(grants).issue_counts == {}
    with pytest.raises(InputInvalid):
        imports.change(world.scope, grants.pk, {"references": "all"})


def test_a_file_by_hand_is_read_again_when_its_accounts_come(world: World) -> None:
    people = roster(world, "Ada")
    world.run(people)
    body = [members("Ada:reader", "bo:reader")]
    grants, run = take_upload(world.scope, people.application_id, body, "members.csv", mapping=TYPED)
    carry_out(run.pk)
    assert Run.objects.get(pk=run.pk).issue_counts == {"reference_unknown": 1}
    world.put(USERS, users("Ada", "bo"))
    world.run(people)
    again = grants.runs.get(trigger=Trigger.REFERENCES)
    carry_out(again.pk)
    assert given(world, grants) == {("Ada", "reader"), ("bo", "reader")}


def test_a_held_roster_wakes_its_dependents_when_it_is_approved(world: World) -> None:
    names = [f"u{number}" for number in range(20)]
    people = roster(world, *names)
    world.run(people)
    grants = grants_import(world, "u0:reader", "u19:reader")
    world.run(grants)
    world.put(USERS, users(*names[:10]))
    held = world.run(people)
    assert (held.state, is_due(grants)) == ("held", False)
    approve(world.scope, held.pk, "they have left")
    assert is_due(grants)
    assert world.run(grants).issue_counts == {"reference_unknown": 1}
    run = bring_back(world.scope, people.pk, 1, "they have not")
    carry_out(run.pk)
    people.refresh_from_db()
    assert runs.list_runs(world.scope, people)[0].reference_facts["lists_accounts"] is True
    assert world.run(grants).issue_counts == {}
