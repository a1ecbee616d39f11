from __future__ import annotations

from collections.abc import Callable

import duckdb
import pytest

from grantline.mapping import dates
from grantline.mapping.dates import Order, format_problem, order_of
from grantline.mapping.sql import literal

from .conftest import Mapped

Map = Callable[..., Mapped]


def read(con: duckdb.DuckDBPyConnection, text: str, order: Order = "mdy", zone: str | None = None) -> str | None:
    query = (
        f"SELECT {dates.value('v', 'p', 'd', zone)} FROM (SELECT *, {dates.day('p', order)} AS d"
        f" FROM (SELECT *, {dates.parts('v')} AS p FROM (SELECT {literal(text)} AS v)))"
    )
    row = con.execute(query).fetchone()
    assert row is not None
    found: str | None = row[0]
    return found


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2026-01-07", "2026-01-07"),
        ("2026-1-7", "2026-01-07"),
        ("2026-01-07 15:30", "2026-01-07T15:30:00"),
        ("2026-01-07T15:30:00", "2026-01-07T15:30:00"),
        ("2026-01-07 15:30:00.000000000", "2026-01-07T15:30:00"),
        ("2026-01-07 15:30:00.120", "2026-01-07T15:30:00.12"),
        ("2026-01-07T15:30:00Z", "2026-01-07T15:30:00Z"),
        ("2026-01-07 15:30:00 UTC", "2026-01-07T15:30:00Z"),
        ("2026-01-07T15:30:00.5+02:00", "2026-01-07T13:30:00.5Z"),
        ("2026-01-01T00:30:00+0200", "2025-12-31T22:30:00Z"),
        ("2026-01-07T15:30:00-05", "2026-01-07T20:30:00Z"),
        ("2026-01-07 10:00:00 +0000 UTC", "2026-01-07T10:00:00Z"),
        ("12/31/2025", "2025-12-31"),
        ("1/7/2026 3:30 PM", "2026-01-07T15:30:00"),
        ("01/07/2026, 12:05:00 a.m.", "2026-01-07T00:05:00"),
        ("1/7/69", None),
        ("31.12.25", None),
        ("02-JAN-2006", "2006-01-02"),
        ("02-Jan-06", None),
        ("2 January 2006 15:04:05", "2006-01-02T15:04:05"),
        ("Jan 02, 2006", "2006-01-02"),
        ("Sept. 2, 2006", "2006-09-02"),
        ("Mon, 02 Jan 2006 15:04:05 GMT", "2006-01-02T15:04:05Z"),
        ("Monday, January 2, 2006", "2006-01-02"),
        ("31.12.2025", "2025-12-31"),
        ("31.12.2025 10:00", "2025-12-31T10:00:00"),
        ("20260107", "2026-01-07"),
        ("20260107153000.0Z", "2026-01-07T15:30:00Z"),
        ("99991231", "9999-12-31"),
        ("2026-02-30", None),
        ("31.02.2026", None),
        ("13/13/2026", None),
        ("2026-01-07 25:00", None),
        ("never", None),
        ("02-Foo-2006", None),
        ("42", None),
    ],
)
def test_spellings(con: duckdb.DuckDBPyConnection, text: str, iso: str | None) -> None:
    assert read(con, text) == iso


def test_a_time_is_read_in_the_declared_zone(con: duckdb.DuckDBPyConnection) -> None:
    assert read(con, "2026-06-01 00:30", zone="Europe/Paris") == "2026-05-31T22:30:00Z"
    assert read(con, "2026-06-01", zone="Europe/Paris") == "2026-06-01"
    assert read(con, "2026-06-01T00:30:00+00:00", zone="Europe/Paris") == "2026-06-01T00:30:00Z"


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"])
def test_nothing_depends_on_the_session_zone(con: duckdb.DuckDBPyConnection, zone: str) -> None:
    con.execute(f"SET timezone = '{zone}'")
    assert read(con, "2026-06-01 00:30:00") == "2026-06-01T00:30:00"
    assert read(con, "2026-06-01 00:30:00+02:00") == "2026-05-31T22:30:00Z"
    row = con.execute(
        f"SELECT {dates.declared(literal('07.01.2026 10:00 +0200'), '%d.%m.%Y %H:%M %z', None)}"
    ).fetchone()
    assert row == ("2026-01-07T08:00:00Z",)


