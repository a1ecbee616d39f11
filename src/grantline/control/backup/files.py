"""The lake's files that a backup needs: those of every current and held version, with their history.

In: a snapshot of the control plane. Out: paths, and hard links to them. Files of the lake never change, so
a link is as good as a copy; it also keeps a file that the clean-up takes away meanwhile.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from grantline.control.imports.models import Import, Upload
from grantline.control.lake import folder_of, lake_root, snapshot_of
from grantline.control.runs.models import RunState


def needed_folders() -> Iterator[Path]:
    """The folders of the lake that answers about any kept moment need."""
    for item in Import.objects.select_related("current_version"):
        place = folder_of(item)
        if (snapshot := snapshot_of(item)) is not None:
            yield snapshot.folder
            yield from snapshot.history
        for version_id in item.runs.filter(state=RunState.HELD).values_list("staged_version_id", flat=True):
            yield place.version(version_id)
            if place.history(version_id).is_dir():
                yield place.history(version_id)


def link_lake(target: Path) -> int:
    """Link what is needed below `target`, as it lies in the lake. Returns how many files.

    Raises: `FileNotFoundError` where a folder was cleaned away since the snapshot began.
    """
    return sum(link_tree(folder, target / folder.relative_to(lake_root())) for folder in needed_folders())


def link_uploads(target: Path) -> int:
    """The same for the files by hand that are still kept."""
    folder, count = settings.GRANTLINE.data_dir / "uploads", 0
    for organization_id, upload_id in Upload.objects.values_list("organization_id", "pk"):
        source = folder / organization_id / upload_id
        if source.is_file():
            link_file(source, target / organization_id / upload_id)
            count += 1
    return count


def link_tree(source: Path, target: Path) -> int:
    """Every file below `source`, linked or copied below `target`. Returns how many."""
    count = 0
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(source.iterdir()):
        count += link_tree(path, target / path.name) if path.is_dir() else link_file(path, target / path.name)
    return count


def link_file(source: Path, target: Path) -> int:
    """One file under a second name: a hard link where the disk can, else a copy."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copy2(source, target)
    return 1
