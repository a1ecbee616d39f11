"""The guard as a person meets it: limits, what would go, who is affected, and what replaces a held run."""

from __future__ import annotations

import pytest

from grantline.catalog.lookups import entitlement_key
from grantline.control.audit.models import AuditEvent
from grantline.control.organizations import settings as organization
from grantline.control.runs import changes
from grantline.control.runs import rules as runs
from grantline.control.runs.models import Run
from grantline.errors import Conflict, FileEmpty, InputInvalid
from tests.integration.history.conftest import HEADER, Desk, people, users_csv

pytestmark = pytest.mark.integration
ALL = people(20)


def reasons(run: Run) -> list[str]:
    assert run.state == "held", run.error
    assert run.guard is not None
    found: list[str] = run.guard["reasons"]
    return found


def test_a_fall_of_accounts_is_held_and_nothing_changes(desk: Desk) -> None:
    desk.load(users_csv(ALL))
    run = desk.load(users_csv(ALL[:5]))
    assert reasons(run)[0] == "The file would remove 15 of 20 accounts (75 %); the limit is 20 %."
    assert run.guard is not None
    assert run.guard["breaches"][0] == {
        "of": "accounts",
        "what": "fall",
        "rows": 15,
        "before": 20,
        "limit": 0.2,
        "share": 0.75,
    }
    assert desk.accounts() == ALL
    assert desk.item.current_version is not None
    assert desk.item.current_version.number == 1


def test_a_fall_of_entitlements_is_held(desk: Desk) -> None:
    groups = [f"group {number}" for number in range(12)]
    desk.load(users_csv({"U1": groups, "U2": ["staff"]}))
    assert any("entitlements" in reason for reason in reasons(desk.load(users_csv({"U1": ["staff"], "U2": ["staff"]}))))


def test_a_fall_of_grants_alone_is_held(desk: Desk) -> None:
    desk.load(users_csv({user: ["staff", "payroll", "audit"] for user in ALL}))
    file = users_csv({user: ["staff"] if user != "U000" else ["staff", "payroll", "audit"] for user in ALL})
    assert [reason.split(" (")[0] for reason in reasons(desk.load(file))] == ["The file would remove 38 of 60 grants"]


def test_a_fall_of_an_attributes_filled_share_is_held(desk: Desk) -> None:
    desk.load(users_csv(ALL))
    run = desk.load(users_csv(ALL, emails=dict.fromkeys(ALL[:16], "")))
    assert reasons(run) == [
        "The file would leave account.email empty in 16 rows that should have it: its filled share falls from "
        "100 % to 20 %; the limit is a fall of 20 %."
    ]
    assert desk.load(users_csv(ALL, emails=dict.fromkeys(ALL[:3], ""))).state == "published"


def test_a_file_without_a_column_says_nothing_about_it(desk: Desk) -> None:
    desk.change(mapping={"version": 1, "columns": [{"source": "User ID", "to": "account.id"}]})
    desk.load(users_csv(ALL))
    assert desk.load(users_csv(ALL, emails=dict.fromkeys(ALL, ""))).state == "unchanged"


def test_the_organizations_limits_hold_until_an_import_has_its_own(desk: Desk) -> None:
    organization.change(desk.scope, {"guard_share": 0.9})
    desk.load(users_csv(ALL))
    assert desk.load(users_csv(ALL[:5])).state == "published"
    desk.change(guard_share=0.1, guard_count=2)
    assert "the limit is 10 %" in reasons(desk.load(users_csv(ALL[:3])))[0]
    desk.change(guard_share=None, guard_count=None)
    assert desk.load(users_csv(ALL[:3])).state == "published"
    event = AuditEvent.objects.get(action="organization:change")
    assert event.before is not None
    assert event.after is not None
    assert (event.before["guard_share"], event.after["guard_share"]) == (0.2, 0.9)


def test_growth_is_held_only_where_it_is_limited(desk: Desk) -> None:
    desk.load(users_csv(people(10)))
    assert desk.load(users_csv(people(30))).state == "published"
    organization.change(desk.scope, {"guard_growth_share": 1})
    assert reasons(desk.load(users_csv(people(61))))[0].startswith(
        "The file would add 31 to 30 accounts (103.3 % more)"
    )
    assert desk.load(users_csv(people(60))).state == "published"


def test_what_would_go_is_listed_row_by_row_with_who_is_affected(desk: Desk) -> None:
    desk.load(users_csv({"U1": ["staff"], "U2": ["staff", "audit"], "U3": ["staff"], "U4": ["staff"]}))
    run = desk.load(users_csv({"U1": ["staff"]}))
    first = changes.changes(desk.scope, run, kind="grant", op="removed", limit=3)
    rest = changes.changes(desk.scope, run, kind="grant", op="removed", limit=3, cursor=first.next or "")
    assert len(first.items) == 3
    assert {(row["account"], row["entitlement"]) for row in (*first.items, *rest.items)} == {
        ("U2", "staff"),
        ("U2", "audit"),
        ("U3", "staff"),
        ("U4", "staff"),
    }
    assert all(row["since"] is None for row in first.items)
    rows, total = changes.affected(desk.scope, run, limit=2)
    assert total == 3
    assert rows.items[0] == {
        "account": "U2",
        "display_name": None,
        "email": "u2@example.com",
        "lost": 2,
        "leaves": True,
    }
    more, _ = changes.affected(desk.scope, run, limit=2, cursor=rows.next or "")
    assert [row["account"] for row in (*rows.items, *more.items)] == ["U2", "U3", "U4"]
    desk.approve(run)
    run.refresh_from_db()
    after = changes.changes(desk.scope, runs.read(desk.scope, run.pk), kind="account", limit=10)
    assert [(row["op"], row["account"], row["since"]["version"]) for row in after.items] == [
        ("removed", "U2", 2),
        ("removed", "U3", 2),
        ("removed", "U4", 2),
    ]


