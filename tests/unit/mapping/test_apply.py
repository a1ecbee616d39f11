from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import duckdb
import pytest

from grantline.errors import FileEmpty, HeaderDuplicate, HeaderMissing, MappingInvalid
from grantline.formats.table import Table
from grantline.issues import Issue
from grantline.mapping.apply import apply, drop
from grantline.mapping.document import load
from grantline.mapping.findings import KEPT_ISSUES

from .conftest import Mapped, table_of

Map = Callable[..., Mapped]

GRANTS = {
    "User ID": "account.id",
    "Email": "account.email",
    "Resource Type": "resource.type",
    "Resource": "resource.name",
    "Entitlement": "entitlement.name",
}


def test_a_row_per_grant_becomes_pairs(mapped: Map) -> None:
    rows = [
        ["A1", "person01@example.com", "role", "Billing", "reader"],
        ["A1", None, "role", "Billing", "admin"],
        [" A1 ", None, "role", "Billing\u00a0", "admin"],
        ["A2", None, None, None, None],
    ]
    found = mapped(GRANTS, rows)
    assert found.grants() == {("A1", "role", "Billing", "reader"), ("A1", "role", "Billing", "admin")}
    assert found.column("email") == {"A1": "person01@example.com", "A2": None}
    assert found.records.resource_count == 1
    assert (found.records.rows_read, found.records.rows_rejected, found.records.issues) == (4, 0, ())


def test_what_the_file_speaks_about_is_stated(mapped: Map) -> None:
    columns = {**GRANTS, "Country": "profile.country", "Kind": "row.kind", "Until": "grant.expires_at"}
    found = mapped(columns, [["A1", None, "role", "b", "c", "NA", None, None]])
    assert found.records.stated == {
        *("account.id", "account.email", "account.profile.country"),
        *("resource.type", "resource.name", "entitlement.name", "grant.expires_at"),
    }


def test_a_refused_row_leaves_nothing_but_an_unconfirmed_account(mapped: Map) -> None:
    rows = [
        ["A1", "person01@example.com", "role", "Billing", "reader"],
        ["A2", "bad", "role", "Payroll", "admin"],
        ["A3", None, "role", None, "admin"],
        [None, None, "role", "Payroll", "owner"],
    ]
    found = mapped(GRANTS, rows)
    assert found.found() == [
        ("value_invalid", "error", 2),
        ("row_key_missing", "error", 3),
        ("row_key_missing", "error", 4),
    ]
    assert set(found.column("id")) == {"A1"}
    assert found.entitlements() == {("role", "Billing", "reader")}
    assert found.unconfirmed() == {"A2", "A3"}
    assert found.records.rows_rejected == 3


def test_an_account_keeps_its_good_rows_and_is_unconfirmed(mapped: Map) -> None:
    rows = [["A1", None, "role", "b", "reader"], ["A1", None, "role", None, "admin"]]
    found = mapped(GRANTS, rows)
    assert found.grants() == {("A1", "role", "b", "reader")}
    assert found.unconfirmed() == {"A1"}


def test_rows_that_contradict_each_other_are_all_refused(mapped: Map) -> None:
    rows = [["A1", "person01@example.com", "role", "b", "c"], ["A2", None, "role", "b", "d"]]
    rows += [["A1", "person02@example.com", "role", "b", "c"]]
    for order in (rows, rows[::-1]):
        found = mapped(GRANTS, order)
        assert {row for _, _, row in found.found()} == {1, 3}
        assert set(found.column("id")) == {"A2"}
        assert found.entitlements() == {("role", "b", "d")}
        assert found.unconfirmed() == {"A1"}
        assert "is in the rows 1, 3, which differ in Email" in found.records.issues[0].message


def test_a_blank_attribute_contradicts_only_where_a_row_is_an_account(mapped: Map) -> None:
    rows = [["A1", "person01@example.com"], ["A1", None]]
    assert mapped({"id": "account.id", "mail": "account.email"}, rows).records.rows_rejected == 2
    grants = [[*row, "role", "b", name] for row, name in zip(rows, "xy", strict=True)]
    assert mapped(GRANTS, grants).records.rows_rejected == 0


