"""Look-ups in one application's catalog, with moments and runs in place of version numbers.

In: a scope, an application, what is asked for. Out: plain dictionaries, one per row; wherever the catalog
says *since which version*, the row says `{"version", "at", "run_id", "import_id"}`. `as_of` asks for any
past moment. An application's imports are united by key; the oldest import wins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from grantline.catalog import lookups
from grantline.catalog.lookups import AccountFilters, Since
from grantline.catalog.model import Counts, Kind, Snapshot
from grantline.control.applications.aliases import aliases_of
from grantline.control.applications.models import Application
from grantline.control.imports.models import Import
from grantline.control.lake import numbers_at, reader, snapshots_of
from grantline.control.organizations.roles import Permission
from grantline.control.runs.models import Version
from grantline.control.tenancy import Scope, scoped
from grantline.errors import NotFound

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
        """What happened to an account and its grants, newest first: `op`, `kind`, `before`, `after`, `since`.

        Asked about a past moment, what happened up to it.
        """
        with reader() as con:
            found = lookups.account_history(con, self.snapshots, key, aliases_of(self.scope, self.application.pk))
        events = [event for event in found if self._is_past(event.since)]
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

    def grant_history(self, account: str, entitlement: str) -> Row:
        """When and by which run a grant first and last appeared, of an account's id and an entitlement's
        public key: `first_appeared`, `last_appeared` (the last version that had it), `ended` (the version that
        took it away; None while there is one), `intervals`, oldest first.

        Raises: `NotFound` where there never was such a grant.
        """
        parts = lookups.entitlement_parts(entitlement)
        with reader() as con:
            same = aliases_of(self.scope, self.application.pk)
            found = lookups.grant_history(con, self.snapshots, account, parts, same)
        intervals = [one for one in found if self._is_past(Since(one.import_id, one.since))]
        if not intervals:
            raise NotFound("This account never had this entitlement.")
        return self._grant_history(account, entitlement, intervals)

    def _grant_history(self, account: str, entitlement: str, intervals: list[lookups.Interval]) -> Row:
        latest = self.as_of or {import_id: snapshot.number for import_id, snapshot in self.snapshots}
        rows: list[tuple[lookups.Interval, Since, Since, Since | None]] = []
        for one in intervals:
            is_open = one.until is None or one.until > latest[one.import_id]
            last = latest[one.import_id] if is_open or one.until is None else one.until - 1
            ended = None if is_open or one.until is None else Since(one.import_id, one.until)
            rows.append((one, Since(one.import_id, one.since), Since(one.import_id, last), ended))
        moments = self._moments(since for row in rows for since in row[1:] if since)
        documents = [
            {
                "import_id": one.import_id,
                "granted_at": one.granted_at,
                "expires_at": one.expires_at,
                "first_appeared": moments.get(first),
                "last_appeared": moments.get(last),
                "ended": moments.get(ended) if ended else None,
            }
            for one, first, last, ended in rows
        ]
        still = any(document["ended"] is None for document in documents)
        return {
            "account": account,
            "entitlement_key": entitlement,
            "first_appeared": _extreme(documents, "first_appeared", min),
            "last_appeared": _extreme(documents, "last_appeared", max),
            "ended": None if still else _extreme(documents, "ended", max),
            "intervals": documents,
        }

    def _is_past(self, since: Since) -> bool:
        """Whether a version had been published at the moment that is asked about."""
        return self.as_of is None or since.number <= self.as_of.get(since.import_id, 0)

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
        if version is not None:
            self._require_kept(*version)
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
        oldest = {item.pk: item.kept_from if item.kept_from > 1 else 0 for item in self.imports}
        first = numbers_at(self.imports, since) if since is not None else oldest
        last = numbers_at(self.imports, until) if until is not None else current
        return {import_id: (first.get(import_id, 0), last.get(import_id, 0)) for import_id in current}

    def _require_kept(self, import_id: str, number: int) -> None:
        """Raises: `NotFound` where the changes of a version are forgotten."""
        for item in self.imports:
            if item.pk == import_id and item.kept_from > 1 and number <= item.kept_from:
                raise NotFound(f"What version {number:,} changed is not kept any more (retention).")

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


def _extreme(documents: list[Row], name: str, choose: Callable[..., Row]) -> Row | None:
    """The earliest or latest moment of that name."""
    known = [document[name] for document in documents if document[name]]
    return choose(known, key=lambda moment: moment["at"]) if known else None


def _account(found: lookups.Account, moments: dict[Since, Row]) -> Row:
    unconfirmed = moments.get(found.unconfirmed_since) if found.unconfirmed_since else None
    return {**found.record(), "since": moments.get(found.since), "unconfirmed_since": unconfirmed}
