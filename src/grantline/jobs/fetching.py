"""The first stage: what is there now, and the file in the spool if it is not what was seen last.

In: an import and its run. Out: `Unchanged`, or `Fetched` with the file's path and the evidence. An object
is read through its data source's role and nothing else; a file by hand is read where the upload lies.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from grantline.aws.objects import ObjectInfo, newest
from grantline.aws.reads import Evidence, download, head
from grantline.aws.sessions import BucketSession
from grantline.control.applications.aliases import aliases_digest, aliases_of
from grantline.control.imports.models import Import, Upload
from grantline.control.imports.references import current_state, with_state
from grantline.control.sources.models import DataSource
from grantline.errors import SourceNotFound
from grantline.jobs.fetching_sets import (
    download_set,
    evidence_of_set,
    is_awaited,
    look_at_set,
    reads_all,
    what_is_seen_of_set,
)
from grantline.jobs.installation import spool_limit_bytes, upload_folder
from grantline.jobs.sessions import require_still_connected, session_for

Progress = Callable[[int, int], None]
"""Told how many bytes of how many were read."""


@dataclass(frozen=True)
class Fetched:
    """A file to read: where it is, what it was called, where it came from.

    `seen` is what the import remembers if this reading succeeds. `temporary` files are the reader's to
    remove.
    """

    path: Path
    name: str
    evidence: dict[str, Any]
    seen: dict[str, Any] | None
    temporary: bool


@dataclass(frozen=True)
class Unchanged:
    """What is there is what was read last, with the same mapping: no byte was read."""

    evidence: dict[str, Any]


def fetch(
    item: Import,
    *,
    subject_id: str,
    spool: Path,
    upload: Upload | None = None,
    always: bool = False,
    on_progress: Progress | None = None,
) -> Fetched | Unchanged:
    """The import's file, or that it has not changed. `always` reads it even then.

    Raises: `SourceError`, `Conflict` where the data source is not connected.
    """
    if upload is not None:
        return fetch_upload(upload)
    source = item.data_source
    if source is None:
        raise SourceNotFound("There is no file yet: this import takes files by hand.", remedy="Upload a file.")
    session = session_for(source, subject_id=subject_id, key=item.key or None)
    if reads_all(item.pattern):
        return fetch_set(
            item, session, spool / f"{subject_id}.set", always=always, subject_id=subject_id, on_progress=on_progress
        )
    info = look(session, item)
    seen = what_is_seen(source.bucket, info, item.mapping)
    seen = _with_surroundings(item, seen)
    if not always and item.current_version_id is not None and seen == item.seen:
        return Unchanged(evidence={**_described(session, info), **_remembered(item)})
    target = spool / f"{subject_id}.spool"
    reading = narrowed(session, source, info, subject_id)
    evidence = download(reading, info, target, limit_bytes=spool_limit_bytes(), progress=on_progress)
    require_still_connected(source)
    seen = {**seen, "etag": evidence.etag, "version_id": evidence.version_id, "size_bytes": evidence.size_bytes}
    return Fetched(target, info.key, evidence_document(evidence), seen, temporary=True)


def fetch_set(
    item: Import,
    session: BucketSession,
    target: Path,
    *,
    subject_id: str,
    always: bool = False,
    on_progress: Progress | None = None,
) -> Fetched | Unchanged:
    """All files of the import's folder, or that nothing has changed, or is not complete yet."""
    source = item.data_source
    assert source is not None, "there is a session, so there is a source"  # noqa: S101
    found = look_at_set(session, item.pattern, item.mapping)
    seen = what_is_seen_of_set(source.bucket, item.pattern, found, mapping_digest(item.mapping))
    seen = _with_surroundings(item, seen)
    may_wait = not always and item.current_version_id is not None
    if may_wait and (seen == item.seen or is_awaited(found, item.pattern, item.mapping, datetime.now(UTC))):
        return Unchanged(evidence={"bucket": source.bucket, "key": item.pattern, **_remembered(item)})
    read = download_set(
        lambda info: narrowed(session, source, info, subject_id),
        item.pattern,
        found,
        target,
        limit_bytes=spool_limit_bytes(),
        progress=on_progress,
    )
    require_still_connected(source)
    if [one.etag for one in read] != [info.etag for info in found]:
        seen = {**seen, "digest": ""}  # one was replaced while the others were read: look again next time
    return Fetched(target, item.pattern, evidence_of_set(session, item.pattern, read), seen, temporary=True)