def test_addresses_that_differ_by_case_do_not_contradict(mapped: Map) -> None:
    rows = [["A1", "Person01@example.com", "r", "b", "c"], ["A1", "person01@example.com", "r", "b", "d"]]
    assert mapped(GRANTS, rows).records.rows_rejected == 0


def test_ids_that_differ_by_case_are_one_account_unless_case_matters(mapped: Map) -> None:
    rows = [["a1", None], ["A1", None]]
    columns = {"id": "account.id", "mail": "account.email"}
    assert [issue.code for issue in mapped(columns, rows).records.issues] == ["row_key_duplicate"] * 2
    columns["id"] = {"to": "account.id", "case": "sensitive"}  # type: ignore[assignment]
    assert set(mapped(columns, rows).column("id")) == {"a1", "A1"}


def test_row_kinds_define_or_give(mapped: Map) -> None:
    rows = [
        [None, None, "role", "b", "defined", "Entitlement"],
        ["A9", None, "role", "b", "also", "ENTITLEMENT"],
        ["A1", None, "role", "b", "given", "Grant"],
        ["A1", None, "role", "b", "plain", None],
        ["A2", None, "role", "b", "odd", "Other"],
    ]
    found = mapped({**GRANTS, "Type": "row.kind"}, rows)
    assert {name for _, _, name in found.entitlements()} == {"defined", "also", "given", "plain"}
    assert {name for _, _, _, name in found.grants()} == {"given", "plain"}
    assert set(found.column("id")) == {"A1"}
    assert found.found() == [("value_invalid", "error", 5)]


def test_definitions_need_no_account(mapped: Map) -> None:
    columns = {"type": "resource.type", "name": "entitlement.name", "text": "entitlement.description"}
    found = mapped(columns, [["role", "reader", "Reads"], ["role", None, "Nothing"], [None, None, None]])
    assert found.entitlements() == {("role", "reader", "reader")}
    assert found.found() == [("row_key_missing", "error", 2)]
    assert found.records.rows_read == 2


def test_details_that_differ_are_said_and_do_not_depend_on_the_order(mapped: Map) -> None:
    columns = {"type": "resource.type", "name": "entitlement.name", "text": "entitlement.description"}
    rows = [["role", "reader", "b"], ["role", "reader", "a"], ["role", "reader", None]]
    for order in (rows, rows[::-1]):
        found = mapped(columns, order)
        assert found.rows(f"SELECT description FROM {found.records.entitlements}") == [("a",)]
        assert found.found() == [("row_key_duplicate", "warning", None)]


def test_several_periods_of_a_grant_are_one(mapped: Map) -> None:
    columns = {"u": "account.id", "r": "entitlement.name", "a": "grant.granted_at", "z": "grant.expires_at"}
    rows = [["A1", "r", "2026-02-01", "2026-03-01"], ["A1", "r", "2026-01-01", "2026-02-01"]]
    rows += [["A2", "r", None, "2026-02-01"], ["A2", "r", "2026-01-01", None], ["A3", "r", "x", None]]
    found = mapped(columns, rows, constants={"resource.type": "role"})
    dates = found.rows(
        f"SELECT id, granted_at, expires_at FROM {found.records.grants} JOIN {found.records.accounts} ON n = account"
        " ORDER BY id"
    )
    assert dates == [("A1", "2026-01-01", "2026-03-01"), ("A2", "2026-01-01", None), ("A3", None, None)]
    assert found.found() == [("value_invalid", "warning", 5)]


def test_a_constant_entitlement_is_given_to_every_account(mapped: Map) -> None:
    found = mapped({"id": "account.id"}, [["A1"], ["A2"]], constants={"resource.type": "g", "resource.name": "ops"})
    assert found.grants() == {("A1", "g", "ops", "ops"), ("A2", "g", "ops", "ops")}


