"""Look-ups: what an application's imports say, now or at any earlier version.

Every function takes a connection and `snapshots`, the current versions of an application's imports as
(import id, snapshot), in the order in which they win; with `as_of` (import id → version number) it
answers from the rows that were true at those versions. Results of several imports are united by key.
Pages are read by key, so that they stay right while new versions are published. Customers' text reaches
SQL as parameters only.
"""

from grantline.catalog.lookups.accounts import account, account_history, accounts
from grantline.catalog.lookups.affected import affected, affected_count
from grantline.catalog.lookups.changes import changes
from grantline.catalog.lookups.counting import counts
from grantline.catalog.lookups.entitlements import entitlement, entitlements
from grantline.catalog.lookups.exports import export
from grantline.catalog.lookups.grants import grants
from grantline.catalog.lookups.history import grant_history
from grantline.catalog.lookups.keys import entitlement_key, entitlement_parts
from grantline.catalog.lookups.people import AccountThen, PersonThen, accounts_of, owned_by, people
from grantline.catalog.lookups.renames import likely_renames
from grantline.catalog.lookups.rows import (
    Account,
    AccountFilters,
    Affected,
    Change,
    Entitlement,
    Event,
    Grant,
    Interval,
    Op,
    Page,
    Rename,
    Since,
)

__all__ = [
    "Account",
    "AccountThen",
    "AccountFilters",
    "Affected",
    "Change",
    "Entitlement",
    "Event",
    "Grant",
    "Interval",
    "Op",
    "Page",
    "PersonThen",
    "Rename",
    "Since",
    "account",
    "account_history",
    "accounts",
    "accounts_of",
    "affected",
    "affected_count",
    "changes",
    "counts",
    "entitlement",
    "entitlement_key",
    "entitlement_parts",
    "entitlements",
    "export",
    "grant_history",
    "grants",
    "likely_renames",
    "owned_by",
    "people",
]
