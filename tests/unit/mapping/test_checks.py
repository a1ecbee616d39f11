from __future__ import annotations

from collections.abc import Callable

import pytest

from .conftest import Mapped

Map = Callable[..., Mapped]


def refused(mapped: Map, target: str, value: str) -> list[tuple[str, str, int | None]]:
    return mapped({"id": "account.id", "x": target}, [["A1", value], ["A2", None]]).found()


@pytest.mark.parametrize(
    "address",
    [
        "person01@example.com",
        "first.last+tag@mail.example.com",
        "o'neil_1@example.com",
        "name_example.com#EXT#@tenant.example.com",
        "jürgen@exämple.com",
        " person01@example.com\u200b",
        "a" * 64 + "@example.com",
    ],
)
def test_addresses_that_are_fine(mapped: Map, address: str) -> None:
    assert refused(mapped, "account.email", address) == []


@pytest.mark.parametrize(
    "address",
    [
        "not-an-address",
        "two@signs@example.com",
        "@example.com",
        "person@",
        "person@example",
        "person@example..com",
        "per son@example.com",
        "person@example.com, other@example.com",
        "<person@example.com>",
        "a" * 300 + "@example.com",
        "a" * 60 + "@" + "b." * 100 + "com",
    ],
)
def test_addresses_that_are_refused(mapped: Map, address: str) -> None:
    assert refused(mapped, "account.email", address) == [("value_invalid", "error", 1)]
    assert refused(mapped, "account.owner_email", address) == [("value_invalid", "error", 1)]


@pytest.mark.parametrize(
    ("word", "status"),
    [
        *(("Active", "enabled"), ("TRUE", "enabled"), ("y", "enabled"), ("T", "enabled"), ("1", "enabled")),
        *(("inactive", "disabled"), ("No", "disabled"), ("f", "disabled"), ("0", "disabled")),
        *(("Suspended", "disabled"), ("Deleted", "deleted"), ("ENABLED", "enabled")),
    ],
)
def test_status_words(mapped: Map, word: str, status: str) -> None:
    found = mapped({"id": "account.id", "s": "account.status"}, [["A1", word]])
    assert found.column("status") == {"A1": status}


@pytest.mark.parametrize("word", ["ja", "2", "maybe", "act"])
def test_an_unknown_status_is_never_a_guess(mapped: Map, word: str) -> None:
    found = mapped({"id": "account.id", "s": "account.status"}, [["A1", word], ["A2", None]])
    assert found.found() == [("value_invalid", "error", 1)]
    assert found.column("status") == {"A2": None}
    assert found.unconfirmed() == {"A1"}


@pytest.mark.parametrize(
    "key", ["1.23457E+14", "A" * 1025, "A\ufeffB", "A\0B"], ids=["rounded", "long", "mark inside", "nul"]
)
def test_keys_that_are_refused(mapped: Map, key: str) -> None:
    found = mapped({"id": "account.id"}, [[key], ["104E02"], ["A-1"]])
    assert found.found() == [("value_invalid", "error", 1)]
    assert set(found.column("id")) == {"104E02", "A-1"}


def test_a_nul_does_not_reach_the_unconfirmed_ids(mapped: Map) -> None:
    found = mapped({"id": "account.id"}, [["A\0 1"], ["A2"]])
    assert found.unconfirmed() == {"A 1"}
    assert found.records.issues[0].value == "A␀ 1"


def test_a_long_text_costs_only_its_cell(mapped: Map) -> None:
    found = mapped({"id": "account.id", "x": "profile.note"}, [["A1", "x" * 70_000]])
    assert found.found() == [("value_invalid", "warning", 1)]
    assert found.column("profile") == {"A1": None}
    assert len(found.records.issues[0].value or "") <= 200


def test_words_for_empty_and_replacements_compare_exactly(mapped: Map) -> None:
    rule = {"to": "profile.x", "nulls": ["N/A"], "map": {"a": "b"}}
    found = mapped({"id": "account.id", "x": rule}, [["A1", " N/A "], ["A2", "n/a"], ["A3", "a"], ["A4", "A"]])
    assert found.column("profile") == {"A1": None, "A2": '{"x":"n/a"}', "A3": '{"x":"b"}', "A4": '{"x":"A"}'}


def test_an_empty_word_can_clear_a_key(mapped: Map) -> None:
    found = mapped({"id": {"to": "account.id", "nulls": ["-"]}}, [["-"], ["A2"]])
    assert found.found() == [("row_key_missing", "error", 1)]