def test_the_profile_is_sorted_json_or_nothing(mapped: Map) -> None:
    columns = {"id": "account.id", "z": "profile.zone", "a": 'profile.a "b"'}
    found = mapped(columns, [["A1", "x\ny", "1"], ["A2", None, None]])
    assert found.column("profile") == {"A1": '{"a \\"b\\"":"1","zone":"x\\ny"}', "A2": None}


def test_account_types(mapped: Map) -> None:
    rows = [["A1", "Service"], ["A2", "SYSTEM"], ["A3", "Contractor"], ["A4", None]]
    found = mapped({"id": "account.id", "kind": "account.type"}, rows)
    assert found.column("type") == {"A1": "service", "A2": "system", "A3": "person", "A4": "person"}


def test_conditions_choose_rows(mapped: Map) -> None:
    rows = [["A1", None], ["A2", "2026-01-01"], ["A3", " "]]
    found = mapped({"id": "account.id", "gone": None}, rows, where=[{"column": "gone", "is": "empty"}])
    assert set(found.column("id")) == {"A1", "A3"}
    assert found.records.rows_read == 3
    assert found.records.notes == ("Rows left out by the mapping's conditions (where): 1.",)


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        ({"is": "filled"}, {"A1", "A2"}),
        ({"equals": "x"}, {"A1"}),
        ({"differs": "x"}, {"A2", "A3"}),
        ({"in": ["x", "y"]}, {"A1", "A2"}),
        ({"not_in": ["y"]}, {"A1", "A3"}),
    ],
)
def test_each_operator_changes_the_result(mapped: Map, condition: dict[str, object], kept: set[str]) -> None:
    rows = [["A1", "x"], ["A2", " y"], ["A3", None]]
    found = mapped({"id": "account.id", "k": None}, rows, where=[{"column": "k", **condition}])
    assert set(found.column("id")) == kept


def test_mode_delta_keeps_removals_apart(mapped: Map) -> None:
    columns = {"u": "account.id", "g": "entitlement.name", "op": "row.op"}
    rows = [["A1", "ops", None], ["A1", "dev", "Delete"], ["A2", None, "D"], ["A3", "ops", "?"]]
    found = mapped(columns, rows, mode="delta", constants={"resource.type": "group"})
    names = found.rows(
        f"SELECT a.id, e.entitlement FROM {found.records.removals} r JOIN {found.records.accounts} a ON a.n = account"
        f" LEFT JOIN {found.records.entitlements} e ON e.n = r.entitlement ORDER BY ALL"
    )
    assert names == [("A1", "dev"), ("A2", None)]
    assert {grant[3] for grant in found.grants()} == {"ops"}
    assert found.found() == [("value_invalid", "error", 4)]
    assert found.records.mode == "delta"


def test_mode_delta_removes_accounts_of_a_file_of_accounts(mapped: Map) -> None:
    found = mapped({"u": "account.id", "op": "row.op"}, [["A1", "U"], ["A2", "remove"]], mode="delta")
    query = f"SELECT id, entitlement FROM {found.records.removals} JOIN {found.records.accounts} ON n = account"
    assert found.rows(query) == [("A2", None)]


def test_rows_that_the_reader_doubts_are_present(con: duckdb.DuckDBPyConnection) -> None:
    table = table_of(con, ["id"], [["A1"]])
    con.execute("CREATE TEMP TABLE doubt AS SELECT 2::BIGINT AS \"row\", ' A2' AS c0")
    issue = Issue("row_width", "Two cells.", row=2)
    doubtful = Table(
        table.format, table.columns, table.rows, table.numbered, table.places, "doubt", (issue,), rejected_count=1
    )
    found = apply(con, doubtful, load({"columns": [{"source": "id", "to": "account.id"}]}))
    assert con.execute(f"SELECT id FROM {found.unconfirmed}").fetchall() == [("A2",)]
    assert (found.rows_read, found.rows_rejected, found.issues) == (2, 1, (replace(issue, record=(("id", "x9"),)),))
    assert found.issue_counts == {"row_width": 1}


