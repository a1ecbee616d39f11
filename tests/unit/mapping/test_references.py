"""Rows that refer to nothing, and accounts that several parts describe: where they are and what is said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import duckdb
import pytest

from grantline.formats.table import Place
from grantline.mapping import references
from grantline.mapping.apply import map_source
from grantline.mapping.combine import Part
from grantline.mapping.document import load
from grantline.mapping.others import Others, titles
from grantline.mapping.references import Dangling, Numbers, conflicting, dangling
from tests.unit.mapping.conftest import Rows, table_of

MAPPING = load(
    {
        "version": 1,
        "columns": [{"source": "User", "to": "account.id"}, {"source": "Role", "to": "entitlement.name"}],
        "constants": {"resource.type": "role"},
    }
)
USERS = load(
    {
        "version": 1,
        "columns": [{"source": "User", "to": "account.id"}, {"source": "Mail", "to": "account.email"}],
    }
)
ROWS = [["Z9", "reader"], ["A1", "reader"], ["Z9", "writer"], ["A1", "ghost"]]


def part_of(con: duckdb.DuckDBPyConnection, rows: Rows, *, is_sheet: bool = False) -> Part:
    table = table_of(con, ["User", "Role"], rows)
    if is_sheet:
        table = replace(table, places=lambda numbers: {n: Place(sheet="Users", sheet_row=n + 1) for n in numbers})
    records, work = map_source(con, table, MAPPING, "part_")
    return Part("members.csv", records, work, is_sheet)


def numbers_of(con: duckdb.DuckDBPyConnection, part: Part, *, doubtful: Sequence[str] = ()) -> Numbers:
    """A1 and all roles but the ghost are known."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE numbers AS SELECT 0 AS part, n AS here, id, lower(id) AS key,"
        f" CASE WHEN id = 'A1' THEN n END AS n FROM {part.records.accounts}"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE given AS SELECT 0 AS part, n AS here, resource_type, resource, entitlement,"
        f" CASE WHEN entitlement <> 'ghost' THEN n END AS n FROM {part.records.entitlements}"
    )
    con.execute("CREATE OR REPLACE TEMP TABLE unlisted (id VARCHAR)")
    con.execute("CREATE OR REPLACE TEMP TABLE doubtful (key VARCHAR)")
    con.executemany("INSERT INTO doubtful VALUES (?)", [["-"], *([key] for key in doubtful)])
    return Numbers("numbers", "given", "(FROM doubtful)", part.records.accounts, "unlisted")


def unlisted(con: duckdb.DuckDBPyConnection) -> set[str]:
    return {row[0] for row in con.execute("FROM unlisted").fetchall()}


def test_each_row_is_reported_in_the_order_of_the_file(con: duckdb.DuckDBPyConnection) -> None:
    part = part_of(con, ROWS)
    found = dangling(con, part, numbers_of(con, part), Others())
    assert [(issue.row, issue.line, issue.column, issue.value, issue.file) for issue in found.issues] == [
        (1, 2, "User", "Z9", "members.csv"),
        (3, 4, "User", "Z9", "members.csv"),
        (4, 5, "Role", "ghost", "members.csv"),
    ]
    assert (found.count, found.rejected, found.unlisted) == (3, 3, 0)
    assert "an orphan account" in found.issues[0].message
    assert "nothing defines it" in found.issues[2].message
    assert found.issues[0].record is not None
    assert unlisted(con) == set()


def test_where_others_could_list_it_they_are_named_and_the_accounts_remembered(con: duckdb.DuckDBPyConnection) -> None:
    part = part_of(con, ROWS)
    others = Others("x", ("hr.csv", "leavers.csv"), "y", ("roles.csv",), ("role",))
    found = dangling(con, part, numbers_of(con, part), others)
    assert found.unlisted == found.rejected == 3
    assert "(hr.csv or leavers.csv)" in found.issues[0].message
    assert found.issues[2].remedy == "Add the entitlement to roles.csv, or remove the row."
    assert unlisted(con) == {"Z9", "A1"}


def test_accounts_in_doubt_are_reported_elsewhere(con: duckdb.DuckDBPyConnection) -> None:
    part = part_of(con, ROWS)
    found = dangling(con, part, numbers_of(con, part, doubtful=["z9"]), Others())
    assert [issue.value for issue in found.issues] == ["ghost"]


def test_a_sheet_names_the_cell_and_no_file(con: duckdb.DuckDBPyConnection) -> None:
    part = part_of(con, ROWS, is_sheet=True)
    issue = dangling(con, part, numbers_of(con, part), Others()).issues[0]
    assert (issue.cell, issue.file) == ("Users!A2", None)


def test_all_are_counted_and_the_first_kept(con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(references, "KEPT_ISSUES", 2)
    part = part_of(con, [[f"Z{number}", "reader"] for number in range(5)])
    found = dangling(con, part, numbers_of(con, part), Others())
    assert (len(found.issues), found.count, found.rejected) == (2, 5, 5)


def test_a_definition_refers_to_nothing(con: duckdb.DuckDBPyConnection) -> None:
    roles = load({"version": 1, "columns": [{"source": "Role", "to": "entitlement.name"}]})
    records, work = map_source(con, table_of(con, ["Role"], [["reader"]]), roles, "part_")
    part = Part("roles.csv", records, work)
    assert dangling(con, part, Numbers("-", "-", "-", "-", "-"), Others()) == Dangling()


def test_copies_that_differ_name_each_other(con: duckdb.DuckDBPyConnection) -> None:
    parts = []
    for name, mail in (("one", "a@example.com"), ("two", "b@example.com")):
        table = table_of(con, ["User", "Mail"], [["B2", None], ["A1", mail]])
        con.execute(f"CREATE TEMP TABLE raw_{name} AS FROM raw")
        own = replace(table, rows=f'(SELECT * EXCLUDE ("row") FROM raw_{name})', numbered=f"raw_{name}")
        records, work = map_source(con, own, USERS, f"{name}_")
        parts.append(Part(f"{name}.csv", records, work))
    differences: Callable[[Sequence[str]], dict[str, str]] = lambda keys: dict.fromkeys(keys, "Mail")  # noqa: E731
    found = conflicting(con, parts, "(SELECT 'a1' AS key)", differences)
    assert found.count == 2
    assert [(issue.file, issue.row, issue.code) for issue in found.issues] == [
        ("one.csv", 2, "row_key_duplicate"),
        ("two.csv", 2, "row_key_duplicate"),
    ]
    assert "is in one.csv record 2, two.csv record 2, which differ in Mail" in found.issues[0].message


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("a",), "a"),
        (("a", "b"), "a or b"),
        (("a", "b", "c"), "a, b or c"),
        (("a", "b", "c", "d", "e"), "a, b, c or 2 more"),
    ],
)
def test_the_imports_a_message_names(names: tuple[str, ...], words: str) -> None:
    assert titles(names) == words
