from __future__ import annotations

from collections.abc import Callable

import duckdb
import pytest

from grantline.mapping.entitlements import split
from grantline.mapping.sql import literal

from .conftest import Mapped

Map = Callable[..., Mapped]


@pytest.mark.parametrize(
    ("text", "separator", "parts"),
    [
        ("a,b", ",", ["a", "b"]),
        ("a;b", None, ["a;b"]),
        ("CN=a,DC=x;CN=b\\, y,DC=x", ";", ["CN=a,DC=x", "CN=b\\, y,DC=x"]),
        ("a\\;b;c", ";", ["a\\;b", "c"]),
        ("a\\\\;b", ";", ["a\\\\", "b"]),
        ("a;b\\", ";", ["a", "b\\"]),
        ("a\\b]c", "]", ["a\\b", "c"]),
        ("a^b\\^c", "^", ["a", "b\\^c"]),
        ("a, b", ", ", ["a", "b"]),
        ("a\\\nb|c", "|", ["a\\\nb", "c"]),
    ],
)
def test_split(con: duckdb.DuckDBPyConnection, text: str, separator: str | None, parts: list[str]) -> None:
    assert con.execute(f"SELECT {split(literal(text), separator)}").fetchone() == (parts,)


def test_list_values_are_trimmed_and_taken_once(mapped: Map) -> None:
    rule = {"to": "entitlements", "resource_type": "group", "split": ";"}
    found = mapped({"id": "account.id", "g": rule}, [["A1", " a ;; b;a; \u00a0;"], ["A2", None], ["A3", "a"]])
    assert found.grants() == {("A1", "group", "a", "a"), ("A1", "group", "b", "b"), ("A3", "group", "a", "a")}
    assert set(found.column("id")) == {"A1", "A2", "A3"}


def test_columns_of_other_types_stay_apart(mapped: Map) -> None:
    columns = {"id": "account.id", "Roles": {"to": "entitlements", "split": "|"}, "Profiles": "entitlements"}
    found = mapped(columns, [["A1", "x|y", "x"]])
    assert found.entitlements() == {("role", "x", "x"), ("role", "y", "y"), ("profile", "x", "x")}


def test_a_constant_gives_the_type_of_lists(mapped: Map) -> None:
    found = mapped({"id": "account.id", "What": "entitlements"}, [["A1", "x"]], constants={"resource.type": "licence"})
    assert found.entitlements() == {("licence", "x", "x")}


def test_composite_values(mapped: Map) -> None:
    rule = {"to": "entitlements", "resource_type": "site", "split": "|", "parts": ":"}
    found = mapped({"id": "account.id", "s": rule}, [["A1", "LON:approver| PAR : viewer |none|:x|y:"]])
    assert found.entitlements() == {
        *(("site", "LON", "approver"), ("site", "PAR", "viewer")),
        *(("site", "none", "none"), ("site", ":x", ":x"), ("site", "y:", "y:")),
    }


def test_a_list_and_a_grant_in_one_row(mapped: Map) -> None:
    columns = {"id": "account.id", "role": "entitlement.name", "groups": {"to": "entitlements", "split": ","}}
    found = mapped(columns, [["A1", "reader", "a,b"], ["A1", "writer", None]])
    assert {(kind, name) for _, kind, _, name in found.grants()} == {
        *(("role", "reader"), ("role", "writer"), ("group", "a"), ("group", "b")),
    }


def test_a_list_with_the_dates_of_its_grants(mapped: Map) -> None:
    columns = {"id": "account.id", "role": "entitlements", "until": "grant.expires_at"}
    found = mapped(columns, [["A1", "reader", "2026-01-07"], ["A1", "writer", None]])
    dates = found.rows(
        f"SELECT e.entitlement, g.expires_at FROM {found.records.grants} g"
        f" JOIN {found.records.entitlements} e ON e.n = g.entitlement ORDER BY 1"
    )
    assert dates == [("reader", "2026-01-07"), ("writer", None)]


def test_identity_parts_that_the_mapping_leaves_out(mapped: Map) -> None:
    assert mapped({"u": "account.id", "Group Name": "resource.name"}, [["A1", "ops"]]).entitlements() == {
        ("group", "ops", "ops")
    }


def test_composed_and_decomposed_letters_are_one_name(mapped: Map) -> None:
    found = mapped({"u": "account.id", "g": "entitlement.name"}, [["A1", "M\u00fc"], ["A2", "Mu\u0308"]])
    assert found.entitlements() == {("g", "M\u00fc", "M\u00fc")}
    assert len(found.grants()) == 2
