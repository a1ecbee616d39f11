"""The lake: where the versions of every import lie on disk.

Owns the layout and nothing else knows it:

    <root>/<organization>/<import>/versions/<version>/   accounts · entitlements · grants · manifest
    <root>/<organization>/<import>/history/<version>/    rows that this version ended
    <root>/<organization>/<import>/merged/<version>/     the same of all versions up to this one

Merged history saves look-ups from opening many small files. What it covers is removed some time after
it was written; until then both are there, and it does not matter which one a reader takes.
A folder appears complete, by one rename, and never changes afterwards. Which version is current is the
control plane's knowledge: a folder that nothing points to is invisible, and `clean_up` removes it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from grantline.catalog.connection import lake_errors
from grantline.catalog.model import Snapshot
from grantline.errors import Conflict, LakeUnavailable

GRACE_SECONDS = 24 * 3600
"""How long a folder that nothing points to is left alone: a run may be about to publish it."""

COVERED = "covers.json"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


@dataclass(frozen=True)
class ImportFolder:
    """The folder of one import."""

    root: Path
    organization_id: str
    import_id: str

    def __post_init__(self) -> None:
        _checked(self.organization_id)
        _checked(self.import_id)

    @property
    def folder(self) -> Path:
        """The import's own folder."""
        return self.root / self.organization_id / self.import_id

    def version(self, version_id: str) -> Path:
        """The folder of a version's current rows."""
        return self.folder / "versions" / _checked(version_id)

    def history(self, version_id: str) -> Path:
        """The folder of the rows that a version ended; absent where it ended none."""
        return self.folder / "history" / _checked(version_id)

    def merged(self, version_id: str) -> Path:
        """The folder of the history of all versions up to this one, merged."""
        return self.folder / "merged" / _checked(version_id)

    def snapshot(self, number: int, version_id: str, history: Iterable[str] = ()) -> Snapshot:
        """The version as the look-ups take it; `history` names all versions up to it that ended rows,
        oldest first. Where history was merged, the snapshot names the merged folder in its place."""
        names = tuple(history)
        merged = self.merged_history(names)
        folders = [self.history(name) for name in names[merged.count if merged else 0 :]]
        if merged:
            folders.insert(0, merged.folder)
        return Snapshot(number, self.version(version_id), tuple(folders))

    def merged_history(self, history: Sequence[str]) -> Merged | None:
        """The merged folder that covers most of the first names of `history`; None where there is none."""
        best: Merged | None = None
        for folder in _folders(self.folder / "merged"):
            found = _as_prefix(folder, _covered(folder), tuple(history))
            if found and (best is None or (found.count, -found.older) > (best.count, -best.older)):
                best = found
        return best

    def merged_count(self, history: Sequence[str]) -> int:
        """How many of the first names of `history` are merged."""
        merged = self.merged_history(history)
        return merged.count if merged else 0

    def clean_up(
        self,
        keep_versions: Collection[str],
        keep_history: Sequence[str],
        *,
        staged: Collection[str] = (),
        grace_seconds: float = GRACE_SECONDS,
        now: float | None = None,
    ) -> tuple[Path, ...]:
        """Remove version and history folders that are not named, and left-overs of broken writes.

        `keep_history` is in the order of the versions, oldest first; `staged` names versions that wait
        for a person and may have history too. A folder younger than `grace_seconds` stays, named or not.
        What a merged folder covers goes as soon as that folder is older than this: whoever began to read
        before it was there has ended by then. Returns what was removed.
        """
        oldest = (time.time() if now is None else now) - grace_seconds
        gone: list[Path] = []
        merged = self.merged_history(keep_history)
        covered: set[str] = set()
        keep_merged: set[str] = set()
        if merged and _changed_at(merged.folder) <= oldest:
            covered, keep_merged = set(keep_history[: merged.count]), {merged.folder.name}
        elif merged:
            keep_merged = {folder.name for folder in _folders(self.folder / "merged") if _covered(folder)}
        history = (set(keep_history) - covered) | set(staged)
        for parent, keep in (("versions", keep_versions), ("history", history), ("merged", keep_merged)):
            for folder in _folders(self.folder / parent):
                if folder.name in keep or _changed_at(folder) > oldest:
                    continue
                shutil.rmtree(folder, ignore_errors=True)
                gone.append(folder)
        return tuple(gone)

    def remove(self) -> None:
        """Remove the import's folder with everything in it; for an import that was deleted."""
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(frozen=True)
class Merged:
    """A merged folder as it serves a history: it holds that of the first `count` versions, and of `older`
    ones that are not asked about any more."""

    folder: Path
    count: int
    older: int


def _as_prefix(folder: Path, covered: tuple[str, ...], history: tuple[str, ...]) -> Merged | None:
    """How a folder that covers these versions serves `history`; None where it does not."""
    if not history or history[0] not in covered:
        return None
    older = covered.index(history[0])
    rest = covered[older:]
    return Merged(folder, len(rest), older) if rest == history[: len(rest)] else None


@contextmanager
def new_folder(final: Path) -> Iterator[Path]:
    """A folder to write into that becomes `final` by one rename when the block ends.

    Every file and both folders are synced before the rename is reported. Where the block fails, nothing
    is left. Raises: `Conflict` where `final` is there already; `LakeUnavailable`.
    """
    if final.exists():
        raise Conflict(f"The lake already has a folder {final.name}.", remedy="Publish under a new version id.")
    fresh = final.with_name(f"{final.name}.{os.getpid()}-{time.monotonic_ns()}.part")
    try:
        with lake_errors("Writing a version"):
            fresh.mkdir(parents=True)
            yield fresh
            for file in sorted(fresh.iterdir()):
                _sync(file)
            _sync(fresh)
            fresh.rename(final)
            _sync(final.parent)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise


def existing(folders: Sequence[Path], name: str) -> list[Path]:
    """The files called `name` in `folders` that are there. Raises: `LakeUnavailable` where a folder is not:
    leaving it out would change answers about the past."""
    for folder in folders:
        needed(folder)
    return [folder / name for folder in folders if (folder / name).exists()]


def needed(path: Path) -> Path:
    """`path`. Raises: `LakeUnavailable` where it is not there."""
    if not path.exists():
        raise LakeUnavailable(
            f"A file of version {path.parent.name} is missing: {path.name}.",
            remedy="Restore the data directory from its backup.",
        )
    return path


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise LakeUnavailable(f"{name!r} is not a name the lake can use for a folder.")
    return name


def write_covered(folder: Path, history: Sequence[str]) -> None:
    """Say in a merged folder which versions' history it holds."""
    (folder / COVERED).write_text(json.dumps(list(history)), encoding="utf-8")


def _covered(folder: Path) -> tuple[str, ...]:
    """The versions whose history a merged folder holds; none where it is not complete."""
    try:
        return tuple(json.loads((folder / COVERED).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return ()


def _folders(parent: Path) -> list[Path]:
    with lake_errors("Listing the lake"):
        return sorted(path for path in parent.iterdir() if path.is_dir()) if parent.is_dir() else []


def _changed_at(folder: Path) -> float:
    return max((path.lstat().st_mtime for path in (folder, *folder.iterdir())), default=0.0)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
