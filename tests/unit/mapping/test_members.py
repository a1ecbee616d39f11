"""One row per group, its members in one cell."""

from __future__ import annotations

from collections.abc import Callable

import duckdb
import pytest

from grantline.mapping.apply import apply
from grantline.mapping.document import load
from grantline.mapping.source import Unproven

from .conftest import Mapped, table_of

Map = Callable[..., Mapped]

GROUPS = {"Group": "resource.name", "Members": {"to": "members", "split": ";"}}
CONSTANTS = {"constants": {"resource.type": "team", "entitlement.name": "member"}}


def test_each_member_gets_the_entitlement(mapped: Map) -> None:
    found = mapped(GROUPS, [["Staff", "ada;bob"], ["Leads", "ada"]], **CONSTANTS)
    assert {(account, group) for account, _, group, _ in found.grants()} == {
        *(("ada", "Staff"), ("bob", "Staff"), ("ada", "Leads")),
    }
    assert found.records.rows_read == 2


@pytest.mark.parametrize("members", [None, ";", " ; "])
def test_a_group_without_members_is_still_defined(mapped: Map, members: str | None) -> None:
    found = mapped(GROUPS, [["Staff", members], ["Leads", "ada"]], **CONSTANTS)
    assert {resource for _, resource, _ in found.entitlements()} == {"Staff", "Leads"}
    assert found.found() == []


def test_an_issue_names_the_row_of_the_file(mapped: Map) -> None:
    found = mapped(GROUPS, [["Staff", "ada;bob"], [None, "eve;mallory"]], **CONSTANTS)
    assert {(issue.row, issue.line) for issue in found.records.issues} == {(2, 3)}


def test_rows_that_nobody_has_counted_cannot_be_unfolded(con: duckdb.DuckDBPyConnection) -> None:
    from dataclasses import replace

    table = replace(table_of(con, ["Group", "Members"], [["Staff", "ada"]]), expected_count=lambda: 1)
    columns = [{"source": "Group", "to": "resource.name"}, {"source": "Members", "to": "members", "split": ";"}]
    with pytest.raises(Unproven):
        apply(con, table, load({"columns": columns, **CONSTANTS}))