@pytest.mark.parametrize(
    ("text", "pattern", "iso"),
    [
        ("31.12.2025", "%d.%m.%Y", "2025-12-31"),
        ("31/12/2025", "%m/%d/%Y", None),
        ("31.12.2025 10:00", "%d.%m.%Y %H:%M", "2025-12-31T10:00:00"),
        ("46023", "serial", "2026-01-01"),
        ("46023.5", "serial", "2026-01-01T12:00:00"),
        ("-1", "serial", None),
        ("1767800000", "epoch", "2026-01-07T15:33:20Z"),
        ("1767800000000", "epoch_ms", "2026-01-07T15:33:20Z"),
        ("134122736000000000", "filetime", "2026-01-07T15:33:20Z"),
        ("9223372036854775807", "filetime", None),
        ("x", "epoch", None),
    ],
)
def test_declared_spellings(con: duckdb.DuckDBPyConnection, text: str, pattern: str, iso: str | None) -> None:
    assert con.execute(f"SELECT {dates.declared(literal(text), pattern, None)}").fetchone() == (iso,)


@pytest.mark.parametrize(
    ("day_first", "month_first", "swappable", "order"),
    [(True, False, 3, "dmy"), (False, True, 3, "mdy"), (True, True, 0, "mixed"), (False, False, 1, "unclear")],
)
def test_the_order_of_a_column(day_first: bool, month_first: bool, swappable: int, order: Order) -> None:
    assert order_of(day_first, month_first, swappable) == order


def test_one_sure_cell_settles_its_column(mapped: Map) -> None:
    rows = [["A1", "05/03/2026"], ["A2", "31/12/2025"]]
    found = mapped({"id": "account.id", "seen": "account.last_login_at"}, rows)
    assert found.column("last_login_at") == {"A1": "2026-03-05", "A2": "2025-12-31"}
    assert found.records.issues == ()


def test_an_unclear_column_is_said_once_and_left_empty(mapped: Map) -> None:
    rows = [["A1", "05/03/2026"], ["A2", "02/01/2026"], ["A3", "2026-01-07"], ["A4", "13/13/2026"]]
    found = mapped({"id": "account.id", "seen": "account.last_login_at"}, rows)
    assert found.column("last_login_at") == {"A1": None, "A2": None, "A3": "2026-01-07", "A4": None}
    assert found.found() == [("value_invalid", "warning", None), ("value_invalid", "warning", 4)]
    assert "day/month or month/day" in found.records.issues[0].message


def test_cells_that_contradict_each_other_are_left_empty(mapped: Map) -> None:
    rows = [["A1", "31/12/2025"], ["A2", "12/31/2025"], ["A3", "01/02/2026"]]
    found = mapped({"id": "account.id", "seen": "account.last_login_at"}, rows)
    assert set(found.column("last_login_at").values()) == {None}
    assert "some of its cells put the day first" in found.records.issues[0].message


@pytest.mark.parametrize(
    ("pattern", "fine"), [("%d.%m.%Y", True), ("%-d/%-m/%y", True), ("%q", False), ("d.m.y", False)]
)
def test_patterns_are_checked_before_use(pattern: str, fine: bool) -> None:
    assert (format_problem(pattern) is None) is fine


@pytest.mark.parametrize("letter", dates.DIRECTIVES.replace("%", ""))
def test_every_allowed_directive_is_known_to_the_database(con: duckdb.DuckDBPyConnection, letter: str) -> None:
    con.execute(f"SELECT {dates.declared(literal('x'), f'%Y %{letter}', None)}").fetchone()
