"""Look-ups: one import, several imports, earlier versions, searches and pages."""

from __future__ import annotations

import pytest

from grantline.catalog.lookups import (
    AccountFilters,
    Since,
    account,
    account_history,
    accounts,
    changes,
    counts,
    entitlement,
    entitlement_key,
    entitlement_parts,
    entitlements,
    export,
    grants,
)
from grantline.catalog.model import Counts
from grantline.errors import InputInvalid, LakeUnavailable, NotFound

READ = ("role", "ledger", "read")
WRITE = ("role", "ledger", "write")
BARE = (None, None, "read")


@pytest.fixture
def two(new_feed):
    """Two imports of one application: `U1` and READ are in both."""
    one, other = new_feed("imp_1"), new_feed("imp_2")
    one.load(
        {"U1": {"email": "one@example.com"}, "U2": {"status": "disabled"}},
        [("U1", READ), ("U2", WRITE)],
        {READ: {"display_name": "Read"}},
    )
    other.load(
        {"U1": {"email": "other@example.com", "manager_id": "U9"}, "U3": {}}, [("U1", READ), ("U1", BARE), ("U3", READ)]
    )
    return one.con, [("imp_1", one.current), ("imp_2", other.current)]


def ids(page):
    return [item.id for item in page.items]


def all_pages(look, *args, **kwargs):
    items, cursor = [], None
    while True:
        page = look(*args, cursor=cursor, **kwargs)
        assert page.items
        items += page.items
        cursor = page.next
        if cursor is None:
            return items


def test_account_of_one_import(feed):
    feed.load({"U1": {"email": "one@example.com", "profile": '{"city":"Bonn"}'}})
    found = account(feed.con, [("imp_1", feed.current)], "U1")
    assert found.fields["email"] == "one@example.com"
    assert found.profile == {"city": "Bonn"}
    assert found.since == Since("imp_1", 1)
    assert found.record()["id"] == "U1"


def test_account_is_united_over_imports_and_the_first_wins(two):
    found = account(*two, "U1")
    assert found.fields["email"] == "one@example.com"
    assert found.fields["manager_id"] == "U9"
    assert found.since == Since("imp_1", 1)


def test_account_that_is_not_there(two):
    with pytest.raises(NotFound):
        account(*two, "U7")
    with pytest.raises(NotFound):
        account(*two, "U1", as_of={})


def test_accounts_of_several_imports_appear_once(two):
    assert ids(accounts(*two)) == ["U1", "U2", "U3"]


def test_accounts_come_in_pages(feed):
    feed.load([f"U{n}" for n in range(10)])
    found = all_pages(accounts, feed.con, [("imp_1", feed.current)], limit=3)
    assert [item.id for item in found] == [f"U{n}" for n in range(10)]


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("ONE@", ["U1"]),
        ("u2", ["U2"]),
        ("müller", ["U3"]),
        ("100%", ["U4"]),
        ("%", ["U4"]),
        ("_", ["U5"]),
        ("'; DROP TABLE x; --", []),
        ("\\", ["U6"]),
    ],
)
def test_accounts_search_is_a_part_in_any_case_and_has_no_wildcards(feed, search, expected):
    feed.load(
        {
            "U1": {"email": "One@example.com"},
            "U2": {},
            "U3": {"display_name": "MÜLLER"},
            "U4": {"username": "100%"},
            "U5": {"username": "a_b"},
            "U6": {"username": "DOMAIN\\user"},
        }
    )
    assert ids(accounts(feed.con, [("imp_1", feed.current)], search=search)) == expected


def test_accounts_filters(feed):
    feed.load(
        {
            "U1": {"status": "enabled", "owner_email": "o@example.com", "last_login_at": "2026-01-01"},
            "U2": {"status": "disabled", "type": "Service"},
            "U3": {"status": "enabled", "owner_email": "o@example.com"},
        }
    )
    look = [("imp_1", feed.current)]
    assert ids(accounts(feed.con, look, filters=AccountFilters(status="Enabled"))) == ["U1", "U3"]
    assert ids(accounts(feed.con, look, filters=AccountFilters(type="service"))) == ["U2"]
    assert ids(accounts(feed.con, look, filters=AccountFilters(no_owner=True))) == ["U2"]
    assert ids(accounts(feed.con, look, filters=AccountFilters(never_signed_in=True))) == ["U2", "U3"]
    feed.load({"U1": {}, "U2": {}}, unconfirmed=["U3"])
    look = [("imp_1", feed.current)]
    assert ids(accounts(feed.con, look, filters=AccountFilters(unconfirmed=True))) == ["U3"]


def test_grants_of_an_account_are_united_and_named(two):
    found = grants(*two, account="U1").items
    assert [(g.resource_type, g.entitlement, g.since.import_id) for g in found] == [
        (None, "read", "imp_2"),
        ("role", "read", "imp_1"),
    ]
    assert found[1].entitlement_display_name == "Read"
    assert found[1].account_email == "one@example.com"


