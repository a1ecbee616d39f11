"""The c1z file connector's input, as one CSV."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from grantline.reading import Reading, read_records
from grantline.reading.file_connector import folded, is_flat, is_workbook

HEAD = (
    "record_type,id,display_name,email,type,resource_type,resource_id,entitlement_slug,principal_id,"
    "principal_resource_id,principal_entitlement_slug,inherited_resource_id,inherited_entitlement_slug,"
    "inheritance_depth\n"
)
BASE = (
    "user,u1,Ada,ada@example.com,Human,,,,,,,,,\n"
    "resource,r1,Billing,,,App,,,,,,,,\n"
    "resource,r2,Ledger,,,App,,,,,,,,\n"
    "entitlement,,Reader,,,,r1,read,,,,,,\n"
    "entitlement,,Writer,,,,r2,write,,,,,,\n"
    "direct_user_grant,,,,,,r1,read,u1,,,,,\n"
)


def read(con: duckdb.DuckDBPyConnection, tmp_path: Path, rows: str) -> Reading:
    path = tmp_path / "input.csv"
    path.write_text(HEAD + rows)
    return read_records(path, None, con, tmp_path)


def grants(con: duckdb.DuckDBPyConnection, found: Reading) -> list[tuple[str, str, str, str]]:
    return con.execute(
        f"SELECT a.id, e.resource_type, e.resource, e.entitlement FROM {found.records.grants} g"
        f" JOIN {found.records.accounts} a ON a.n = g.account"
        f" JOIN {found.records.entitlements} e ON e.n = g.entitlement ORDER BY ALL"
    ).fetchall()


def test_headers_compare_without_case_spaces_and_underscores() -> None:
    assert {folded(name) for name in ("Entitlement Slug", "entitlement_slug", "ENTITLEMENT-SLUG")} == {
        "entitlementslug",
    }


@pytest.mark.parametrize(
    ("columns", "flat"),
    [
        (["Record Type", "ID", "Entitlement Slug"], True),
        (["record_type", "id", "resource_type"], True),
        (["record_type", "id"], False),
        (["id", "entitlement_slug"], False),
    ],
)
def test_the_csv_is_known_by_its_header(columns: list[str], flat: bool) -> None:
    assert is_flat(columns) is flat


@pytest.mark.parametrize(
    ("sheets", "known"),
    [
        (["Users", "Resources", "Entitlements"], True),
        (["users", "resources", "Direct User Grants"], True),
        (["Users", "Resources"], False),
        (["Users", "Entitlements"], False),
    ],
)
def test_the_workbook_is_known_by_its_sheets(sheets: list[str], known: bool) -> None:
    assert is_workbook(sheets) is known


def test_record_types_become_accounts_entitlements_and_grants(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    found = read(con, tmp_path, BASE)
    assert found.table.format.layout == "file-connector"
    assert grants(con, found) == [("u1", "app", "r1", "read")]
    assert con.execute(f"SELECT id, type FROM {found.records.accounts}").fetchall() == [("u1", "person")]
    assert con.execute(f"SELECT count(*) FROM {found.records.entitlements}").fetchall() == [(2,)]


@pytest.mark.parametrize(("depth", "further"), [("full", True), ("direct", False)])
def test_inherited_entitlements_are_given_too(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, depth: str, further: bool
) -> None:
    rows = (
        BASE + "resource,r3,Vault,,,App,,,,,,,,\nentitlement,,Opener,,,,r3,open,,,,,,\n"
        f"grant_inheritance_mapping,,,,,,,,,r1,read,r2,write,{depth}\n"
        f"grant_inheritance_mapping,,,,,,,,,r2,write,r3,open,{depth}\n"
    )
    found = grants(con, read(con, tmp_path, rows))
    assert [grant[2] for grant in found] == (["r1", "r2", "r3"] if further else ["r1", "r2"])


def test_a_circle_of_inheritance_ends(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    rows = (
        BASE + "grant_inheritance_mapping,,,,,,,,,r1,read,r2,write,full\n"
        "grant_inheritance_mapping,,,,,,,,,r2,write,r1,read,full\n"
    )
    assert [grant[2] for grant in grants(con, read(con, tmp_path, rows))] == ["r1", "r2"]


def test_an_unknown_record_type_is_told_with_its_line(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    found = read(con, tmp_path, BASE + "vampire,v1,,,,,,,,,,,,\n")
    (issue,) = found.records.issues
    assert (issue.code, issue.line, issue.column, issue.value) == ("value_invalid", 8, "record_type", "vampire")
    assert found.records.rows_rejected == 1
