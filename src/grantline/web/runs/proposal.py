"""Who a held run would take away, by name.

In: a held run, whose version is staged in the lake. Out: the first accounts that would go, or where no
account would, the first grants. Nothing is read for any other run.
"""

from __future__ import annotations

from grantline.catalog import lookups
from grantline.catalog.lookups import Change
from grantline.catalog.model import Kind
from grantline.control.lake import folder_of, reader
from grantline.control.runs.models import Run, RunState, Version
from grantline.control.tenancy import scoped
from grantline.errors import LakeUnavailable

SHOWN = 20
_KINDS: tuple[tuple[str, Kind], ...] = (
    ("accounts", "account"),
    ("grants", "grant"),
    ("entitlements", "entitlement"),
)


def going(run: Run) -> tuple[Change, ...]:
    """The first removals of a held run; empty where its files cannot be read any more."""
    if run.state != RunState.HELD or not run.staged_version_id:
        return ()
    kind = _kind(run)
    if kind is None:
        return ()
    ended = scoped(Version, run).filter(of_import=run.of_import, has_history=True).order_by("number")
    history = [*ended.values_list("pk", flat=True), run.staged_version_id]
    number = run.base_number + 1
    snapshot = folder_of(run.of_import).snapshot(number, run.staged_version_id, history)
    try:
        with reader() as con:
            page = lookups.changes(con, [(run.of_import_id, snapshot)], kind=kind, op="removed", limit=SHOWN)
    except LakeUnavailable:
        return ()
    return page.items


def _kind(run: Run) -> Kind | None:
    changes = run.changes or {}
    kinds: tuple[tuple[str, Kind], ...] = (
        ("accounts", "account"),
        ("grants", "grant"),
        ("entitlements", "entitlement"),
    )
    return next((kind for name, kind in kinds if (changes.get(name) or {}).get("removed")), None)
