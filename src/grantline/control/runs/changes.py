"""What one run changed, or, while it is held, what it would change: row by row.

In: a scope and a run. Out: the rows of `Catalog.changes`, who is affected, and likely renames. A published
run is answered from the catalog's history; a held one from the version that is staged for it, whose rows
have no `since` yet. Runs that ended otherwise changed nothing.
"""

from __future__ import annotations

from dataclasses import asdict

from grantline.catalog import lookups
from grantline.catalog.lookups.keys import unpacked_cursor
from grantline.catalog.model import Kind, Snapshot
from grantline.control.applications.catalog import Row, Rows, catalog_of
from grantline.control.lake import reader, snapshot_of, staged_snapshot
from grantline.control.organizations.roles import Permission
from grantline.control.runs.models import Run, RunState
from grantline.control.tenancy import Scope
from grantline.errors import Conflict, NotFound


def changes(
    scope: Scope,
    run: Run,
    *,
    kind: Kind | None = None,
    op: lookups.Op | None = None,
    account: str = "",
    entitlement: str = "",
    limit: int = 50,
    cursor: str = "",
) -> Rows:
    """The rows that a published or held run changes, page by page.

    Raises: `Conflict` for a run that changed nothing, `NotFound` where retention has removed it.
    """
    unpacked_cursor(cursor, int, int, int, int)  # a wrong question is refused before its answer is looked for
    snapshot, number = _place(scope, run)
    if run.version is not None:
        return catalog_of(scope, run.of_import.application).changes(
            version=(run.of_import_id, number),
            kind=kind,
            op=op,
            account=account,
            entitlement=entitlement,
            limit=limit,
            cursor=cursor,
        )
    with reader() as con:
        page = lookups.changes(
            con,
            [(run.of_import_id, snapshot)],
            kind=kind,
            op=op,
            account=account or None,
            entitlement=lookups.entitlement_parts(entitlement) if entitlement else None,
            limit=limit,
            cursor=cursor or None,
        )
    return Rows([{**asdict(change), "since": None} for change in page.items], page.next)


def affected(scope: Scope, run: Run, *, limit: int = 50, cursor: str = "") -> tuple[Rows, int]:
    """The accounts that lose something by the run, those that lose most grants first, and how many there
    are: `{account, display_name, email, lost, leaves}`. Raises: as `changes`."""
    unpacked_cursor(cursor, int, int)
    snapshot, number = _place(scope, run)
    with reader() as con:
        page = lookups.affected(con, run.of_import_id, snapshot, number, limit=limit, cursor=cursor or None)
        count = lookups.affected_count(con, run.of_import_id, snapshot, number)
    return Rows([asdict(item) for item in page.items], page.next), count


def renames(scope: Scope, run: Run) -> list[Row]:
    """Keys that the run likely renames: `{kind, old, new, old_name, new_name, shared}`. Raises: as `changes`."""
    snapshot, number = _place(scope, run)
    with reader() as con:
        found = lookups.likely_renames(con, run.of_import_id, snapshot, number)
    return [asdict(rename) for rename in found]


def has_changes(run: Run) -> bool:
    """Whether the run's changes can be asked for at all."""
    return run.state in (RunState.PUBLISHED, RunState.HELD)


def _place(scope: Scope, run: Run) -> tuple[Snapshot, int]:
    """The snapshot to read and the number of the run's version in it."""
    scope.require(Permission.CATALOG_READ)
    item = run.of_import
    if run.state == RunState.HELD and run.staged_version_id:
        return staged_snapshot(item, run.staged_version_id, run.base_number + 1), run.base_number + 1
    snapshot = snapshot_of(item)
    if run.version is None or snapshot is None:
        raise Conflict(
            f"The run is {run.state}; it changed nothing.", remedy="Ask about a run that is published or held."
        )
    if item.kept_from > 1 and run.version.number <= item.kept_from:
        raise NotFound(f"What version {run.version.number:,} changed is not kept any more (retention).")
    return snapshot, run.version.number