def test_issues_are_kept_up_to_a_limit_and_all_counted(con: duckdb.DuckDBPyConnection) -> None:
    many = KEPT_ISSUES + 5
    con.execute(
        f"CREATE TEMP TABLE raw AS SELECT range + 1 AS \"row\", range::VARCHAR AS c0, 'bad' AS c1 FROM range({many})"
    )
    table = table_of_numbered("raw")
    mapping = load({"columns": [{"source": "id", "to": "account.id"}, {"source": "mail", "to": "account.email"}]})
    found = apply(con, table, mapping)
    assert len(found.issues) == KEPT_ISSUES
    assert [issue.row for issue in found.issues[:2]] == [1, 2]
    assert found.issue_counts == {"value_invalid": many}
    assert found.rows_rejected == many


def table_of_numbered(name: str) -> Table:
    from grantline.formats.table import Format

    return Table(Format("csv"), ("id", "mail"), f'(SELECT * EXCLUDE ("row") FROM {name})', name, lambda rows: {})


def test_only_the_final_tables_stay(con: duckdb.DuckDBPyConnection, mapped: Map) -> None:
    found = mapped(GRANTS, [["A1", "bad", "role", "b", "c"], ["A2", None, "role", "b", "c"]])
    tables = {row[0] for row in found.rows("SELECT table_name FROM duckdb_tables()")} - {"raw"}
    assert tables == {"map_accounts", "map_entitlements", "map_grants", "map_unconfirmed"}
    drop(con, found.records)
    assert found.rows("SELECT table_name FROM duckdb_tables()") == [("raw",)]


def test_hostile_headers_and_words_stay_data(mapped: Map) -> None:
    header = "id'; DROP TABLE raw; --"
    columns = {
        header: {"to": "account.id", "nulls": ["x' OR '1'='1"], "map": {"a'b": "c''d"}},
        'p"': 'profile."); DROP TABLE raw; --',
    }
    found = mapped(columns, [["a'b", "1"], ["' OR 1=1 --", "'"]])
    assert set(found.column("id")) == {"c''d", "' OR 1=1 --"}


def test_a_mapped_column_that_is_absent_is_named_with_its_near_match(mapped: Map) -> None:
    with pytest.raises(HeaderMissing) as refused:
        apply_to(["user_id", "manager id"], {"user_id": "account.id", "manager_id": "account.manager_id"})
    assert "found near match 'manager id'" in refused.value.message
    assert refused.value.column == "manager_id"


def test_a_mapped_column_that_is_there_twice_is_refused() -> None:
    with pytest.raises(HeaderDuplicate, match="columns 2 and 3"):
        apply_to(["id", "role", "role"], {"id": "account.id", "role": "entitlement.name"})


def test_headers_compare_trimmed_and_in_one_unicode_form() -> None:
    apply_to(["\u200bid\u00a0", "Gro\u0308\u00dfe"], {"id": "account.id", "Gr\u00f6\u00dfe": "profile.size"})


@pytest.mark.parametrize(
    "columns",
    [
        {"id": "account.id", "t": "entitlement.slug"},
        {"id": "account.id", "t": "grant.expires_at"},
        {"id": "account.id", "t": "row.kind"},
        {"id": "account.id", "t": "resource.type"},
        {"t": "entitlement.name", "id": "entitlements"},
    ],
)
def test_targets_without_effect_are_refused(columns: dict[str, str]) -> None:
    with pytest.raises(MappingInvalid):
        apply_to(list(columns), columns)


def test_a_file_of_blank_rows_is_empty(mapped: Map) -> None:
    with pytest.raises(FileEmpty):
        mapped({"id": "account.id", "mail": "account.email"}, [[None, " "], [None, None]])


def apply_to(header: list[str], columns: dict[str, str]) -> None:
    con = duckdb.connect()
    rules = [{"source": source, "to": to} for source, to in columns.items()]
    apply(con, table_of(con, header, [["x"] * len(header)]), load({"columns": rules}))