def test_grants_of_an_entitlement_list_each_member_once(two):
    assert [g.account for g in grants(*two, entitlement=READ).items] == ["U1", "U3"]
    assert [g.account for g in grants(*two, entitlement=BARE).items] == ["U1"]


def test_grants_of_the_unknown_are_none(two):
    assert grants(*two, account="U7").items == ()
    assert grants(*two, entitlement=("role", "ledger", "nothing")).items == ()
    assert grants(*two, account="U2", entitlement=READ).items == ()


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_grants_of_all_come_in_pages_without_repetition(two, limit):
    found = all_pages(grants, *two, limit=limit)
    assert sorted((g.account, g.resource_type or "", g.entitlement) for g in found) == [
        ("U1", "", "read"),
        ("U1", "role", "read"),
        ("U2", "role", "write"),
        ("U3", "role", "read"),
    ]


@pytest.mark.parametrize("limit", [1, 2])
def test_grants_of_one_end_come_in_pages(two, limit):
    assert len(all_pages(grants, *two, account="U1", limit=limit)) == 2
    assert len(all_pages(grants, *two, entitlement=READ, limit=limit)) == 2


def test_grants_search(two):
    assert {g.account for g in grants(*two, search="WRITE").items} == {"U2"}
    assert {g.account for g in grants(*two, search="u3").items} == {"U3"}
    assert grants(*two, account="U1", search="ledger").items[0].resource == "ledger"


def test_entitlements_have_member_counts_over_all_imports(two):
    found = entitlements(*two).items
    assert [(e.resource_type, e.entitlement, e.members) for e in found] == [
        (None, "read", 1),
        ("role", "read", 2),
        ("role", "write", 1),
    ]
    assert found[1].display_name == "Read"


def test_entitlements_of_one_import_have_member_counts(feed):
    feed.load(["U1", "U2"], [("U1", READ), ("U2", READ)], [WRITE])
    found = entitlements(feed.con, [("imp_1", feed.current)]).items
    assert [(e.entitlement, e.members) for e in found] == [("read", 2), ("write", 0)]


def test_entitlements_come_in_pages_and_are_searched(two):
    assert len(all_pages(entitlements, *two, limit=1)) == 3
    assert [e.entitlement for e in entitlements(*two, search="WRI").items] == ["write"]


def test_entitlement_by_its_key(two):
    key = entitlements(*two).items[1].key
    found = entitlement(*two, entitlement_parts(key))
    assert (found.entitlement, found.members) == ("read", 2)
    with pytest.raises(NotFound):
        entitlement(*two, ("role", "ledger", "nothing"))


@pytest.mark.parametrize("parts", [READ, BARE, ("gruppe", "Köln/Bonn", "a?b&c=d"), ("", "", "")])
def test_entitlement_key_reads_back(parts):
    key = entitlement_key(*parts)
    assert entitlement_parts(key) == parts
    assert key.replace("-", "").replace("_", "").isalnum()


@pytest.mark.parametrize("key", ["", "x", "!!!!", "W10", "WzEsMiwzXQ", "ä", entitlement_key("a", "b", "c") + "="])
def test_entitlement_parts_of_what_is_no_key(key):
    with pytest.raises(NotFound):
        entitlement_parts(key)


@pytest.mark.parametrize("cursor", ["x", "WzEsMl0", "W251bGxd", "Wy0xXQ", "WyJhIiwiYiJd"])
def test_a_cursor_that_was_not_given_out_is_refused(two, cursor):
    for look in (accounts, entitlements, grants, changes):
        with pytest.raises(InputInvalid, match="cursor"):
            look(*two, cursor=cursor)


@pytest.mark.parametrize("limit", [0, -1, 1001])
def test_a_limit_out_of_range_is_refused(two, limit):
    with pytest.raises(InputInvalid, match="limit"):
        accounts(*two, limit=limit)


def test_counts_of_several_imports_count_each_key_once(two):
    assert counts(*two) == Counts(accounts=3, resources=2, entitlements=3, grants=4)
    assert counts(two[0], two[1][:1]) == Counts(accounts=2, resources=1, entitlements=2, grants=2)
    assert counts(*two, as_of={}) == Counts()


def test_as_of_an_earlier_version(feed):
    feed.load({"U1": {"email": "one@example.com"}, "U2": {}}, [("U1", READ), ("U2", READ)])
    feed.load({"U1": {"email": "uno@example.com"}}, [("U1", READ)])
    look, then = [("imp_1", feed.current)], {"imp_1": 1}
    assert ids(accounts(feed.con, look)) == ["U1"]
    assert ids(accounts(feed.con, look, as_of=then)) == ["U1", "U2"]
    assert account(feed.con, look, "U1", as_of=then).fields["email"] == "one@example.com"
    assert [g.account for g in grants(feed.con, look, entitlement=READ, as_of=then).items] == ["U1", "U2"]
    assert entitlements(feed.con, look, as_of=then).items[0].members == 2
    assert counts(feed.con, look, as_of=then) == Counts(2, 1, 1, 2)
    assert ids(accounts(feed.con, look, as_of={"imp_1": 0})) == []


