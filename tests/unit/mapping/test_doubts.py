"""What is accepted and still deserves a look."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .conftest import Mapped

Map = Callable[..., Mapped]

ROSTER = {"User ID": "account.id", "Email": "account.email"}
GRANTS = {"User ID": "account.id", "Group": "resource.name"}
OF_GROUPS = {"constants": {"resource.type": "group", "entitlement.name": "member"}}
DEFINED = {"Kind": "resource.type", "Group": "resource.name", "Right": "entitlement.name"}
COMPOSED, DECOMPOSED = "Caf\u00e9", "Cafe\u0301"


def test_addresses_that_differ_by_letter_case_are_warned_of(mapped: Map) -> None:
    found = mapped(ROSTER, [["A1", "ada@example.com"], ["A2", "bob@example.com"], ["A3", "Ada@example.com"]])
    assert found.found() == [("row_key_duplicate", "warning", 1), ("row_key_duplicate", "warning", 3)]
    assert [(issue.line, issue.column, issue.value) for issue in found.records.issues] == [
        (2, "Email", "ada@example.com"),
        (4, "Email", "Ada@example.com"),
    ]
    assert set(found.column("email")) == {"A1", "A2", "A3"}


def test_the_same_address_twice_is_no_doubt(mapped: Map) -> None:
    assert mapped(ROSTER, [["A1", "ada@example.com"], ["A2", "ada@example.com"]]).found() == []


@pytest.mark.parametrize(("size", "doubted"), [(999, False), (1000, True), (1001, False), (1500, True)])
def test_a_group_as_large_as_a_page_may_have_been_cut(mapped: Map, size: int, doubted: bool) -> None:
    found = mapped(GRANTS, [[f"A{number}", "Staff"] for number in range(size)], **OF_GROUPS)
    assert found.found() == ([("value_invalid", "warning", None)] if doubted else [])
    assert len(found.grants()) == size


def test_an_entitlement_in_two_unicode_forms_is_defined_once(mapped: Map) -> None:
    rows = [["team", COMPOSED, "member"], ["team", "Other", "member"], ["team", DECOMPOSED, "member"]]
    found = mapped(DEFINED, rows)
    assert found.found() == [("row_key_duplicate", "error", 3)]
    assert found.records.rows_rejected == 1
    assert found.entitlements() == {("team", COMPOSED, "member"), ("team", "Other", "member")}
    (issue,) = found.records.issues
    assert (issue.column, issue.value) == ("Group", COMPOSED)
    assert "in the rows 1 and 3" in issue.message


def test_the_same_form_twice_is_no_second_definition(mapped: Map) -> None:
    rows = [["team", "Ops", COMPOSED], ["team", "Ops", COMPOSED], ["team", "Ops", DECOMPOSED]]
    found = mapped(DEFINED, rows)
    assert found.found() == [("row_key_duplicate", "error", 3)]
    assert found.records.issues[0].column == "Right"


def test_a_grant_in_another_form_is_no_definition(mapped: Map) -> None:
    columns = {"User ID": "account.id", "Type": "row.kind", **DEFINED}
    rows = [
        [None, "Entitlement", "team", COMPOSED, "member"],
        ["A1", "Grant", "team", DECOMPOSED, "member"],
        [None, "Entitlement", "team", DECOMPOSED, "member"],
    ]
    found = mapped(columns, rows)
    assert found.found() == [("row_key_duplicate", "error", 3)]
    assert found.grants() == {("A1", "team", COMPOSED, "member")}
