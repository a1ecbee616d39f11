"""Which person an account says it belongs to: letter case, forms of letters, what is no address."""

from __future__ import annotations

from typing import Any

import pytest

from grantline.catalog.persons import ADDRESS, EMPLOYEE, IS_UNMATCHED, NAME

COLUMNS = ("email", "employee_id", "type", "display_name", "first_name", "last_name")


def said(con: Any, what: str, **account: str) -> Any:
    values = [account.get(name) for name in COLUMNS]
    row = ", ".join(f"CAST(? AS VARCHAR) AS {name}" for name in COLUMNS)
    return con.execute(f"SELECT {what} FROM (SELECT {row})", values).fetchone()[0]


@pytest.mark.parametrize(
    ("email", "address"),
    [
        ("Anna@Example.COM", "anna@example.com"),
        (" anna@example.com ", "anna@example.com"),
        ("Jose\u0301@example.com", "jos\u00e9@example.com"),
        ("JOSE\u0301@example.com", "jos\u00e9@example.com"),
        ("n/a", None),
        ("@example.com", None),
        ("anna@", None),
        (f"{'a' * 250}@example.com", None),
    ],
)
def test_an_address_in_its_one_spelling(con: Any, email: str, address: str | None) -> None:
    assert said(con, ADDRESS, email=email) == address


@pytest.mark.parametrize(
    ("kind", "address"),
    [("service", None), ("System", None), ("person", "bot@example.com"), (None, "bot@example.com")],
)
def test_service_and_system_accounts_are_nobody_s(con: Any, kind: str | None, address: str | None) -> None:
    account = {"email": "bot@example.com", "employee_id": "7", **({"type": kind} if kind else {})}
    assert said(con, ADDRESS, **account) == address
    assert said(con, EMPLOYEE, **account) == ("7" if address else None)
    assert said(con, IS_UNMATCHED, **account) is False


def test_an_employee_id_keeps_its_zeros_and_its_letter_case(con: Any) -> None:
    assert said(con, EMPLOYEE, employee_id=" 007a ") == "007a"
    assert said(con, EMPLOYEE, employee_id="  ") is None


def test_an_account_without_address_and_employee_id_is_unmatched(con: Any) -> None:
    assert said(con, IS_UNMATCHED, email="n/a") is True
    assert said(con, IS_UNMATCHED, employee_id="7") is False


def test_a_name_is_the_display_name_or_made_of_first_and_last(con: Any) -> None:
    assert said(con, NAME, display_name="Anna Lee", first_name="A.") == "Anna Lee"
    assert said(con, NAME, first_name="Anna", last_name="Lee") == "Anna Lee"
    assert said(con, NAME, last_name="Lee") == "Lee"
    assert said(con, NAME, first_name=" ") is None
