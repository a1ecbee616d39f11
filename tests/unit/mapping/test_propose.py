from __future__ import annotations

import pytest

from grantline.errors import HeaderMissing
from grantline.mapping.document import load
from grantline.mapping.layouts import LAYOUTS, recognize
from grantline.mapping.names import KEY_NAMES, NAMES, PROFILE_NAMES, folded, resource_type_of
from grantline.mapping.propose import known_header, propose
from grantline.mapping.targets import TARGETS, target


def targets(header: str) -> dict[str, str]:
    return {rule.source: rule.to for rule in propose(header.split(",")).mapping.columns}


@pytest.mark.parametrize(
    "spelling",
    ["User ID", "user_id", "UserID", "userId", " USER-ID ", "User.Id", "User ID [Required]", "user id (key)"],
)
def test_spellings_of_one_name(spelling: str) -> None:
    assert folded(spelling) == "userid"


def test_the_shape_of_accounts() -> None:
    header = (
        "User ID,Email Address,First Name,Last Name,Full Name,Username,User Status,Manager ID,User Type,"
        "Account Owner,Last Login,Groups,Roles"
    )
    proposal = propose(header.split(","))
    assert proposal.layout == "accounts"
    assert targets(header) == {
        "User ID": "account.id",
        "Email Address": "account.email",
        "First Name": "account.first_name",
        "Last Name": "account.last_name",
        "Full Name": "account.display_name",
        "Username": "account.username",
        "User Status": "account.status",
        "Manager ID": "account.manager_id",
        "User Type": "account.type",
        "Account Owner": "account.owner_email",
        "Last Login": "account.last_login_at",
        "Groups": "entitlements",
        "Roles": "entitlements",
    }
    lists = [(rule.resource_type, rule.split) for rule in proposal.mapping.columns if rule.to == "entitlements"]
    assert lists == [("group", ","), ("role", ",")]


def test_the_shape_of_grants() -> None:
    header = (
        "User ID,Resource Type,Resource Name,Entitlement,Entitlement Display Name,Entitlement Slug,"
        "Entitlement Description,Type"
    )
    assert propose(header.split(",")).layout == "grants"
    assert list(targets(header).values()) == [
        *("account.id", "resource.type", "resource.name", "entitlement.name", "entitlement.display_name"),
        *("entitlement.slug", "entitlement.description", "row.kind"),
    ]


def test_the_shape_of_entitlements() -> None:
    proposal = propose(["Resource Type", "Resource Name", "Entitlement", "Name"])
    assert proposal.layout == "entitlements"
    assert [rule.to for rule in proposal.mapping.columns] == ["resource.type", "resource.name", "entitlement.name"]


def test_a_single_column_of_entitlements() -> None:
    proposal = propose(["member", "group_id"])
    assert {rule.source: rule.to for rule in proposal.mapping.columns} == {
        "member": "account.id",
        "group_id": "entitlement.name",
    }
    assert proposal.mapping.constants == (("resource.type", "group"),)


def test_type_is_the_accounts_type_where_no_row_names_an_entitlement() -> None:
    assert targets("User ID,Type")["Type"] == "account.type"


def test_the_first_of_two_columns_for_one_target_is_taken_and_the_other_explained() -> None:
    proposal = propose(["User ID", "Email", "Work Email"])
    assert {rule.source for rule in proposal.mapping.columns} == {"User ID", "Email"}
    assert proposal.reasons[2][:2] == ("Work Email", None)


def test_every_column_has_a_reason() -> None:
    columns = ["User ID", "Email", "Shoe size", "Groups"]
    assert [(column, to) for column, to, _ in propose(columns).reasons] == [
        ("User ID", "account.id"),
        ("Email", "account.email"),
        ("Shoe size", None),
        ("Groups", "entitlements"),
    ]
    assert all(reason.endswith(".") for _, _, reason in propose(columns).reasons)


@pytest.mark.parametrize("header", ["email,name", "Username,Full Name", "group_id,email", "foo", ""])
def test_a_header_without_a_key_is_refused_and_never_guessed(header: str) -> None:
    columns = header.split(",")
    with pytest.raises(HeaderMissing) as refused:
        propose(columns)
    assert all(repr(column) in refused.value.message for column in columns)
    assert "account.id" in refused.value.remedy
    assert not known_header(columns)


def test_a_first_line_of_data_is_hinted_at() -> None:
    with pytest.raises(HeaderMissing, match="looks like data"):
        propose(["A001", "person01@example.com"])


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("user_id^email^name", "With the delimiter '\\^' it would have 3"),
        ("user_id\x01email", "would have 2"),
        ("USER ID   EMAIL     NAME", "fixed width"),
    ],
)
def test_one_column_that_looks_like_several_is_hinted_at(header: str, words: str) -> None:
    with pytest.raises(HeaderMissing, match=words):
        propose([header])


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_every_layout_is_recognized_and_gives_a_valid_mapping(layout: object) -> None:
    from grantline.mapping.layouts import Layout

    assert isinstance(layout, Layout)
    columns = list(dict.fromkeys([*layout.needs, *([] if layout.only else [r.source for r in layout.columns])]))
    assert recognize(columns) is layout
    proposal = propose(columns)
    assert proposal.layout == layout.name
    assert load(proposal.mapping.to_document()) == proposal.mapping


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_a_layout_tolerates_other_spellings_and_more_columns(layout: object) -> None:
    from grantline.mapping.layouts import Layout

    assert isinstance(layout, Layout)
    columns = [name.upper() + " [READ ONLY]" for name in layout.needs] + ([] if layout.only else ["Shoe size"])
    assert propose(columns).layout == layout.name


def test_known_names_are_targets() -> None:
    assert all(target(name) is not None for name in (*NAMES.values(), *PROFILE_NAMES.values()))
    assert all(folded(name) == name for name in (*NAMES, *KEY_NAMES, *PROFILE_NAMES))


def test_targets_describe_themselves() -> None:
    assert [found.name for found in TARGETS.values() if found.required] == ["account.id"]
    assert all(found.description.endswith(".") for found in TARGETS.values())
    assert all(found.label for found in TARGETS.values())


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("Groups", "group"),
        ("memberOf", "group"),
        ("ROLE", "role"),
        ("site_role", "site_role"),
        ("Cost pools", "cost_pools"),
    ],
)
def test_the_type_that_a_header_suggests(header: str, kind: str) -> None:
    assert resource_type_of(header) == kind
