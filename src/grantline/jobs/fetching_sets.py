"""Imports that read all files of a folder: listed, checked for being whole, read one after the other.

In: an import whose pattern ends in `/` or `/**`, and a session. Out: `Unchanged`, or `Fetched` whose path
is a folder of the files under their own names. Folder markers and helper files are passed over; marks and
manifests come along for `reading.parts` to check. One object that cannot be read fails the whole: a set
that lost a part would remove what the part held. While the mark that the mapping waits for is missing,
nothing has changed, until a deadline.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from grantline.aws.objects import ObjectInfo, list_objects
from grantline.aws.reads import Evidence, download
from grantline.aws.sessions import BucketSession
from grantline.errors import SourceArchived, SourceIncompleteSet, SourceNotFound, SourceTooLarge
from grantline.reading.parts import MANIFESTS, PARTS_LIMIT, is_helper

Progress = Callable[[int, int], None]

READY_WAIT = timedelta(hours=1)
"""How long after the newest file the mark of a set may still be missing."""
NAMED_OBJECTS = 1_000
"""Objects that the evidence names one by one; the digest covers all."""
NAME_BYTES = 200


def reads_all(pattern: str) -> bool:
    """Whether a pattern means every file of a folder, not the newest match."""
    return pattern.endswith("/") or pattern.endswith("/**") or pattern == "**"


def folder_of(pattern: str) -> str:
    """The prefix whose files are read."""
    return pattern.removesuffix("**")


def look_at_set(session: BucketSession, pattern: str, mapping: dict[str, Any]) -> list[ObjectInfo]:
    """The files of the set and its marks, in key order.

    Raises: `SourceNotFound` where there is no file, `SourceArchived`, `SourceTooLarge` for too many, and
    what a listing that fails in the middle raises.
    """
    start = folder_of(pattern)
    marks = {*MANIFESTS, mapping.get("ready")}
    found = []
    for info in list_objects(session, start):
        name = info.key.removeprefix(start)
        if name and (name in marks or not is_helper(name)):
            found.append(info)
        if len(found) > PARTS_LIMIT:
            raise SourceTooLarge(f"s3://{session.bucket}/{start} holds more than {PARTS_LIMIT:,} files.")
    if not any(not is_helper(info.key.removeprefix(start)) for info in found):
        raise SourceNotFound(
            f"There is no file under s3://{session.bucket}/{start}.",
            remedy="Check the folder's name, or whether the job that writes the files has run.",
        )
    for info in found:
        if info.is_archived:
            raise SourceArchived(f"{info.key} is in {info.storage_class}, so the set cannot be read whole.")
    return found


def is_awaited(found: Sequence[ObjectInfo], pattern: str, mapping: dict[str, Any], now: datetime) -> bool:
    """Whether the mark of the set is not there yet, and may still come.

    Raises: `SourceIncompleteSet` once its time is over.
    """
    mark = mapping.get("ready")
    if mark is None or any(info.key == folder_of(pattern) + mark for info in found):
        return False
    if now - max(info.last_modified_at for info in found) < READY_WAIT:
        return True
    raise SourceIncompleteSet(f"{folder_of(pattern)}{mark} is not there, so the set of files is not complete.")


def what_is_seen_of_set(bucket: str, pattern: str, found: Sequence[ObjectInfo], mapping: str) -> dict[str, Any]:
    """What decides whether anything changed: all objects' identities and the mapping's."""
    identities = json.dumps([(info.key, info.etag, info.size_bytes) for info in found])
    return {
        "bucket": bucket,
        "pattern": pattern,
        "objects": len(found),
        "digest": hashlib.sha256(identities.encode()).hexdigest(),
        "mapping": mapping,
    }


def download_set(
    opened: Callable[[ObjectInfo], BucketSession],
    pattern: str,
    found: Sequence[ObjectInfo],
    target: Path,
    *,
    limit_bytes: int,
    progress: Progress | None = None,
) -> list[Evidence]:
    """Write every object below `target`, a new folder, under its own name.

    `opened` gives the session to read one object with, narrowed to that object.

    Raises: `SourceTooLarge` where they are larger together than the limit; whatever reading one raises,
    with its key.
    """
    total = sum(info.size_bytes for info in found)
    if total > limit_bytes:
        raise SourceTooLarge(f"The files have {total:,} bytes together; the limit is {limit_bytes:,}.")
    target.mkdir(mode=0o700)
    done, evidence = 0, []
    for info, place in zip(found, _places(found, folder_of(pattern), target), strict=True):
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        base = done
        report = (lambda received, _total, base=base: progress(base + received, total)) if progress else None
        evidence.append(download(opened(info), info, place, limit_bytes=limit_bytes, progress=report))
        done += info.size_bytes
    return evidence


def _places(found: Sequence[ObjectInfo], start: str, target: Path) -> list[Path]:
    """Where each object goes. Keys are hostile: one that is no plain relative path gets a name of ours."""
    names = [info.key.removeprefix(start) for info in found]
    folders = {"/".join(name.split("/")[:depth]) for name in names for depth in range(1, name.count("/") + 1)}
    return [
        target / (name if _is_plain(name) and name not in folders else f"object-{index}")
        for index, name in enumerate(names)
    ]


def _is_plain(name: str) -> bool:
    steps = name.split("/")
    return all(step not in ("", ".", "..") and len(step.encode()) <= NAME_BYTES for step in steps) and len(steps) < 20


def evidence_of_set(session: BucketSession, pattern: str, read: Sequence[Evidence]) -> dict[str, Any]:
    """The set's evidence: every object with its hash, and one hash of all."""
    whole = hashlib.sha256("\n".join(f"{one.sha256}  {one.key}" for one in read).encode()).hexdigest()
    return {
        "bucket": session.bucket,
        "key": folder_of(pattern),
        "size_bytes": sum(one.size_bytes for one in read),
        "sha256": whole,
        "last_modified_at": _iso(max(one.last_modified_at for one in read)),
        "read_at": _iso(max(one.read_at for one in read)),
        "role_arn": session.role.text,
        "object_count": len(read),
        "objects": [
            {
                "key": one.key,
                "etag": one.etag,
                "version_id": one.version_id,
                "size_bytes": one.size_bytes,
                "sha256": one.sha256,
            }
            for one in read[:NAMED_OBJECTS]
        ],
    }


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
