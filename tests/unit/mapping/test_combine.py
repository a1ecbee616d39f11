"""Several mapped files become one, and refer to each other and to what other imports list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import duckdb
import pytest

from grantline.mapping.apply import map_source
from grantline.mapping.combine import Part, combine, is_resolved
from grantline.mapping.document import load
from grantline.mapping.others import Others
from grantline.mapping.records import References
from tests.unit.mapping.conftest import Mapped, table_of

USERS = {"User ID": "account.id", "Mail": "account.email"}
GRANTS = {"User": "account.id", "Role": "entitlement.name"}
ROLES = {"Role": "entitlement.name", "Text": "entitlement.description"}
TYPES = {"constants": {"resource.type": "role"}}
GIVEN = [["A1", "reader"], ["B2", "reader"], ["Z9", "reader"]]

MakePart = Callable[..., Part]


@pytest.fixture
def make_part(con: duckdb.DuckDBPyConnection) -> MakePart:
    """A mapped file: `make_part("users.csv", USERS, rows)`."""

    def made(name: str, columns: dict[str, str], rows: Any, **document: Any) -> Part:
        table = table_of(con, list(columns), rows)
        raw = f"raw_{name.partition('.')[0]}"
        con.execute(f"CREATE OR REPLACE TEMP TABLE {raw} AS FROM raw")
        rules = [{"source": source, "to": to} for source, to in columns.items()]
        own = type(table)(table.format, table.columns, f'(SELECT * EXCLUDE ("row") FROM {raw})', raw, table.places)
        records, work = map_source(con, own, load({"version": 1, "columns": rules, **document}), f"{raw}_")
        return Part(name, records, work)

    return made


@pytest.fixture
def others(con: duckdb.DuckDBPyConnection) -> Others:
    """Another import that lists A1 and B2."""
    con.execute(
        "CREATE TEMP TABLE listed AS SELECT * FROM (VALUES ('a1', 'ada@example.com', 'ada', 0), ('B2', NULL, 'bo', 0),"
        " ('C3', NULL, 'twin', 0), ('D4', NULL, 'twin', 0)) t(id, email, username, place)"
    )
    return Others(accounts="listed", account_titles=("hr.csv",))


def test_a_grant_to_an_account_that_no_part_lists_is_left_out(
    con: duckdb.DuckDBPyConnection, make_part: MakePart
) -> None:
    users = make_part("users.csv", USERS, [["A1", "a@example.com"], ["B2", None]])
    found = Mapped(con, combine(con, [users, make_part("g.csv", GRANTS, GIVEN)]))
    assert {grant[0] for grant in found.grants()} == {"A1", "B2"}
    assert found.found() == [("reference_unknown", "error", 3)]
    assert (found.records.rows_rejected, found.records.rows_dangling, found.records.rows_unlisted) == (1, 1, 0)
    assert found.unconfirmed() == set()


@pytest.mark.parametrize("turned", [False, True])
def test_the_order_of_the_parts_does_not_matter(
    con: duckdb.DuckDBPyConnection, make_part: MakePart, turned: bool
) -> None:
    parts = [make_part("users.csv", USERS, [["A1", "a@example.com"]]), make_part("g.csv", GRANTS, GIVEN)]
    found = Mapped(con, combine(con, parts[::-1] if turned else parts))
    assert found.column("email") == {"A1": "a@example.com"}
    assert len(found.grants()) == 1


def test_accounts_that_two_parts_describe_differently_are_taken_from_neither(
    con: duckdb.DuckDBPyConnection, make_part: MakePart
) -> None:
    one = make_part("one.csv", USERS, [["A1", "a@example.com"], ["B2", "b@example.com"]])
    two = make_part("two.csv", USERS, [["A1", "other@example.com"], ["B2", "b@example.com"]])
    found = Mapped(con, combine(con, [one, two]))
    assert set(found.column("email")) == {"B2"}
    assert found.unconfirmed() == {"A1"}
    assert found.records.issue_counts == {"row_key_duplicate": 2}
    assert found.records.notes[-1] == "Exact duplicates of accounts in several parts, counted once: 1."


def test_a_row_that_defines_an_entitlement_is_enough(con: duckdb.DuckDBPyConnection, make_part: MakePart) -> None:
    roles = make_part("roles.csv", ROLES, [["reader", "Reads"]], **TYPES)
    columns = {**GRANTS, "Type": "row.kind"}
    rows = [["A1", "writer", "Grant"], [None, "writer", "Entitlement"], ["A1", "ghost", "Grant"]]
    found = Mapped(con, combine(con, [roles, make_part("g.csv", columns, rows, **TYPES)]))
    assert {grant[3] for grant in found.grants()} == {"writer"}
    assert {name for _, _, name in found.entitlements()} == {"reader", "writer"}


def test_names_are_looked_up_in_other_imports(
    con: duckdb.DuckDBPyConnection, make_part: MakePart, others: Others
) -> None:
    part = make_part("", GRANTS, GIVEN)
    found = Mapped(con, combine(con, [part], others=others))
    assert {grant[0] for grant in found.grants()} == {"a1", "B2"}, "under the spelling of the import that lists it"
    (issue,) = found.records.issues
    assert (issue.code, issue.row, issue.line, issue.value, issue.file) == ("reference_unknown", 3, 4, "Z9", None)
    assert "neither here nor by another import of this application (hr.csv)" in issue.message
    assert "hr.csv" in (issue.remedy or "")
    assert (found.records.rows_rejected, found.records.rows_dangling, found.records.rows_unlisted) == (1, 0, 1)
    assert found.unconfirmed() == {"Z9"}
    assert set(found.column("email").values()) == {None}, "attributes are the other import's to say"


def test_addresses_and_usernames_name_the_only_account_that_has_them(
    con: duckdb.DuckDBPyConnection, make_part: MakePart, others: Others
) -> None:
    rows = [["ADA@example.com", "reader"], ["bo", "reader"], ["B2", "reader"], ["twin", "reader"]]
    found = Mapped(con, combine(con, [make_part("", GRANTS, rows)], others=others))
    assert {grant[0] for grant in found.grants()} == {"a1", "B2"}
    assert len(found.rows(f"SELECT * FROM {found.records.grants}")) == 2, "two names of one account are one grant"
    assert [issue.value for issue in found.records.issues] == ["twin"], "two accounts have it"
    assert set(found.column("id")) == {"a1", "B2"}, "only what is named is taken over"


def test_grants_that_all_resolve_are_not_copied(
    con: duckdb.DuckDBPyConnection, make_part: MakePart, others: Others
) -> None:
    part = make_part("", GRANTS, GIVEN[:2])
    records = combine(con, [part], others=others)
    assert records.grants == part.records.grants
    assert {grant[0] for grant in Mapped(con, records).grants()} == {"a1", "B2"}


def test_letter_case_counts_where_another_import_has_ids_that_differ_in_nothing_else(
    con: duckdb.DuckDBPyConnection, make_part: MakePart, others: Others
) -> None:
    con.execute("INSERT INTO listed VALUES ('A1', NULL, NULL, 0)")
    found = Mapped(con, combine(con, [make_part("", GRANTS, [["A1", "reader"], ["b2", "reader"]])], others=others))
    assert {grant[0] for grant in found.grants()} == {"A1"}
    assert [issue.value for issue in found.records.issues] == ["b2"]


def test_own_rosters_and_those_of_others_count_together(
    con: duckdb.DuckDBPyConnection, make_part: MakePart, others: Others
) -> None:
    own = make_part("users.csv", {**USERS, "Type": "account.type"}, [["Z9", "z@example.com", None]])
    found = Mapped(con, combine(con, [own, make_part("g.csv", GRANTS, [*GIVEN, ["Q7", "reader"]])], others=others))
    assert {grant[0] for grant in found.grants()} == {"a1", "B2", "Z9"}
    assert found.column("type") == {"Z9": "person", "a1": None, "B2": None}, "only its own accounts are described"
    assert [issue.value for issue in found.records.issues] == ["Q7"]
    assert found.records.references == References(True, True, (), True, True)


def test_entitlements_that_others_define_settle_their_resource_types(
    con: duckdb.DuckDBPyConnection, make_part: MakePart
) -> None:
    con.execute("CREATE TEMP TABLE defined AS SELECT 'role' resource_type, 'reader' resource, 'reader' entitlement")
    others = Others(entitlements="defined", entitlement_titles=("roles.csv",), settled=("role",))
    rows = [["A1", "reader"], ["B2", "ghost"]]
    found = Mapped(con, combine(con, [make_part("", GRANTS, rows, **TYPES)], others=others))
    assert {(grant[0], grant[3]) for grant in found.grants()} == {("A1", "reader")}
    (issue,) = found.records.issues
    assert (issue.row, issue.value) == (2, "ghost")
    assert "is defined neither here nor by another import of this application (roles.csv)" in issue.message
    assert "B2" in found.unconfirmed(), "what was known of the account stays"
    free = Mapped(con, combine(con, [make_part("", GRANTS, rows, constants={"resource.type": "group"})], others=others))
    assert len(free.grants()) == 2, "nobody defines groups"


def test_a_list_of_an_account_names_entitlements_too(con: duckdb.DuckDBPyConnection, make_part: MakePart) -> None:
    con.execute("CREATE TEMP TABLE defined AS SELECT 'group' resource_type, 'ops' resource, 'ops' entitlement")
    others = Others(entitlements="defined", entitlement_titles=("groups.csv",), settled=("group",))
    document = {"columns": [{"source": "User ID", "to": "account.id"}, {"source": "Groups", "to": "entitlements"}]}
    document["columns"][1] |= {"resource_type": "group", "split": ","}
    table = table_of(con, ["User ID", "Groups"], [["A1", "ops,ghost"]])
    records, work = map_source(con, table, load({"version": 1, **document}), "one_")
    found = Mapped(con, combine(con, [Part("", records, work)], others=others))
    assert {grant[3] for grant in found.grants()} == {"ops"}
    assert [(issue.row, issue.value) for issue in found.records.issues] == [(1, "ghost")]
    assert (found.records.rows_rejected, set(found.column("id"))) == (0, {"A1"}), "the row is an account and stays"


def test_what_is_known_under_another_name_stays_in_doubt(
    con: duckdb.DuckDBPyConnection, make_part: MakePart, others: Others
) -> None:
    con.execute("CREATE TEMP TABLE known AS SELECT unnest(['a1', 'B2', 'E5']) AS id")
    con.execute("CREATE TEMP TABLE former AS SELECT 'E5' AS id, 'eve@example.com' AS email, NULL::VARCHAR AS username")
    seen = Others("listed", ("hr.csv",), known="known", former="former")
    rows = [["A1", "reader"], ["eve@example.com", "reader"]]
    found = Mapped(con, combine(con, [make_part("", GRANTS, rows)], others=seen))
    assert found.unconfirmed() == {"eve@example.com", "E5"}


def test_an_account_that_was_named_before_it_was_listed_is_renamed(
    con: duckdb.DuckDBPyConnection, make_part: MakePart, others: Others
) -> None:
    con.execute("CREATE TEMP TABLE known AS SELECT unnest(['ada@example.com', 'b2', 'X1']) AS id")
    rows = [["ada@example.com", "reader"], ["B2", "reader"]]
    records = combine(con, [make_part("", GRANTS, rows)], others=Others("listed", ("hr.csv",), known="known"))
    renamed = con.execute(f"SELECT old_id, new_id FROM {records.renamed} ORDER BY 1").fetchall()
    assert renamed == [("ada@example.com", "a1"), ("b2", "B2")]


def test_a_delta_refers_to_nothing(con: duckdb.DuckDBPyConnection, make_part: MakePart, others: Others) -> None:
    part = make_part("", GRANTS, GIVEN, mode="delta")
    assert not is_resolved(part.records.references, others)
    assert {grant[0] for grant in Mapped(con, combine(con, [part], others=others)).grants()} == {"A1", "B2", "Z9"}


@pytest.mark.parametrize(
    ("columns", "lists", "names"),
    [
        pytest.param(GRANTS, False, True, id="grants alone name accounts"),
        pytest.param({**GRANTS, "Mail": "account.email"}, True, False, id="grants with attributes list them"),
        pytest.param({"User ID": "account.id"}, True, False, id="a row per account lists it, attributes or not"),
        pytest.param(ROLES, False, False, id="definitions"),
    ],
)
def test_what_a_file_offers_and_refers_to(
    make_part: MakePart, columns: dict[str, str], lists: bool, names: bool
) -> None:
    document = TYPES if "entitlement.name" in columns.values() else {}
    found = make_part("", columns, [["A1", "reader", "a@example.com"][: len(columns)]], **document).records.references
    assert (found.lists_accounts, found.names_accounts) == (lists, names)
    assert found.defines == (("role",) if columns is ROLES else ())
