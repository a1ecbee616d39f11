"""From the control plane's versions to the catalog's snapshots.

In: imports and their `Version` rows. Out: `Snapshot`s for diff and look-ups. The control plane knows
which version is current and which versions ended rows; the catalog knows where their files lie.
"""

from __future__ import annotations

from grantline.catalog.lake import ImportFolder
from grantline.control.applications.catalog import snapshot_of
from grantline.control.imports.models import Import
from grantline.jobs.installation import lake_root

__all__ = ["folder_of", "snapshot_of"]


def folder_of(item: Import) -> ImportFolder:
    """Where the versions of an import lie."""
    return ImportFolder(lake_root(), item.organization_id, item.pk)
