"""Look-ups in one application's catalog, with moments and runs in place of version numbers.

In: a scope, an application, what is asked for. Out: plain dictionaries, one per row; wherever the catalog
says *since which version*, the row says `{"version", "at", "run_id", "import_id"}`. `as_of` asks for any
past moment. An application's imports are united by key; the oldest import wins.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from grantline.catalog import lookups
from grantline.catalog.lookups import AccountFilters, Since
from grantline.catalog.model import Counts, Kind, Snapshot
from grantline.control.applications.models import Application
from grantline.control.imports.models import Import
from grantline.control.lake import numbers_at, reader, snapshots_of
from grantline.control.organizations.roles import Permission
from grantline.control.runs.models import Version
from grantline.control.tenancy import Scope, scoped

Row = dict[str, Any]


@dataclass(frozen=True)
class Rows:
    """One page of rows, and the cursor of the next one; None at the end."""

    items: list[Row]
    next: str | None = None


@dataclass(frozen=True)
class Catalog:
    """The catalog of one application, now or at a past moment. Make it with `catalog_of`."""

    scope: Scope
    application: Application
    snapshots: list[tuple[str, Snapshot]]
    as_of: dict[str, int] | None = None
    imports: Sequence[Import] = field(default=(), repr=False)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was published yet."""
        return not self.snapshots

    def counts(self) -> Counts:
        """How many accounts, resources, entitlements and grants there are."""
        with reader() as con:
            return lookups.counts(con, self.snapshots, as_of=self.as_of)

    def accounts(
        self, *, search: str = "", filters: AccountFilters | None = None, limit: int = 50, cursor: str = ""
    ) -> Rows:
        """Accounts by id: `id`, every attribute, `profile`, `since`, `unconfirmed_since`."""
        with reader() as con:
            page = lookups.accounts(
                con,
                self.snapshots,
                search=search or None,
                filters=filters,
                as_of=self.as_of,
                limit=limit,
                cursor=cursor or None,
            )
        moments = self._moments(item.since for item in page.items)
        moments |= self._moments(item.unconfirmed_since for item in page.items if item.unconfirmed_since)
        return Rows([_account(item, moments) for item in page.items], page.next)

    def account(self, key: str) -> Row:
        """One account. Raises: `NotFound`."""
        with reader() as con:
            found = lookups.account(con, self.snapshots, key, as_of=self.as_of)
        sinces = [found.since, *([found.unconfirmed_since] if found.unconfirmed_since else [])]
        return _account(found, self._moments(sinces))

    def account_history(self, key: str) -> list[Row]:
        """What happened to an account and its grants, newest first: `op`, `kind`, `before`, `after`, `since`."""
        with reader() as con:
            events = lookups.account_history(con, self.snapshots, key)
        moments = self._moments(event.since for event in events)
        return [{**asdict(event), "since": moments.get(event.since)} for event in events]

    def grants(
        self, *, account: str = "", entitlement: str = "", search: str = "", limit: int = 50, cursor: str = ""
    ) -> Rows:
        """Grants, of an account (its id), of an entitlement (its public key), of both, or all."""
        parts = lookups.entitlement_parts(entitlement) if entitlement else None
        with reader() as con:
            page = lookups.grants(
                con,
                self.snapshots,
                account=account or None,
                entitlement=parts,
                search=search or None,
                as_of=self.as_of,
                limit=limit,
                cursor=cursor or None,
            )
        return self._dated(page)

    def entitlements(self, *, search: str = "", limit: int = 50, cursor: str = "") -> Rows:
        """Entitlements with `key` (their public key) and `members`."""
        with reader() as con:
            page = lookups.entitlements(
                con,
                self.snapshots,
                search=search or None,
                as_of=self.as_of,
                limit=limit,
                cursor=cursor or None,
            )
        return self._dated(page)

    def entitlement(self, key: str) -> Row:
        """One entitlement by its public key. Raises: `NotFound`."""
        with reader() as con:
            found = lookups.entitlement(con, self.snapshots, lookups.entitlement_parts(key), as_of=self.as_of)
        return {**asdict(found), "since": self._moments([found.since]).get(found.since)}

    def changes(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        version: tuple[str, int] | None = None,
        kind: Kind | None = None,
        op: lookups.Op | None = None,
        account: str = "",
        entitlement: str = "",
        limit: int = 50,
        cursor: str = "",
    ) -> Rows:
        """What changed between two moments, or by one version `(import id, number)`.

        Without any of them: by the newest version of every import. Each row: `kind`, `op`, `account`, the
        entitlement's parts and key, `before`, `after`, `since` (which version did it).
        """
        with reader() as con:
            page = lookups.changes(
                con,
                self.snapshots,
                between=self._between(since, until, version),
                kind=kind,
                op=op,
                account=account or None,
                entitlement=lookups.entitlement_parts(entitlement) if entitlement else None,
                limit=limit,
                cursor=cursor or None,
            )
        return self._dated(page)

    def _between(
        self, since: datetime | None, until: datetime | None, version: tuple[str, int] | None
    ) -> dict[str, tuple[int, int]] | None:
        if version is not None:
            return {version[0]: (version[1] - 1, version[1])}
        if since is None and until is None:
            return None
        current = {import_id: snapshot.number for import_id, snapshot in self.snapshots}
        first = numbers_at(self.imports, since) if since is not None else {}
        last = numbers_at(self.imports, until) if until is not None else current
        return {import_id: (first.get(import_id, 0), last.get(import_id, 0)) for import_id in current}

    def export(self, kind: Kind) -> Iterator[Row]:
        """Every record of one kind; streams."""
        with reader() as con:
            yield from lookups.export(con, self.snapshots, kind, as_of=self.as_of)

    def _dated(self, page: lookups.Page[Any]) -> Rows:
        moments = self._moments(item.since for item in page.items)
        return Rows([{**asdict(item), "since": moments.get(item.since)} for item in page.items], page.next)

    def _moments(self, sinces: Iterable[Since]) -> dict[Since, Row]:
        """When each version was published and by which run."""
        wanted: dict[str, set[int]] = {}
        for since in sinces:
            wanted.setdefault(since.import_id, set()).add(since.number)
        found: dict[Since, Row] = {}
        for import_id, numbers in wanted.items():
            rows = scoped(Version, self.scope).filter(of_import_id=import_id, number__in=numbers)
            for number, at, run_id in rows.values_list("number", "published_at", "run__id"):
                found[Since(import_id, number)] = {
                    "version": number,
                    "at": at,
                    "run_id": run_id,
                    "import_id": import_id,
                }
        return found


def catalog_of(scope: Scope, application: Application, as_of: datetime | None = None) -> Catalog:
    """The catalog of an application. Raises: `NotAllowed`."""
    scope.require(Permission.CATALOG_READ)
    items = list(
        scoped(Import, scope)
        .filter(application=application)
        .select_related("current_version")
        .order_by("created_at", "id")
    )
    numbers = numbers_at(items, as_of) if as_of is not None else None
    return Catalog(scope, application, snapshots_of(items), numbers, items)


def _account(found: lookups.Account, moments: dict[Since, Row]) -> Row:
    unconfirmed = moments.get(found.unconfirmed_since) if found.unconfirmed_since else None
    return {**found.record(), "since": moments.get(found.since), "unconfirmed_since": unconfirmed}
