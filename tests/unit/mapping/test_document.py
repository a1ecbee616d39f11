from __future__ import annotations

import json
from typing import Any

import pytest

from grantline.errors import HeaderDuplicate, MappingInvalid
from grantline.mapping.document import load

KEY = {"source": "User ID", "to": "account.id"}
WHOLE = """
version: 1
file: {encoding: windows-1252, delimiter: ";", skip_last: 1, header_row: null, names: [a, b]}
mode: delta
columns:
  - {source: User ID, to: account.id, case: sensitive}
  - {source: memberOf, to: entitlements, resource_type: group, split: ";", parts: ":"}
  - {source: Valid to, to: grant.expires_at, date: "%d.%m.%Y", zone: Europe/Berlin, nulls: ["00000000", 0]}
  - {source: Active, to: account.status, map: {A: enabled, T: disabled, 1: enabled, true: enabled}}
  - {source: op, to: row.op}
  - {source: Country, to: profile.country, nulls: [NO, 1.10, 2026-01-07]}
constants: {resource.type: role}
where: [{column: DELETED_ON, is: empty}, {column: KIND, in: [a, b]}, {column: X, differs: y}]
"""


def with_rule(**options: Any) -> dict[str, Any]:
    return {"version": 1, "columns": [KEY, {"source": "c", "to": "account.email", **options}]}


def test_every_option_is_kept() -> None:
    mapping = load(WHOLE)
    assert mapping.mode == "delta"
    assert mapping.file["header_row"] is None
    assert mapping.columns[1].split == ";"
    assert mapping.columns[2].nulls == ("00000000", "0")
    assert dict(mapping.columns[3].map) == {"A": "enabled", "T": "disabled", "1": "enabled", "true": "enabled"}
    assert mapping.constants == (("resource.type", "role"),)
    assert [condition.operator for condition in mapping.where] == ["empty", "in", "differs"]


def test_words_that_yaml_would_change_stay_text() -> None:
    assert load(WHOLE).columns[5].nulls == ("NO", "1.10", "2026-01-07")


def test_a_document_survives_the_round_trip() -> None:
    mapping = load(WHOLE)
    assert load(mapping.to_document()) == mapping
    assert load(mapping.canonical()) == mapping


def test_the_same_meaning_has_the_same_canonical_text() -> None:
    one = load('{"columns": [{"to": "account.id", "source": "User ID"}], "mode": "full"}')
    other = load("version: 1\ncolumns:\n  - source: User ID\n    to: account.id\n    nulls: []\n")
    assert one.canonical() == other.canonical()


def test_a_profile_attribute_may_be_called_the_accounts() -> None:
    one = load({"columns": [KEY, {"source": "City", "to": "account.profile.city"}]})
    assert one == load({"columns": [KEY, {"source": "City", "to": "profile.city"}]})


def test_another_meaning_has_another_canonical_text() -> None:
    assert load({"columns": [KEY]}).canonical() != load({"columns": [{**KEY, "case": "sensitive"}]}).canonical()


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"version": 2, "columns": [KEY]}, "version: 2"),
        ({"version": 1, "colums": [KEY]}, "did you mean columns?"),
        ({"version": 1, "mode": "merge", "columns": [KEY]}, "mode: 'merge'"),
        ({"version": 1, "columns": {"source": "a"}}, "columns: must be a list"),
        ({"version": 1, "columns": ["a"]}, "columns[0]: must be a group"),
        ({"version": 1, "columns": [{"source": "a"}]}, "columns[0]: 'to' is missing"),
        (with_rule(splitt=";"), "columns[1].splitt: unknown option; did you mean split?"),
        (with_rule(to="account.emial"), "did you mean account.email?"),
        (with_rule(to="profile."), "is not a target"),
        (with_rule(split=";"), "columns[1].split: only works with 'to: entitlements'"),
        (with_rule(date="%d.%m.%Y"), "columns[1].date: only works with a date"),
        (with_rule(case="sensitive"), "columns[1].case: only works with"),
        (with_rule(to="account.created_at", date="%Q"), "columns[1].date: %Q is not a known part"),
        (with_rule(to="account.created_at", date="yesterday"), "is not a date pattern"),
        (with_rule(to="account.created_at", zone="Europe/Berlim"), "did you mean Europe/Berlin?"),
        (with_rule(to="account.status", map={"A": "alive"}), "columns[1].map: 'alive' is not a status"),
        (with_rule(nulls="N/A"), "columns[1].nulls: must be a list"),
        (with_rule(map=["a"]), "columns[1].map: must be a group"),
        (with_rule(source="a\0b"), "NUL"),
        ({"columns": [{"source": "a", "to": "account.email"}]}, "account.id"),
        ({"columns": [KEY], "constants": {"account.id": "x"}}, "constants.account.id"),
        ({"columns": [KEY], "constants": {"entitlements": "x"}}, "cannot be a constant"),
        ({"columns": [KEY], "where": [{"column": "a"}]}, "where[0]: needs 'column' and one of"),
        ({"columns": [KEY], "where": [{"column": "a", "is": "nil"}]}, "where[0].is"),
        ({"columns": [KEY, {"source": "op", "to": "row.op"}]}, "mode: delta"),
        ({"columns": [KEY], "file": "csv"}, "file: must be a group"),
    ],
)
def test_a_faulty_document_is_refused_with_its_place(document: dict[str, Any], words: str) -> None:
    with pytest.raises(MappingInvalid) as refused:
        load(document)
    assert words in refused.value.message


def test_two_columns_for_one_target_are_refused() -> None:
    with pytest.raises(HeaderDuplicate) as refused:
        load({"columns": [KEY, {"source": "Account", "to": "account.id"}]})
    assert "'User ID' and 'Account'" in refused.value.message


def test_two_list_columns_are_allowed() -> None:
    columns = [KEY, *({"source": name, "to": "entitlements"} for name in ("groups", "roles"))]
    assert len(load({"columns": columns}).columns) == 3


def test_a_constant_beside_a_column_is_refused() -> None:
    with pytest.raises(MappingInvalid, match="keep one of them"):
        load({"columns": [KEY, {"source": "m", "to": "account.email"}], "constants": {"account.email": "a"}})


def test_a_json_document_is_read() -> None:
    assert load(json.dumps({"version": 1, "columns": [KEY]})).columns[0].source == "User ID"
