"""What other imports list, and what look-ups make of imports that only name accounts and entitlements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from grantline.catalog import lookups
from grantline.catalog.aliases import Aliases
from grantline.catalog.others import (
    ListingVersion,
    accounts_of,
    entitlements_of,
    former_accounts_of,
    known_accounts_of,
)
from tests.unit.catalog.conftest import Feed

READ, WRITE, ADMIN = ("role", "app", "read"), ("role", "app", "write"), ("group", "app", "admin")


@pytest.fixture
def named(new_feed: Callable[[str], Feed]) -> tuple[Any, Any]:
    """Grants first, the accounts and entitlements they name only in a later import."""
    grants, listing = new_feed("imp_grants"), new_feed("imp_listing")
    grants.load({}, [("U1", READ), ("U2", READ), ("U2", WRITE)])
    grants.load({}, [("U1", READ), ("U2", READ)])
    listing.load(
        {"U1": {"email": "one@example.com", "display_name": "One", "status": "enabled"}, "U3": {"email": "three@x.y"}},
        [],
        {READ: {"display_name": "Read things"}},
    )
    return grants.con, [("imp_grants", grants.current), ("imp_listing", listing.current)]


def test_an_account_that_is_described_wins_over_one_that_is_named(named: tuple[Any, Any]) -> None:
    con, snapshots = named
    one = lookups.account(con, snapshots, "U1")
    assert (one.fields["email"], one.since) == ("one@example.com", lookups.Since("imp_listing", 1))
    two = lookups.account(con, snapshots, "U2")
    assert (two.fields["email"], two.since) == (None, lookups.Since("imp_grants", 1))
    assert [item.id for item in lookups.accounts(con, snapshots).items] == ["U1", "U2", "U3"]
    assert lookups.counts(con, snapshots).accounts == 3


def test_an_entitlement_that_is_described_wins_too(named: tuple[Any, Any]) -> None:
    con, snapshots = named
    found = lookups.entitlement(con, snapshots, READ)
    assert (found.display_name, found.since.import_id, found.members) == ("Read things", "imp_listing", 2)


def test_grants_have_the_names_of_both_ends_whoever_says_them(named: tuple[Any, Any]) -> None:
    con, snapshots = named
    for page in (
        lookups.grants(con, snapshots),
        lookups.grants(con, snapshots, entitlement=READ),
    ):
        one, two = page.items
        assert (one.account_display_name, one.account_email, one.account_status) == (
            "One",
            "one@example.com",
            "enabled",
        )
        assert (two.account_display_name, two.account_email) == (None, None)
        assert {one.entitlement_display_name, two.entitlement_display_name} == {"Read things"}


@pytest.mark.parametrize(("search", "found"), [("one@", ["U1"]), ("READ THINGS", ["U1", "U2"]), ("three", [])])
def test_grants_are_found_by_those_names(named: tuple[Any, Any], search: str, found: list[str]) -> None:
    con, snapshots = named
    assert [item.account for item in lookups.grants(con, snapshots, search=search).items] == found
    assert [item.account for item in lookups.grants(con, snapshots, entitlement=READ, search=search).items] == found


def test_changes_have_those_names(named: tuple[Any, Any]) -> None:
    con, snapshots = named
    page = lookups.changes(con, snapshots, between={"imp_grants": (0, 1)}, kind="grant", account="U1")
    assert [(item.account_display_name, item.entitlement_display_name) for item in page.items] == [
        ("One", "Read things")
    ]


def test_that_an_import_names_an_account_is_no_event_where_another_describes_it(named: tuple[Any, Any]) -> None:
    con, snapshots = named
    one = [(event.kind, event.op, event.since.import_id) for event in lookups.account_history(con, snapshots, "U1")]
    assert one == [("grant", "added", "imp_grants"), ("account", "added", "imp_listing")]
    two = [event.kind for event in lookups.account_history(con, snapshots, "U2")]
    assert two.count("account") == 1, "nobody else has it"


def test_accounts_of_several_imports_in_their_order(new_feed: Callable[[str], Feed]) -> None:
    one, two = new_feed("imp_1"), new_feed("imp_2")
    one.load({"U1": {"email": "one@example.com"}, "U2": {}})
    two.load({"U3": {"username": "three"}, "U4": {}})
    versions = [ListingVersion(one.current), ListingVersion(two.current, is_mixed=True)]
    found = one.con.execute(
        f"SELECT id, email, username, place FROM {accounts_of(one.con, versions, Aliases())} ORDER BY id"
    )
    assert found.fetchall() == [("U1", "one@example.com", None, 0), ("U2", None, None, 0), ("U3", None, "three", 1)]


def test_an_old_key_is_listed_while_the_new_one_is(feed: Feed) -> None:
    feed.load({"U1": {}}, [], [READ])
    aliases = Aliases(
        accounts={("old",): ("U1",), ("gone",): ("U9",)},
        entitlements={("role", "app", "reading"): READ, ("role", "app", "nothing"): WRITE},
    )
    accounts = accounts_of(feed.con, [ListingVersion(feed.current)], aliases)
    assert {row[0] for row in feed.con.execute(f"SELECT id FROM {accounts}").fetchall()} == {"U1", "old"}
    entitlements = entitlements_of(feed.con, [(feed.current, ("role",))], aliases)
    assert {row[2] for row in feed.con.execute(f"SELECT * FROM {entitlements}").fetchall()} == {"read", "reading"}


def test_entitlements_of_the_types_that_are_defined(feed: Feed) -> None:
    feed.load({}, [], [READ, WRITE, ADMIN])
    rows = feed.con.execute(f"SELECT * FROM {entitlements_of(feed.con, [(feed.current, ('role',))], Aliases())}")
    assert set(rows.fetchall()) == {READ, WRITE}


def test_accounts_that_were_listed_before(feed: Feed) -> None:
    feed.load({"U1": {"email": "one@example.com"}, "U2": {}})
    assert former_accounts_of([ListingVersion(feed.current)]) is None
    feed.load({"U2": {}})
    former = former_accounts_of([ListingVersion(feed.current)])
    assert feed.con.execute(f"SELECT id, email FROM {former}").fetchall() == [("U1", "one@example.com")]
    assert feed.con.execute(f"SELECT id FROM {known_accounts_of(feed.current)}").fetchall() == [("U2",)]
