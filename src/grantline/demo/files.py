"""The customer's files of the demo, made by seed: nobody in them exists.

In: a seed. Out: bytes of an HR file (one row per account, CSV), of an application's access export (one
row per grant, CSV) and of another's (a workbook with the groups in a list column); and the same export
a day later, with a known number of changes.
"""

from __future__ import annotations

import csv
import io
import random
from dataclasses import dataclass
from datetime import date, timedelta

_GIVEN = """
    Ada Amir Bea Ben Cara Chen Dana Dev Elif Emil Fay Finn Gita Goran Hana Hugo Ines Ivo Jana Joon Kai Kira
    Lena Luca Maya Milo Nadia Noor Olga Omar Pia Quinn Rana Remy Sana Sven Tara Tomas Uma Uri Vera Viktor Yara
"""
_FAMILY = """
    Adler Baptiste Castell Dorn Eklund Farrow Grieg Hollis Ivers Jansson Keller Lindqvist Moreau Novak Okafor
    Pereira Quist Rossi Sato Tanaka Ueda Varga Weiss Xu Yilmaz Zeller Brandt Costa Delgado Eriksen
"""
GIVEN, FAMILY = tuple(_GIVEN.split()), tuple(_FAMILY.split())
DEPARTMENTS = ("Finance", "Engineering", "Sales", "Support", "Operations", "Legal", "People", "Security")
ROLES = ("Viewer", "Editor", "Approver", "Administrator", "Auditor")
FIRST_DAY = date(2026, 1, 1)


@dataclass(frozen=True)
class Person:
    """One made-up person."""

    number: int
    given: str
    family: str
    department: str
    manager: int | None
    active: bool

    @property
    def user_id(self) -> str:
        """The personnel number, with its leading zeros."""
        return f"{self.number:06d}"

    @property
    def email(self) -> str:
        """An address that nobody has."""
        return f"{self.given}.{self.family}.{self.number}@example.com".lower()


def people(count: int, seed: int = 7) -> list[Person]:
    """`count` people, the same ones for the same seed."""
    chance = random.Random(seed)  # noqa: S311 - made-up data, not a secret
    return [
        Person(
            number,
            chance.choice(GIVEN),
            chance.choice(FAMILY),
            chance.choice(DEPARTMENTS),
            chance.randint(1, max(1, number // 10)) if number > 10 else None,
            chance.random() > 0.04,
        )
        for number in range(1, count + 1)
    ]


def hr_file(staff: list[Person]) -> bytes:
    """One row per account, comma-separated, UTF-8."""
    rows = [
        ["User ID", "Email Address", "First Name", "Last Name", "User Status", "Manager ID", "Department", "Last Login"]
    ]
    for person in staff:
        seen = FIRST_DAY + timedelta(days=person.number * 37 % 320)
        rows.append(
            [
                person.user_id,
                person.email,
                person.given,
                person.family,
                "Active" if person.active else "Disabled",
                f"{person.manager:06d}" if person.manager else "",
                person.department,
                f"{seen.isoformat()}T08:{person.number % 60:02d}:00Z",
            ]
        )
    return _csv(rows)


def payments_grants(staff: list[Person], count: int, seed: int = 11) -> list[tuple[int, str, str, str]]:
    """`count` distinct grants of a payments system: (index of the person, type, resource, entitlement)."""
    chance = random.Random(seed)  # noqa: S311 - made-up data, not a secret
    resources = [("Ledger", f"Ledger {number:03d}") for number in range(1, 181)]
    resources += [("Bank account", f"Account DE{number:04d}") for number in range(1, 121)]
    found: set[tuple[int, str, str, str]] = set()
    while len(found) < count:
        kind, name = chance.choice(resources)
        found.add((chance.randrange(len(staff)), kind, name, chance.choice(ROLES)))
    return sorted(found)


def payments_file(staff: list[Person], grants: list[tuple[int, str, str, str]]) -> bytes:
    """One row per grant, the account's columns repeated, comma-separated, UTF-8 with a byte order mark."""
    rows = [["User ID", "Email Address", "Full Name", "User Status", "Resource Type", "Resource Name", "Entitlement"]]
    for index, kind, name, role in grants:
        person = staff[index]
        status = "Active" if person.active else "Disabled"
        rows.append([person.user_id, person.email, f"{person.given} {person.family}", status, kind, name, role])
    return b"\xef\xbb\xbf" + _csv(rows)


def a_day_later(
    grants: list[tuple[int, str, str, str]], staff: list[Person], *, removed: int, added: int, seed: int = 13
) -> list[tuple[int, str, str, str]]:
    """The same grants with exactly `removed` gone and `added` new ones; no account disappears."""
    chance = random.Random(seed)  # noqa: S311 - made-up data, not a secret
    left: dict[int, int] = {}
    for grant in grants:
        left[grant[0]] = left.get(grant[0], 0) + 1
    gone: set[tuple[int, str, str, str]] = set()
    while len(gone) < removed:
        grant = chance.choice(grants)
        if grant not in gone and left[grant[0]] > 1:
            gone.add(grant)
            left[grant[0]] -= 1
    kept = [grant for grant in grants if grant not in gone]
    known, fresh = set(grants), set[tuple[int, str, str, str]]()
    while len(fresh) < added:
        other = chance.choice(kept)
        grant = (other[0], other[1], other[2], "Emergency access")
        if grant not in known:
            fresh.add(grant)
    return sorted(kept + sorted(fresh))


def wiki_workbook(staff: list[Person], count: int, seed: int = 17) -> bytes:
    """A workbook with one row per account and the groups in one cell; a cover sheet is hidden."""
    import xlsxwriter

    chance = random.Random(seed)  # noqa: S311 - made-up data, not a secret
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True, "strings_to_numbers": False})
    notes = book.add_worksheet("Read me")
    notes.write(0, 0, "Made by the wiki's nightly job.")
    sheet = book.add_worksheet("Users")
    for column, title in enumerate(("User ID", "Email Address", "Full Name", "User Type", "Groups", "Last Login")):
        sheet.write_string(0, column, title)
    groups = [f"wiki-{department.lower()}" for department in DEPARTMENTS] + ["wiki-admins", "wiki-authors"]
    for row, person in enumerate(chance.sample(staff, count), start=1):
        kind = "Service" if person.number % 97 == 0 else ""
        chosen = sorted(chance.sample(groups, chance.randint(1, 4)))
        seen = FIRST_DAY + timedelta(days=person.number * 53 % 320)
        values = (person.user_id, person.email, f"{person.given} {person.family}", kind, ",".join(chosen))
        for column, value in enumerate(values):
            sheet.write_string(row, column, value)
        sheet.write_string(row, 5, f"{seen.isoformat()} 09:{person.number % 60:02d}:00Z")
    notes.hide()
    sheet.activate()
    sheet.set_first_sheet()
    book.close()
    return target.getvalue()


def _csv(rows: list[list[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()
