"""People over two applications: who is whose, addresses that change hands, and what past days say."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest
from django.db import connection

from grantline.control.accounts.models import AccountIndex
from grantline.control.applications import rules as applications
from grantline.control.applications.catalog import catalog_of
from grantline.control.imports import rules as imports
from grantline.control.imports.models import Import
from grantline.control.people import access, rules
from grantline.control.people.models import Person
from grantline.control.runs.models import Version
from grantline.control.tenancy import acting_for
from grantline.errors import InputInvalid, NotFound
from grantline.jobs.people import match_earlier_accounts
from tests.integration.history.conftest import Desk, make_desk

pytestmark = pytest.mark.integration

HEADER = "User ID,Email Address,Employee ID,Display Name,Account Type,Account Owner,Groups"
Users = Iterable[tuple[str, ...]]


def file_of(users: Users) -> bytes:
    """User ID, address, employee ID, name, type, owner, groups; what is left out is empty."""
    lines = [",".join([*user, *[""] * (6 - len(user)), "staff"]) for user in users]
    return ("\n".join([HEADER, *lines]) + "\n").encode()


def another(desk: Desk, name: str) -> Desk:
    """A second application of the same organization."""
    application = applications.create(desk.scope, name)
    return Desk(desk.scope, application, imports.create(desk.scope, application.pk, {}))


def load(desk: Desk, *users: tuple[str, ...]) -> None:
    assert desk.load(file_of(users)).state == "published"


def person(desk: Desk, value: str) -> Person:
    return Person.objects.get(organization_id=desk.scope.organization_id, value=value)


def shown(desk: Desk, as_of: datetime | None = None, **asked: object) -> dict[str, tuple[str, int, int]]:
    rows = rules.people(desk.scope, as_of=as_of, **asked).items  # type: ignore[arg-type]
    return {row["person"].value: (row["display_name"], row["accounts"], row["applications"]) for row in rows}


def held(desk: Desk, value: str, as_of: datetime | None = None) -> list[tuple[str, str, str]]:
    found = access.holdings(desk.scope, person(desk, value), as_of)
    return [(one.application.name, one.account, one.matched_by) for one in found.accounts]


def test_one_person_in_two_applications(desk: Desk) -> None:
    ledger = another(desk, "Ledger")
    load(desk, ("U1", "Anna@Example.com", "", "Anna Lee"), ("U2", "bo@example.com"))
    load(ledger, ("L7", "anna@example.COM", "", "A. Lee"), ("L8",))
    assert shown(desk) == {"anna@example.com": ("Anna Lee", 2, 2), "bo@example.com": ("", 1, 1)}
    assert held(desk, "anna@example.com") == [("Ledger", "L7", "email"), ("Payroll", "U1", "email")]
    rows = access.access(access.holdings(desk.scope, person(desk, "anna@example.com"))).items
    assert [[grant["entitlement"] for grant in row["grants"].items] for row in rows] == [["staff"], ["staff"]]
    assert all(row["grants"].items[0]["since"]["run_id"] for row in rows)


def test_the_same_account_id_in_two_applications_is_two_accounts(desk: Desk) -> None:
    ledger = another(desk, "Ledger")
    load(desk, ("anna", "anna@example.com"))
    load(ledger, ("anna", "anna@example.com"))
    assert shown(desk) == {"anna@example.com": ("", 2, 2)}


def test_without_an_address_the_employee_id_says_whose(desk: Desk) -> None:
    ledger = another(desk, "Ledger")
    load(ledger, ("L1", "", "007"), ("L2", "", "008"), ("L3",))
    assert set(shown(desk)) == {"007", "008"}
    load(desk, ("U1", "anna@example.com", "007", "Anna"))
    assert held(desk, "anna@example.com") == [("Ledger", "L1", "employee_id"), ("Payroll", "U1", "email")]
    assert held(desk, "007") == []
    assert shown(desk) == {"anna@example.com": ("Anna", 2, 2), "008": ("", 1, 1)}
    assert "007" in shown(desk, gone=True)
    assert set(shown(desk, search="007")) == {"anna@example.com"}


def test_an_employee_id_that_two_people_carry_is_its_own_person(desk: Desk) -> None:
    ledger = another(desk, "Ledger")
    load(ledger, ("L1", "", "007"))
    load(desk, ("U1", "anna@example.com", "007"), ("U2", "bo@example.com", "007"))
    assert held(desk, "007") == [("Ledger", "L1", "employee_id")]
    load(desk, ("U1", "anna@example.com", "007"), ("U2", "bo@example.com", "009"))
    assert held(desk, "007") == []
    assert held(desk, "anna@example.com") == [("Ledger", "L1", "employee_id"), ("Payroll", "U1", "email")]


def test_an_import_that_is_deleted_gives_its_people_back(desk: Desk) -> None:
    ledger = another(desk, "Ledger")
    load(ledger, ("L1", "", "007"))
    load(desk, ("U1", "anna@example.com", "007"))
    kept = person(desk, "anna@example.com").pk
    imports.delete(desk.scope, desk.item.pk)
    assert shown(desk) == {"007": ("", 1, 1)}
    assert rules.read(desk.scope, kept).value == "anna@example.com"


def test_service_and_system_accounts_are_owned_and_nobody_s(desk: Desk) -> None:
    users = [("svc", "bot@example.com", "007", "", "service", "Anna@example.com"), ("U1", "anna@example.com")]
    load(desk, *users)
    assert set(shown(desk)) == {"anna@example.com"}
    assert held(desk, "anna@example.com") == [("Payroll", "U1", "email")]
    for moment in (None, desk.version(1).published_at):
        owned = access.owned(desk.scope, person(desk, "anna@example.com"), moment)
        assert [one.account for one in owned.accounts] == ["svc"]
    assert [row["account"]["id"] for row in access.access(owned).items] == ["svc"]


def test_an_address_that_changes_hands_leads_to_whoever_had_it(desk: Desk) -> None:
    load(desk, ("U1", "anna@example.com", "", "Anna Lee"))
    first = person(desk, "anna@example.com").pk
    desk.age(10)
    load(desk, ("U1", "a.lee@example.com", "", "Anna Lee"), ("U9", "anna@example.com", "", "Anna Moe"))
    assert person(desk, "anna@example.com").pk == first
    assert held(desk, "anna@example.com") == [("Payroll", "U9", "email")]
    assert shown(desk)["anna@example.com"] == ("Anna Moe", 1, 1)
    then = desk.version(1).published_at
    assert held(desk, "anna@example.com", then) == [("Payroll", "U1", "email")]
    assert held(desk, "a.lee@example.com", then) == []
    assert shown(desk, then) == {"anna@example.com": ("Anna Lee", 1, 1)}
    assert held(desk, "anna@example.com", then - timedelta(days=1)) == []


def test_somebody_who_left_is_there_on_past_days(desk: Desk) -> None:
    load(desk, ("U1", "anna@example.com"), ("U2", "bo@example.com"))
    desk.age(10)
    load(desk, ("U2", "bo@example.com"))
    assert set(shown(desk)) == {"bo@example.com"}
    assert shown(desk, gone=True)["anna@example.com"] == ("", 0, 0)
    assert held(desk, "anna@example.com", desk.version(1).published_at) == [("Payroll", "U1", "email")]


@pytest.mark.parametrize("as_of", [False, True])
def test_now_and_then_agree(desk: Desk, as_of: bool) -> None:
    """The index's rule (PostgreSQL) and that of past days (DuckDB) give the same people."""
    ledger = another(desk, "Ledger")
    load(ledger, ("L1", "", "007"), ("L2", "", "008"), ("L3",), ("L4", "JOSE\u0301@example.com", "010"))
    load(
        desk,
        *(("U1", "anna@example.com", "007"), ("U2", "bo@example.com", "008"), ("U3", "cy@example.com", "008")),
        *(("U4", "jos\u00e9@example.com"), ("U5", "", "011"), ("U6", "bot@example.com", "007", "", "system")),
    )
    moment = max(Version.objects.values_list("published_at", flat=True)) if as_of else None
    assert {value: counts[1:] for value, counts in shown(desk, moment).items()} == {
        "anna@example.com": (2, 2),
        "bo@example.com": (1, 1),
        "cy@example.com": (1, 1),
        "jos\u00e9@example.com": (2, 2),
        "008": (1, 1),
        "011": (1, 1),
    }
    assert held(desk, "anna@example.com", moment) == [("Ledger", "L1", "employee_id"), ("Payroll", "U1", "email")]
    assert list(shown(desk, moment, search="BO@")) == ["bo@example.com"]
    pages = rules.people(desk.scope, as_of=moment, limit=4)
    rest = rules.people(desk.scope, as_of=moment, limit=4, cursor=pages.next or "")
    assert [row["person"].value for row in pages.items + rest.items] == list(shown(desk, moment))


