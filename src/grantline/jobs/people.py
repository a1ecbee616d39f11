"""Matching the accounts of versions that were published before people were matched.

In: imports whose index has accounts that nobody has looked at yet. Out: their index made anew from the
files of their current versions, one import a transaction. Safe to repeat; does nothing when all is matched.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path

import structlog
from django.db import transaction

from grantline.catalog.index import write_whole_index
from grantline.control.accounts.models import AccountIndex
from grantline.control.accounts.rules import update_index
from grantline.control.imports.models import Import
from grantline.control.lake import folder_of
from grantline.control.tenancy import acting_for, system_scope
from grantline.jobs.installation import open_duckdb, spool_folder

log = structlog.get_logger(__name__)


def match_earlier_accounts() -> int:
    """Match what an earlier release has indexed. Returns how many imports were looked into."""
    with system_scope("the index holds the accounts of every organization"):
        waiting = AccountIndex.objects.filter(matched_by__isnull=True).values("import_id")
        items = list(Import.objects.filter(pk__in=waiting, current_version__isnull=False).order_by("created_at", "id"))
    for item in items:
        with acting_for(item):
            _match(item)
        log.info("people.matched", import_id=item.pk)
    return len(items)


def _match(item: Import) -> None:
    folder = Path(tempfile.mkdtemp(prefix=f"{item.pk}-", dir=spool_folder(item.organization_id)))
    try:
        with transaction.atomic():
            locked = Import.objects.select_for_update(of=("self",)).select_related("current_version").get(pk=item.pk)
            if locked.current_version is None:
                return
            changed, removed = folder / "changed.csv", folder / "removed.csv"
            with contextlib.closing(open_duckdb(folder)) as con:
                write_whole_index(con, folder_of(locked).version(locked.current_version.pk), changed, removed)
            update_index(locked, changed, removed)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
