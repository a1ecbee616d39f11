"""People: the list, one person, and what a person is known by.

In: a scope, a search, a moment. Out: plain rows, a page at a time, by rule and value. Now is answered from
the account index, a past moment from the files of every application, by the address and employee ID that
accounts had then. People without any account are left out unless asked for; nobody is ever removed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Concat

from grantline.catalog import lookups
from grantline.catalog.lookups.keys import packed_cursor, unpacked_cursor
from grantline.control.accounts.models import LONGEST_KEY, AccountIndex
from grantline.control.applications.catalog import Row, Rows
from grantline.control.imports.models import Import
from grantline.control.lake import reader
from grantline.control.organizations.roles import Permission
from grantline.control.people.models import Person, Rule
from grantline.control.people.reach import catalogs
from grantline.control.tenancy import Scope, get, scoped
from grantline.errors import InputInvalid


def people(
    scope: Scope,
    *,
    search: str = "",
    as_of: datetime | None = None,
    gone: bool = False,
    limit: int = 50,
    cursor: str = "",
) -> Rows:
    """People by address, then by employee ID: `person`, `display_name`, `accounts`, `applications`.

    `search` is a part of a name, an address or an employee ID. `gone`: those without accounts now, too.
    Raises: `InputInvalid` for the cursor, or where retention has removed what was so at `as_of`.
    """
    scope.require(Permission.CATALOG_READ)
    after = unpacked_cursor(cursor, str, str)
    search = search.strip().replace("\x00", "")
    place = (after[0].replace("\x00", ""), after[1].replace("\x00", "")) if after else None
    rows = _then(scope, search, as_of, place, limit) if as_of else _now(scope, search, gone, place, limit)
    following = None
    if len(rows) > limit:
        last: Person = rows[limit - 1]["person"]
        following = packed_cursor(last.rule, last.value)
    return Rows(rows[:limit], following)


def read(scope: Scope, person_id: str) -> Person:
    """One person. Raises: `NotFound`, `NotAllowed`."""
    scope.require(Permission.CATALOG_READ)
    return get(Person, scope, person_id)


def employee_ids(scope: Scope, person: Person) -> list[str]:
    """The employee IDs that the person's accounts carry now, in order."""
    rows = scoped(AccountIndex, scope).filter(person=person).exclude(employee_id="")
    found = set(rows.values_list("employee_id", flat=True))
    return sorted(found | ({person.value} if person.rule == Rule.EMPLOYEE_ID else set()))


def found(scope: Scope, text: str, limit: int) -> list[Row]:
    """People with accounts now whose name, address or employee ID holds `text`; for the search."""
    return people(scope, search=text, limit=limit).items


def person_of(scope: Scope, application_id: str, key: str) -> Person | None:
    """Whose an account is now; None for nobody's."""
    digest = hashlib.md5(key[:LONGEST_KEY].encode("utf-8", "replace"), usedforsecurity=False).hexdigest()
    imports = scoped(Import, scope).filter(application_id=application_id).values_list("pk", flat=True)
    rows = scoped(AccountIndex, scope).filter(import_id__in=list(imports), key_digest=digest, person__isnull=False)
    row = rows.select_related("person").order_by("matched_by", "id").first()
    return row.person if row else None


def counted(scope: Scope, persons: Iterable[Person]) -> dict[str, tuple[int, int]]:
    """For each person's id how many accounts they have now, in how many applications."""
    rows = scoped(AccountIndex, scope).filter(person__in=[person.pk for person in persons]).values("person_id")
    counts = rows.annotate(
        accounts=Count(Concat("application_id", "key_digest"), distinct=True),
        applications=Count("application_id", distinct=True),
    )
    return {row["person_id"]: (row["accounts"], row["applications"]) for row in counts}


def _now(scope: Scope, search: str, gone: bool, after: tuple[str, str] | None, limit: int) -> list[Row]:
    rows: QuerySet[Person] = scoped(Person, scope)
    own = scoped(AccountIndex, scope).filter(person=OuterRef("pk"))
    if not gone:
        rows = rows.filter(Exists(own))
    if search:
        by_employee = scoped(AccountIndex, scope).filter(employee_id__icontains=search, person__isnull=False)
        rows = rows.filter(
            Q(value__icontains=search) | Q(display_name__icontains=search) | Q(pk__in=by_employee.values("person_id"))
        )
    if after:
        rows = rows.filter(Q(rule__gt=after[0]) | Q(rule=after[0], value__gt=after[1]))
    shown = list(rows.order_by("rule", "value")[: limit + 1])
    counts = counted(scope, shown)
    return [_row(person, person.display_name, *counts.get(person.pk, (0, 0))) for person in shown]


def _then(scope: Scope, search: str, as_of: datetime, after: tuple[str, str] | None, limit: int) -> list[Row]:
    reach = catalogs(scope, as_of)
    if reach.unanswered:
        raise InputInvalid(
            f"What {reach.unanswered[0].application.name} said at that moment is not kept any more.",
            field="as_of",
            remedy=reach.unanswered[0].remedy,
        )
    with reader() as con:
        found = lookups.people(con, reach.read(), search=search, after=after, limit=limit + 1)
    known = _known(scope, found)
    return [_row(known[row.rule, row.value], row.display_name, row.accounts, row.applications) for row in found]


def _known(scope: Scope, rows: Sequence[lookups.PersonThen]) -> dict[tuple[str, str], Person]:
    """The people of these rules and values. Who was there before people were matched gets an id now."""
    wanted = {(row.rule, row.value): row.display_name for row in rows}
    found = _by_value(scope, wanted)
    missing = [place for place in wanted if place not in found]
    if missing:
        made = [_person(scope, rule, value, wanted[rule, value]) for rule, value in missing]
        Person.objects.bulk_create(made, ignore_conflicts=True)
        found = _by_value(scope, wanted)
    return found


def _by_value(scope: Scope, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Person]:
    rows = scoped(Person, scope).filter(value__in=[value for _, value in wanted])
    return {(person.rule, person.value): person for person in rows}


def _person(scope: Scope, rule: str, value: str, name: str) -> Person:
    return Person(organization_id=scope.organization_id, rule=rule, value=value, display_name=name[:1024])


def _row(person: Person, name: str, accounts: int, applications: int) -> dict[str, Any]:
    return {"person": person, "display_name": name, "accounts": accounts, "applications": applications}