def test_a_day_that_is_not_kept_is_said_and_never_left_out_silently(desk: Desk) -> None:
    ledger = another(desk, "Ledger")
    load(ledger, ("L1", "anna@example.com"))
    load(desk, ("U1", "anna@example.com"))
    moment = desk.version(1).published_at
    Import.objects.filter(pk=ledger.item.pk).update(kept_from=2)
    with pytest.raises(InputInvalid, match="Ledger"):
        rules.people(desk.scope, as_of=moment)
    found = access.holdings(desk.scope, person(desk, "anna@example.com"), moment)
    assert [one.account for one in found.accounts] == ["U1"]
    assert [one.application.name for one in found.unanswered] == ["Ledger"]


def test_what_an_earlier_release_indexed_is_matched_once(desk: Desk) -> None:
    load(desk, ("U1", "anna@example.com", "", "Anna"), ("U2", "", "007"))
    before = held(desk, "anna@example.com")
    AccountIndex.objects.update(matched_by=None, person=None, employee_id="")
    Person.objects.filter(value="007").delete()
    assert match_earlier_accounts() == 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('pg_temp.index_changed')")
        assert cursor.fetchone() == (None,)
    assert (held(desk, "anna@example.com"), held(desk, "007")) == (before, [("Payroll", "U2", "employee_id")])
    assert match_earlier_accounts() == 0


def test_the_filter_unmatched_now_and_then(desk: Desk) -> None:
    load(desk, ("U1", "anna@example.com"), ("U2",), ("U3", "", "007"), ("U4", "", "", "", "service"))
    moment = desk.version(1).published_at
    desk.age(10)
    from grantline.catalog.lookups import AccountFilters

    for as_of in (None, moment):
        catalog = catalog_of(desk.scope, desk.application, as_of)
        assert [row["id"] for row in catalog.accounts(filters=AccountFilters(unmatched=True)).items] == ["U2"]


def test_another_organization_s_people_are_not_there(desk: Desk) -> None:
    load(desk, ("U1", "anna@example.com"))
    ours = person(desk, "anna@example.com")
    theirs = make_desk("Neighbour")
    load(theirs, ("N1", "anna@example.com"))
    assert person(theirs, "anna@example.com").pk != ours.pk
    with acting_for(theirs.scope):
        with pytest.raises(NotFound):
            rules.read(theirs.scope, ours.pk)
        assert not Person.objects.filter(pk=ours.pk).exists()
        assert held(theirs, "anna@example.com") == [("Payroll", "N1", "email")]
