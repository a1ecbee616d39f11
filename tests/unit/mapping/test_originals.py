from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from grantline.issues import Issue
from grantline.mapping.originals import COLUMNS_KEPT, SHAPE_CHARACTERS, shape_sql
from grantline.reading import read_records

from .conftest import Mapped

Map = Callable[..., Mapped]
Record = tuple[tuple[str, str], ...]

COLUMNS = {"User ID": "account.id", "Email": "account.email", "Name": "account.display_name"}


def only(issues: tuple[Issue, ...]) -> Record:
    (issue,) = issues
    assert issue.record is not None
    return issue.record


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("ada.lovelace@example.com", "xxx.xxxx@xxxx.xxx"),
        ("U0012345", "x9999"),
        ("2026-11-25", "9999-99-99"),
        ("Ünal-Öz  Straße", "xxxx-xx xxxx"),
        ("e\u0301", "xx"),
        ("😀\t12\n☃", "· 99 ·"),
        ("x" * 5000, "xxxx"),
        ("- " * 50, "- " * 19 + "-…"),
        ("  ", "(empty)"),
        ("\u00a0", "(empty)"),
        (None, "(empty)"),
    ],
)
def test_a_masked_cell_has_a_shape_alone(con: duckdb.DuckDBPyConnection, text: str | None, shape: str) -> None:
    (found,) = con.execute(f"SELECT {shape_sql('c')} FROM (SELECT ?::VARCHAR AS c)", [text]).fetchall()[0]
    assert found == shape
    assert len(found) <= SHAPE_CHARACTERS


@pytest.mark.parametrize("pair", [("enabled", "disabled"), ("true", "False"), ("1250000", "99999")])
def test_longer_words_and_numbers_look_the_same(con: duckdb.DuckDBPyConnection, pair: tuple[str, str]) -> None:
    shapes = {con.execute(f"SELECT {shape_sql('c')} FROM (SELECT ? AS c)", [text]).fetchall()[0] for text in pair}
    assert len(shapes) == 1


def test_the_cell_in_question_is_in_clear_and_no_other(mapped: Map) -> None:
    found = mapped(COLUMNS, [["A1", "ada@example.com", "Ada"], ["B22", "nonsense", None]])
    assert only(found.records.issues) == (("User ID", "x99"), ("Email", "nonsense"), ("Name", "(empty)"))


def test_a_blank_cell_in_question_is_empty(mapped: Map) -> None:
    found = mapped(COLUMNS, [["A1", None, None], [None, "ada@example.com", "Ada"]])
    assert only(found.records.issues)[:2] == (("User ID", "(empty)"), ("Email", "xxx@xxxx.xxx"))


def test_a_clean_file_has_no_rows_to_keep(mapped: Map) -> None:
    assert mapped(COLUMNS, [["A1", "ada@example.com", "Ada"]]).records.issues == ()


def test_an_issue_without_a_row_has_no_record(mapped: Map) -> None:
    columns = {"User ID": "account.id", "Group": "resource.name", "Role": "entitlement.name"}
    rows = [[f"A{number}", "Team", "member"] for number in range(1000)]
    found = mapped(columns, rows, constants={"resource.type": "group"})
    assert [(issue.row, issue.record) for issue in found.records.issues] == [(None, None)]


def test_a_wide_row_keeps_its_first_cells_and_the_one_in_question(mapped: Map) -> None:
    columns = {"User ID": "account.id"} | {f"Key {n}": f"profile.k{n}" for n in range(50)} | {"Email": "account.email"}
    found = mapped(columns, [["A1", *["v"] * 50, "nonsense"], [None, *["v"] * 50, "ada@example.com"]])
    first, second = found.records.issues
    assert first.record is not None
    assert second.record is not None
    assert len(first.record) == len(second.record) == COLUMNS_KEPT
    assert first.record[0] == ("User ID", "x9")
    assert first.record[-1] == ("Email", "nonsense")
    assert second.record[-1] == ("Key 28", "x")


def read(con: duckdb.DuckDBPyConnection, tmp_path: Path, name: str, text: str) -> tuple[Issue, ...]:
    path = tmp_path / name
    path.write_text(text)
    return read_records(path, None, con, tmp_path).records.issues


def test_a_row_that_the_reader_refused(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    issues = read(con, tmp_path, "a.csv", "User ID,Email Address,Full Name\nA1,a@example.com,Ada\nB2,secret\n")
    assert only(issues) == (("User ID", "x9"), ("Email Address", "xxxx"), ("Full Name", "(empty)"))


def test_a_row_per_entitlement_is_shown_as_the_file_has_it(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    path = tmp_path / "groups.csv"
    path.write_text('Group,Kind,Members\nAdmins,team,"ada,bob"\n,team,"eve,mallory"\n')
    mapping = {
        "columns": [
            {"source": "Group", "to": "resource.name"},
            {"source": "Kind", "to": "resource.type"},
            {"source": "Members", "to": "members", "split": ","},
        ],
        "constants": {"entitlement.name": "member"},
    }
    issues = read_records(path, mapping, con, tmp_path).records.issues
    assert {issue.record for issue in issues} == {(("Group", "(empty)"), ("Kind", "xxxx"), ("Members", "xxx,xxxx"))}


def test_a_reference_to_nothing_shows_its_own_files_row(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "users.csv").write_text("User ID,Email Address\nA1,ada@example.com\n")
    (folder / "grants.csv").write_text(
        "User ID,Resource Type,Resource Name,Entitlement\nA1,app,Billing,read\nGhost7,app,Billing,read\n"
    )
    issue = only(read_records(folder, None, con, tmp_path).records.issues)
    assert issue == (
        ("User ID", "Ghost7"),
        ("Resource Type", "xxx"),
        ("Resource Name", "xxxx"),
        ("Entitlement", "xxxx"),
    )


def test_a_part_of_a_file_shows_the_files_own_row(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    text = (
        "record_type,id,display_name,email,resource_type,entitlement_slug\n"
        "user,u1,Ada Lovelace,ada@example.com,,\nresource,r1,Billing,,app,\nvampire,v1,Count Orlok,o@example.com,,\n"
    )
    issue = next(issue for issue in read(con, tmp_path, "c.csv", text) if issue.column == "record_type")
    assert issue.record is not None
    assert issue.record[:4] == (
        ("record_type", "vampire"),
        ("id", "x9"),
        ("display_name", "xxxx xxxx"),
        ("email", "x@xxxx.xxx"),
    )
