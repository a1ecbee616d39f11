"""`grantline export --format c1z`: an application as a file that the tools of that format open.

In: the application, a moment or none, perhaps an earlier moment. Out: the file, whole or not at all. With an
earlier moment the file holds two syncs, which those tools compare (`diff`). The moment of a sync is that
of the newest version in it, so that the same state always gives the same file.
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Any

from grantline.errors import InputInvalid, NotFound
from grantline.formats.c1z_write import Sync, write_c1z


def write_application(output: Path, application: Any, moment: datetime | None, earlier: datetime | None) -> int:
    """Write `output`; returns how many grants of the newest state are in it.

    Raises: `NotFound` where nothing was published by then, `InputInvalid` where the file cannot be written.
    """
    moments = [earlier, moment] if earlier is not None else [moment]
    found = [_sync(application, at) for at in moments]
    draft = output.with_name(f"{output.name}.{os.getpid()}.part")
    try:
        write_c1z(draft, [sync for sync, _ in found])
        draft.replace(output)
    except OSError as error:
        raise InputInvalid(f"{output} cannot be written: {error.strerror}.", field="--output") from error
    finally:
        draft.unlink(missing_ok=True)
    return found[-1][1]


def _sync(application: Any, moment: datetime | None) -> tuple[Sync, int]:
    from grantline.control.applications.catalog import catalog_of
    from grantline.control.organizations.rules import worker_scope
    from grantline.control.runs.models import Version
    from grantline.control.tenancy import scoped

    catalog = catalog_of(worker_scope(application.organization_id), application, moment)
    versions = scoped(Version, application).filter(of_import__application=application)
    if moment is not None:
        versions = versions.filter(published_at__lte=moment)
    newest = versions.order_by("-published_at", "-id").first()
    if catalog.is_empty or newest is None:
        raise NotFound(f"Nothing of {application.name} was published by then, so there is nothing to write.")
    sync = Sync(
        name=f"{application.pk} {newest.pk}",
        started_at=newest.published_at,
        ended_at=newest.published_at,
        accounts=catalog.export("account"),
        entitlements=catalog.export("entitlement"),
        grants=catalog.export("grant"),
    )
    return sync, catalog.counts().grants
