"""What one person has access to, in all applications, now or at a past moment.

In: a scope, a person, maybe a moment. Out: their accounts, each with its attributes and its grants with
since. Now the account index says which accounts; at a past moment the applications' files do, by the address
and employee ID that the accounts had then, so that an address that changed hands leads to whoever had it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from grantline.catalog import lookups
from grantline.catalog.lookups.keys import packed_cursor, unpacked_cursor
from grantline.catalog.persons import NOBODYS_OWN
from grantline.control.accounts.models import LONGEST_KEY, AccountIndex
from grantline.control.applications.catalog import Catalog, Row, Rows
from grantline.control.applications.models import Application
from grantline.control.lake import reader
from grantline.control.organizations.roles import Permission
from grantline.control.people.models import Person, Rule
from grantline.control.people.reach import Reach, Unanswered, catalogs
from grantline.control.tenancy import Scope, scoped
from grantline.errors import NotFound

GRANTS_AT_ONCE = 500
"""Grants that come with an account; the cursor behind them goes on in the application's list of grants."""


@dataclass(frozen=True)
class Held:
    """An account of a person: where, its id there, and by which rule it is theirs."""

    catalog: Catalog
    account: str
    matched_by: str

    @property
    def application(self) -> Application:
        """The application that it is an account of."""
        return self.catalog.application

    @property
    def place(self) -> tuple[str, str, str]:
        """Its place in the order of a person's accounts."""
        return self.application.name, self.application.pk, self.account


@dataclass(frozen=True)
class Holdings:
    """A person's accounts by application, and the applications that could not be asked."""

    accounts: list[Held]
    unanswered: list[Unanswered] = field(default_factory=list)

    @property
    def application_count(self) -> int:
        """In how many applications the accounts are."""
        return len({held.application.pk for held in self.accounts})


def holdings(scope: Scope, person: Person, as_of: datetime | None = None) -> Holdings:
    """The person's accounts. Raises: `NotAllowed`."""
    scope.require(Permission.CATALOG_READ)
    if as_of is None:
        rows = scoped(AccountIndex, scope).filter(person=person)
        found = [(row[0], row[1], str(row[2])) for row in rows.values_list("application_id", "key", "matched_by")]
        if not any(len(key) >= LONGEST_KEY for _, key, _ in found):
            return _indexed(scope, found)
    reach = catalogs(scope, as_of)
    with reader() as con:
        said = lookups.accounts_of(con, reach.read(), person.rule, person.value)
    return _placed(reach, said)


def owned(scope: Scope, person: Person, as_of: datetime | None = None) -> Holdings:
    """The accounts that name the person's address as their owner; service and system accounts have only that."""
    scope.require(Permission.CATALOG_READ)
    if person.rule != Rule.EMAIL:
        return Holdings([])
    if as_of is None:
        rows = scoped(AccountIndex, scope).filter(owner_email_folded=person.value)
        found = [(application, key, "owner") for application, key in rows.values_list("application_id", "key")]
        return _indexed(scope, found)
    reach = catalogs(scope, as_of)
    with reader() as con:
        said = lookups.owned_by(con, reach.read(), person.value)
    return _placed(reach, said)


def access(found: Holdings, *, limit: int = 50, cursor: str = "", grants: int = GRANTS_AT_ONCE) -> Rows:
    """A page of accounts: `application`, `catalog`, `account` (its row), `matched_by`, `grants` (`Rows`).

    An account that several imports describe is not a person's where the oldest says that it is nobody's.
    """
    after = unpacked_cursor(cursor, str, str, str)
    rest = [held for held in found.accounts if after is None or held.place > tuple(after)]
    shown = rest[:limit]
    following = packed_cursor(*shown[-1].place) if len(rest) > limit else None
    return Rows([row for held in shown if (row := _row(held, grants)) is not None], following)


def every_grant(held: Held) -> Iterator[Row]:
    """All grants of an account, read as they are asked for."""
    cursor = ""
    while True:
        page = held.catalog.grants(account=held.account, limit=GRANTS_AT_ONCE, cursor=cursor)
        yield from page.items
        if not page.next:
            return
        cursor = page.next


def account_row(held: Held) -> Row | None:
    """The account's attributes; None where it is not there any more, or is nobody's own after all."""
    try:
        account = held.catalog.account(held.account)
    except NotFound:  # a version was published between the index and the look-up
        return None
    is_own = (account["type"] or "").lower() not in NOBODYS_OWN
    return account if is_own or held.matched_by == "owner" else None


def _row(held: Held, grants: int) -> Row | None:
    account = account_row(held)
    if account is None:
        return None
    return {
        "application": held.application,
        "catalog": held.catalog,
        "account": account,
        "matched_by": held.matched_by,
        "grants": held.catalog.grants(account=held.account, limit=grants) if grants else Rows([]),
    }


def _indexed(scope: Scope, found: list[tuple[str, str, str]]) -> Holdings:
    """Accounts of the index, once each where several imports have them."""
    by_account: dict[tuple[str, str], str] = {}
    for application, key, matched_by in found:
        by_account[application, key] = min(matched_by, by_account.get((application, key), matched_by))
    reach = catalogs(scope, None, only={application for application, _ in by_account})
    by_id = {catalog.application.pk: catalog for catalog in reach.catalogs}
    accounts = [
        Held(by_id[application], key, rule) for (application, key), rule in by_account.items() if application in by_id
    ]
    return Holdings(sorted(accounts, key=lambda held: held.place))


def _placed(reach: Reach, said: list[lookups.AccountThen]) -> Holdings:
    accounts = [Held(reach.catalogs[one.place], one.account, one.matched_by) for one in said]
    return Holdings(sorted(accounts, key=lambda held: held.place), reach.unanswered)