def test_a_run_that_changed_nothing_has_no_changes(desk: Desk) -> None:
    desk.load(users_csv(ALL))
    with pytest.raises(Conflict):
        changes.changes(desk.scope, desk.load(users_csv(ALL)))


def test_a_newer_file_replaces_the_held_proposal(desk: Desk) -> None:
    desk.load(users_csv(ALL))
    held = desk.load(users_csv(ALL[:5]))
    newer = desk.load(users_csv(ALL[:6]))
    held.refresh_from_db()
    assert (held.state, held.decided_by, held.decided_reason) == ("discarded", "Grantline", runs.NEWER)
    assert newer.state == "held"
    assert desk.load(users_csv(ALL)).state == "unchanged"
    newer.refresh_from_db()
    assert newer.state == "discarded", "the newest file says what is known, so nothing is left to decide"


def test_a_broken_newer_file_leaves_the_held_proposal(desk: Desk) -> None:
    desk.load(users_csv(ALL))
    held = desk.load(users_csv(ALL[:5]))
    assert desk.load(b"nonsense").state == "failed"
    held.refresh_from_db()
    assert held.state == "held"
    desk.approve(held)
    assert desk.accounts() == ALL[:5]


@pytest.mark.parametrize("body", [b"", f"{HEADER}\n".encode()], ids=["0 bytes", "a header alone"])
def test_an_empty_file_is_a_fault_unless_the_import_allows_it(desk: Desk, body: bytes) -> None:
    desk.load(users_csv(ALL))
    if body:
        run = desk.load(body)
        assert run.state == "failed"
        assert run.error is not None
        assert run.error["code"] == "file_empty"
    else:
        with pytest.raises(FileEmpty):
            desk.load(body)
    desk.change(allow_empty=True)
    run = desk.load(body)
    assert reasons(run)[0] == "The file would remove 20 of 20 accounts (100 %); the limit is 20 %."
    assert desk.accounts() == ALL
    desk.approve(run)
    assert desk.accounts() == []
    assert desk.load(body).state == "unchanged"


def test_a_vanished_column_is_named_with_its_near_match(desk: Desk) -> None:
    columns = [{"source": "User ID", "to": "account.id"}, {"source": "Email Address", "to": "account.email"}]
    desk.change(mapping={"version": 1, "columns": columns})
    desk.load(users_csv(ALL))
    run = desk.load(users_csv(ALL).replace(b"Email Address", b"E-mail Adress"))
    assert run.state == "failed"
    assert run.error is not None
    assert run.error["code"] == "header_missing"
    assert "E-mail Adress" in run.error["message"] + run.error["remedy"]
    assert desk.accounts() == ALL


def test_present_but_invalid_is_not_absent(desk: Desk) -> None:
    desk.load(users_csv({"U1": ["staff", "audit"], "U2": ["staff"]}))
    row = "User ID,Email Address,Groups\nU1,u1@example.com,staff,one cell too many\nU2,u2@example.com,staff\n"
    run = desk.load(row.encode())
    assert run.issue_counts == {"row_width": 1}, run.error
    assert run.state == "published", run.guard
    assert desk.grants() == {("U1", "staff"), ("U1", "audit"), ("U2", "staff")}
    account = desk.catalog().account("U1")
    assert account["unconfirmed_since"]["version"] == 2
    assert account["unconfirmed_since"]["run_id"] == run.pk
    assert desk.catalog().account("U2")["unconfirmed_since"] is None
    desk.load(row.replace(",one cell too many", "").encode())
    assert desk.catalog().account("U1")["unconfirmed_since"] is None
    assert desk.grants() == {("U1", "staff"), ("U2", "staff")}


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"guard_share": 2}, "guard_share"),
        ({"guard_share": None}, "guard_share"),
        ({"guard_growth_share": -1}, "guard_growth_share"),
        ({"retention_days": -5}, "retention_days"),
        ({"name": "x"}, "name"),
    ],
)
def test_wrong_limits_are_refused_by_name(desk: Desk, values: dict[str, object], field: str) -> None:
    with pytest.raises(InputInvalid) as caught:
        organization.change(desk.scope, values)
    assert caught.value.field == field


def test_changes_of_one_entitlement(desk: Desk) -> None:
    desk.load(users_csv({"U1": ["staff", "audit"], "U2": ["staff"]}))
    run = desk.load(users_csv({"U1": ["staff"], "U2": ["staff", "audit"]}))
    key = desk.catalog().grants(account="U2", search="audit").items[0]["entitlement_key"]
    rows = changes.changes(desk.scope, run, entitlement=key).items
    assert {(row["op"], row["account"]) for row in rows} == {("removed", "U1"), ("added", "U2")}
    assert key == entitlement_key(rows[0]["resource_type"], rows[0]["resource"], rows[0]["entitlement"])