def fetch_upload(upload: Upload) -> Fetched:
    """A file by hand, where it lies."""
    path = upload_path(upload)
    if not path.exists():
        raise SourceNotFound(f"The file {upload.file_name} is not kept any more.", remedy="Upload it again.")
    evidence = {
        "file_name": upload.file_name,
        "size_bytes": upload.size_bytes,
        "sha256": upload.sha256,
        "read_at": _iso(upload.created_at),
        "uploaded_by": upload.created_by,
    }
    return Fetched(path, upload.file_name, evidence, None, temporary=False)


def look(session: BucketSession, item: Import) -> ObjectInfo:
    """What the key names now, or the newest object that the pattern finds. Raises: `SourceNotFound`."""
    if item.key:
        return head(session, item.key)
    found = newest(session, item.pattern)
    if found is None:
        raise SourceNotFound(
            f"No object in s3://{session.bucket} matches {item.pattern}.",
            remedy="Check the pattern, or whether the job that writes the file has run.",
        )
    return head(session, found.key)


def narrowed(session: BucketSession, source: DataSource, info: ObjectInfo, subject_id: str) -> BucketSession:
    """The session to download `info` with: one that can read this object and no other."""
    if session.key == info.key:
        return session
    return session_for(source, subject_id=subject_id, key=info.key)


def what_is_seen(bucket: str, info: ObjectInfo, mapping: dict[str, Any]) -> dict[str, Any]:
    """What decides whether anything changed: the object's identity and the mapping's."""
    return {
        "bucket": bucket,
        "key": info.key,
        "version_id": info.version_id,
        "etag": info.etag,
        "size_bytes": info.size_bytes,
        "mapping": mapping_digest(mapping),
    }


def _with_surroundings(item: Import, seen: dict[str, Any]) -> dict[str, Any]:
    """`seen`, with what outside the object decides what it says: declared keys, and lists it refers to."""
    if aliases := aliases_of(item, item.application_id):
        seen = {**seen, "aliases": aliases_digest(aliases)}
    return with_state(seen, current_state(item))


def mapping_digest(mapping: dict[str, Any]) -> str:
    """SHA-256 of a mapping document, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(mapping, sort_keys=True).encode()).hexdigest()


def upload_path(upload: Upload) -> Path:
    """Where a file by hand lies; its own name is no part of the path."""
    return upload_folder(upload.organization_id) / upload.pk


def evidence_document(evidence: Evidence) -> dict[str, Any]:
    """The evidence as the run's record keeps it: times in ISO 8601, UTC."""
    document = asdict(evidence)
    return document | {name: _iso(document[name]) for name in ("last_modified_at", "read_at")}


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _described(session: BucketSession, info: ObjectInfo) -> dict[str, Any]:
    return {
        "bucket": session.bucket,
        "key": info.key,
        "version_id": info.version_id,
        "etag": info.etag,
        "size_bytes": info.size_bytes,
        "last_modified_at": _iso(info.last_modified_at),
        "role_arn": session.role.text,
    }


def _remembered(item: Import) -> dict[str, Any]:
    """The hash of the reading that made the current version, whose bytes these still are."""
    run = item.runs.filter(state="published", evidence__sha256__isnull=False).order_by("-number").first()
    return {"sha256": run.evidence["sha256"]} if run and run.evidence else {}