def test_changes_of_the_newest_version(feed):
    feed.load({"U1": {"email": "one@example.com"}, "U2": {"display_name": "Two"}}, [("U2", READ)])
    feed.load({"U1": {"email": "uno@example.com", "username": "uno"}, "U3": {}}, [("U3", WRITE)])
    found = changes(feed.con, [("imp_1", feed.current)]).items
    assert [(c.kind, c.op, c.account, c.entitlement) for c in found] == [
        ("account", "changed", "U1", None),
        ("account", "removed", "U2", None),
        ("account", "added", "U3", None),
        ("entitlement", "removed", None, "read"),
        ("entitlement", "added", None, "write"),
        ("grant", "removed", "U2", "read"),
        ("grant", "added", "U3", "write"),
    ]
    assert found[0].before == {"email": "one@example.com"}
    assert found[0].after == {"email": "uno@example.com", "username": "uno"}
    assert found[5].account_display_name == "Two"
    assert found[5].since == Since("imp_1", 2)


def test_changes_are_filtered_and_paged(feed):
    feed.load(["U1", "U2"], [("U1", READ), ("U2", READ)])
    feed.load(["U1", "U3"], [("U1", WRITE), ("U3", READ)])
    look = [("imp_1", feed.current)]
    assert len(all_pages(changes, feed.con, look, limit=1)) == 7
    assert {c.op for c in changes(feed.con, look, op="removed").items} == {"removed"}
    about = changes(feed.con, look, account="U1").items
    assert [(c.kind, c.op, c.entitlement) for c in about] == [("grant", "removed", "read"), ("grant", "added", "write")]
    about = changes(feed.con, look, entitlement=WRITE).items
    assert [(c.kind, c.op) for c in about] == [("entitlement", "added"), ("grant", "added")]


def test_changes_over_several_versions_leave_out_what_came_back(feed):
    feed.load({"U1": {"email": "one@example.com"}}, [("U1", READ), ("U1", WRITE)])
    feed.load({"U1": {"email": "uno@example.com"}}, [("U1", READ)])
    feed.load({"U1": {"email": "one@example.com"}}, [("U1", READ), ("U1", WRITE)])
    look = [("imp_1", feed.current)]
    assert changes(feed.con, look, between={"imp_1": (1, 3)}, kind="account").items == ()
    assert changes(feed.con, look, between={"imp_1": (1, 3)}, kind="grant").items == ()
    assert len(changes(feed.con, look, between={"imp_1": (1, 2)}, kind="grant").items) == 1


def test_account_history_tells_everything_newest_first(feed):
    feed.load({"U1": {"email": "one@example.com"}}, {("U1", READ): {"expires_at": "2026-01-01"}})
    feed.load({"U1": {"email": "uno@example.com"}}, {("U1", READ): {"expires_at": "2027-01-01"}})
    feed.load(["U2"])
    feed.load(["U1", "U2"], [("U1", WRITE)])
    found = account_history(feed.con, [("imp_1", feed.current)], "U1")
    assert [(e.since.number, e.kind, e.op, e.entitlement) for e in found] == [
        (4, "account", "added", None),
        (4, "grant", "added", "write"),
        (3, "account", "removed", None),
        (3, "grant", "removed", "read"),
        (2, "account", "changed", None),
        (2, "grant", "changed", "read"),
        (1, "account", "added", None),
        (1, "grant", "added", "read"),
    ]
    assert found[4].before == {"email": "one@example.com"}
    assert found[5].after == {"expires_at": "2027-01-01"}
    assert account_history(feed.con, [("imp_1", feed.current)], "U7") == ()


def test_export_streams_flat_records(two):
    assert [row["id"] for row in export(*two, "account")] == ["U1", "U2", "U3"]
    assert [row["entitlement"] for row in export(*two, "entitlement")] == ["read", "read", "write"]
    rows = sorted(export(*two, "grant"), key=lambda row: (row["account"], row["resource_type"] or ""))
    assert [row["account"] for row in rows] == ["U1", "U1", "U2", "U3"]
    assert set(rows[0]) == {"account", "resource_type", "resource", "entitlement", "granted_at", "expires_at"}


def test_a_missing_file_is_reported(feed):
    feed.load(["U1"])
    (feed.current.folder / "accounts.parquet").unlink()
    with pytest.raises(LakeUnavailable, match=r"accounts\.parquet"):
        accounts(feed.con, [("imp_1", feed.current)])
