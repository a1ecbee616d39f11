"""A mapping and the settings of an import, in words."""

from __future__ import annotations

import pytest

from grantline.errors import InputInvalid
from grantline.web.imports.browser import parents
from grantline.web.imports.records import sample_records
from grantline.web.imports.settings_form import values_of
from grantline.web.imports.words import column_words, interval_options, other_words

FORM = {"interval_seconds": "900", "guard_percent": "12.5", "guard_count": "1,000", "stale_after_seconds": ""}


def test_column_words_say_target_and_options() -> None:
    mapping = {
        "columns": [
            {"source": "Id", "to": "account.id", "case": "sensitive"},
            {"source": "G", "to": "entitlements", "resource_type": "role", "split": ";"},
            {"source": "Active", "to": "account.status", "map": {"A": "enabled"}, "nulls": ["-"]},
            {"source": "Dept", "to": "profile.Department"},
        ]
    }
    said = [(column.source, column.becomes, column.options) for column in column_words(mapping)]
    assert said == [
        ("Id", "Account id", ("letter case matters",)),
        ("G", "Entitlements of type “role”", ("values split at “;”",)),
        ("Active", "Status", ("empty if “-”", "“A” means enabled")),
        ("Dept", "Attribute “Department”", ()),
    ]


def test_other_words_say_what_stands_beside_the_columns() -> None:
    mapping = {
        "mode": "delta",
        "file": {"delimiter": "\t"},
        "constants": {"resource.type": "role"},
        "where": [{"column": "DELETED_ON", "is": "empty"}, {"column": "T", "in": ["a", "b"]}],
    }
    assert other_words(mapping) == [
        "Each file holds changes only; rows it does not name stay as they are.",
        "Delimiter: tab.",
        "Resource type is always “role”.",
        "Only rows where “DELETED_ON” is empty.",
        "Only rows where “T” is one of “a”, “b”.",
    ]


def test_interval_options_hold_an_interval_of_ones_own() -> None:
    assert (7200, "Every 2 h") in interval_options(7200)
    assert len(interval_options(3600)) == 7


def test_values_of_a_filled_form() -> None:
    assert values_of(FORM) == {
        "interval_seconds": 900,
        "guard_share": 0.125,
        "guard_count": 1000,
        "stale_after_seconds": None,
    }


def test_values_of_a_wrong_form_name_every_wrong_field() -> None:
    with pytest.raises(InputInvalid) as caught:
        values_of({**FORM, "guard_percent": "many", "guard_count": "-1", "interval_seconds": "soon"})
    assert set(caught.value.fields) == {"interval_seconds", "guard_percent", "guard_count"}


@pytest.mark.parametrize("share", ["nan", "101", "-1", "inf"])
def test_values_of_a_share_out_of_range_are_refused(share: str) -> None:
    with pytest.raises(InputInvalid):
        values_of({**FORM, "guard_percent": share})


def test_sample_records_hold_what_is_known_and_granted() -> None:
    preview = {
        "accounts": [{"id": "u1", "email": "u1@example.com", "username": None, "profile": '{"Dept": "IT"}'}],
        "grants": [
            {"account": "u1", "resource_type": "group", "resource": "Readers", "entitlement": "Readers"},
            {"account": "u2", "resource_type": "folder", "resource": "Pay", "entitlement": "read"},
        ],
    }
    (record,) = sample_records(preview)
    assert record.fields == (("E-mail address", "u1@example.com"), ("Dept", "IT"))
    assert record.grants == ("group Readers",)


@pytest.mark.parametrize(
    ("prefix", "root", "found"),
    [
        ("", "", []),
        ("a/b/", "", [("a/", "a"), ("a/b/", "b")]),
        ("x/a/", "x/", [("x/a/", "a")]),
        ("a//", "", [("a/", "a"), ("a//", "/")]),
    ],
)
def test_parents_are_the_levels_below_the_root(prefix: str, root: str, found: list[tuple[str, str]]) -> None:
    assert parents(prefix, root) == found
