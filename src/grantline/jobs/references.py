"""References of a run's file to what other imports of its application list, and who must look again.

In: an import and a DuckDB connection. Out: `Resolution`, which reading, notes and the import's memory are
made from. After a version is published, `wake_dependents` makes the imports due that name what came or
went; should that be lost with the process, their next look finds out all the same (`current_state`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import structlog
from django.utils import timezone

from grantline.catalog.aliases import Aliases
from grantline.catalog.model import Changes
from grantline.catalog.others import (
    ListingVersion,
    accounts_of,
    entitlements_of,
    former_accounts_of,
    known_accounts_of,
)
from grantline.control.imports.models import Import
from grantline.control.imports.references import Listing, dependents, facts_of, others_of, state_of
from grantline.control.lake import snapshot_of
from grantline.control.organizations.rules import worker_scope
from grantline.control.runs import rules as runs
from grantline.control.runs.models import RunState, Trigger
from grantline.control.tenancy import scoped
from grantline.errors import Conflict
from grantline.jobs.fetching import upload_path
from grantline.jobs.rollback import standing_rollback
from grantline.mapping.others import Others, titles
from grantline.mapping.records import References

log = structlog.get_logger(__name__)

DECIDED = (RunState.HELD, RunState.DISCARDED)
"""A run that a person decides about is not repeated by itself."""


@dataclass(frozen=True)
class Resolution:
    """What a file of `item` is resolved against. `others` is None where no other import lists anything."""

    item: Import
    listings: Sequence[Listing]
    others: Others | None

    def state(self, facts: References) -> dict[str, Any]:
        """What the import remembers of it; see `imports.references.state_of`."""
        return state_of(self.item, facts, self.listings)

    def notes(self, facts: References) -> tuple[str, ...]:
        """Sentences that say where accounts and entitlements were looked up."""
        found = []
        if self.others is not None and facts.names_accounts and self.others.accounts is not None:
            named = titles(self.others.account_titles, "and")
            found.append(f"Accounts are looked up in other imports of this application: {named}.")
        if self.others is not None and facts.names_entitlements and self.others.entitlements is not None:
            named = titles(self.others.entitlement_titles, "and")
            found.append(f"Entitlements are looked up in other imports of this application: {named}.")
        return tuple(found)


def resolution_of(con: duckdb.DuckDBPyConnection, item: Import, aliases: Aliases) -> Resolution:
    """What the other imports of the application list now, as relations of `con`."""
    listings = others_of(item)
    if not listings:
        return Resolution(item, (), None)
    rosters = [one for one in listings if one.facts.lists_accounts]
    definers = [one for one in listings if one.facts.defines]
    versions = [
        ListingVersion(snapshot, one.facts.names_accounts and one.facts.describes_accounts)
        for one, snapshot in _snapshots(rosters)
    ]
    defining = [(snapshot, one.facts.defines) for one, snapshot in _snapshots(definers)]
    previous = snapshot_of(item)
    others = Others(
        accounts=accounts_of(con, versions, aliases) if versions else None,
        account_titles=tuple(one.item.title for one in rosters),
        entitlements=entitlements_of(con, defining, aliases) if defining else None,
        entitlement_titles=tuple(one.item.title for one in definers),
        settled=tuple(sorted({kind for one in definers for kind in one.facts.defines})),
        former=former_accounts_of(versions),
        known=known_accounts_of(previous) if previous is not None else None,
    )
    return Resolution(item, listings, others)


def _snapshots(listings: Sequence[Listing]) -> list[tuple[Listing, Any]]:
    found = [(one, snapshot_of(one.item)) for one in listings]
    return [(one, snapshot) for one, snapshot in found if snapshot is not None]


def wake_dependents(item: Import, before: References, changes: Changes) -> None:
    """Make the imports look soon that name what has come or gone. Call it after the publishing transaction,
    with what the version before offered: two imports that publish at once must not wait for each other."""
    item.refresh_from_db()
    for other in dependents(item, before, facts_of(item), changes):
        if other.data_source_id is not None:
            scoped(Import, other).filter(pk=other.pk, paused_at=None).update(next_run_at=timezone.now())
        else:
            _repeat_upload(other)
        log.info("references.woken", import_id=other.pk, by=item.pk)


def _repeat_upload(other: Import) -> None:
    """A run of the file by hand that came last, where it is still kept and nobody has decided about it."""
    from grantline.jobs.tasks import defer_run

    last = other.runs.filter(upload__isnull=False).select_related("upload").order_by("-number").first()
    if last is None or last.upload is None or last.state in DECIDED or standing_rollback(other) is not None:
        return
    if not upload_path(last.upload).exists():
        return
    try:
        run, created = runs.queue(worker_scope(other.organization_id), other, Trigger.REFERENCES, upload=last.upload)
    except Conflict:
        return  # it is being read right now
    if created:
        defer_run(run)
