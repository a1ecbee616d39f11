"""Reading one object, pinned: what is it now, and its bytes as one unbroken version.

In: a `BucketSession`, a key or the `ObjectInfo` of a head. Out: an `ObjectInfo`, or a file on disk and the
`Evidence` of what was read. Invariants: every GET of a download, resumed ones and ranges too, names the
version or the ETag (`pinned`), so that no file is ever half old and half new; a large object comes in ranges
side by side (`ranges`) and is written in order; bytes are counted against the length and a limit
and hashed while they stream; the file is made with mode 0600 and is gone again if the read fails. S3's
own checksum, where it sends one, is verified by botocore as the bytes pass.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from grantline.aws import ranges
from grantline.aws.failures import AWS_ERRORS
from grantline.aws.objects import ObjectInfo
from grantline.aws.pinned import CHUNK_BYTES, RESUMES, Pin, missing_or_denied, pause
from grantline.aws.sessions import BucketSession
from grantline.errors import SourceChanged, SourceDenied, SourceError, SourceTruncated

CHECKSUMS = ("ChecksumSHA256", "ChecksumSHA1", "ChecksumCRC64NVME", "ChecksumCRC32C", "ChecksumCRC32")

Progress = Callable[[int, int], None]
"""Called with the bytes received and the bytes to come in all."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was read, for the run's record. `sha256` is of the bytes as they lay in the bucket; `checksum` is
    S3's own (`SHA256:…`), where it sent one."""

    bucket: str
    key: str
    version_id: str | None
    etag: str
    size_bytes: int
    sha256: str
    last_modified_at: datetime
    read_at: datetime
    role_arn: str
    checksum: str | None = None


def head(session: BucketSession, key: str) -> ObjectInfo:
    """What the object is now; no byte of it is read.

    Raises: `SourceNotFound`; `SourceDenied` where S3 hides whether it exists; others of the source tree.
    """
    try:
        answer = session.call("head_object", Key=key)
    except SourceError as error:
        if error.facts.get("status") not in (400, 403, 404):
            raise
    else:
        return _from_head(key, answer)
    # A HEAD's refusal has no body and so no reason: ask again in a way that has one.
    return _head_by_reading(session, key)


def download(
    session: BucketSession,
    info: ObjectInfo,
    target: Path,
    *,
    limit_bytes: int,
    progress: Progress | None = None,
) -> Evidence:
    """Write the object that `info` describes to `target`, a new file, and say what was read.

    Where the object was replaced meanwhile the read starts over once, with what is there now; the
    evidence then names the new version. Raises: `SourceTooLarge`, `SourceChanged`, `SourceTruncated`,
    others of the source tree; `FileExistsError` where `target` exists.
    """
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            try:
                return _Read(session, info, file, limit_bytes, progress).run()
            except SourceChanged:
                file.seek(0)
                file.truncate()
            return _Read(session, head(session, info.key), file, limit_bytes, progress).run()
    except BaseException:
        target.unlink(missing_ok=True)
        raise


class _Read:
    """One attempt to read one version from its first byte to its last."""

    def __init__(
        self,
        session: BucketSession,
        info: ObjectInfo,
        file: BinaryIO,
        limit_bytes: int,
        progress: Progress | None,
    ) -> None:
        self.session, self.info, self.file = session, info, file
        self.pin = Pin(session, info)
        self.limit_bytes, self.progress = limit_bytes, progress
        self.received = 0
        self.digest = hashlib.sha256()
        self.checksum: str | None = None

    def run(self) -> Evidence:
        self.pin.refuse_too_large(self.info.size_bytes, self.limit_bytes)
        if self.info.size_bytes >= ranges.PARALLEL_FROM_BYTES:
            try:
                return self._side_by_side()
            except ranges.RangesIgnored:
                self._start_over()
        return self._in_one_piece()

    def _side_by_side(self) -> Evidence:
        for piece in ranges.read_in_ranges(self.pin, ranges.RANGE_BYTES):
            self._take(piece)
        return self._evidence()

    def _in_one_piece(self) -> Evidence:
        for attempt in range(RESUMES + 1):
            if attempt:
                pause(attempt)
            if attempt and self.received >= self.info.size_bytes:
                self._start_over()
            if self._read_rest():
                return self._evidence()
        raise SourceTruncated(
            f"{self.pin.subject}: only {self.received:,} of {self.info.size_bytes:,} bytes arrived, after "
            f"{RESUMES + 1} attempts."
        )

    def _read_rest(self) -> bool:
        """Whether everything arrived; False where the connection broke off."""
        answer = self.pin.get(f"bytes={self.received}-" if self.received else None)
        self.checksum = self.checksum or _checksum(answer)
        body = answer["Body"]
        if self.received and answer["ResponseMetadata"]["HTTPStatusCode"] != 206:
            self._start_over()
        try:
            for chunk in _chunks(body):
                self._take(chunk)
        except AWS_ERRORS:
            return False
        finally:
            body.close()
        return self.received == self.info.size_bytes

    def _take(self, chunk: bytes) -> None:
        self.received += len(chunk)
        self.pin.refuse_too_large(self.received, self.limit_bytes)
        if self.received > self.info.size_bytes:
            raise SourceTruncated(
                f"{self.pin.subject}: more bytes arrived than the {self.info.size_bytes:,} that S3 announced."
            )
        self.digest.update(chunk)
        self.file.write(chunk)
        if self.progress is not None:
            self.progress(self.received, self.info.size_bytes)

    def _start_over(self) -> None:
        """For a store that does not resume, and for a checksum that does not fit the bytes."""
        self.file.seek(0)
        self.file.truncate()
        self.received, self.digest = 0, hashlib.sha256()

    def _evidence(self) -> Evidence:
        self.file.flush()
        return Evidence(
            bucket=self.session.bucket,
            key=self.info.key,
            version_id=self.info.version_id,
            etag=self.info.etag,
            size_bytes=self.received,
            sha256=self.digest.hexdigest(),
            last_modified_at=self.info.last_modified_at,
            read_at=self.session.clock(),
            role_arn=self.session.role.text,
            checksum=self.checksum,
        )


def _head_by_reading(session: BucketSession, key: str) -> ObjectInfo:
    try:
        answer = session.call("get_object", Key=key, Range="bytes=0-0")
    except SourceDenied as error:
        raise missing_or_denied(session, key, error) from None
    answer["Body"].close()
    total = str(answer.get("ContentRange", "")).rpartition("/")[2]
    return _from_head(key, {**answer, "ContentLength": int(total) if total.isdigit() else 0})


def _from_head(key: str, answer: dict[str, Any]) -> ObjectInfo:
    return ObjectInfo(
        key=key,
        size_bytes=int(answer["ContentLength"]),
        etag=str(answer.get("ETag", "")).strip('"'),
        last_modified_at=answer["LastModified"].astimezone(UTC),
        storage_class=answer.get("StorageClass") or "STANDARD",
        version_id=answer.get("VersionId"),
        kms_key=_kms_key(answer),
    )


def _kms_key(answer: dict[str, Any]) -> str | None:
    if str(answer.get("ServerSideEncryption", "")).startswith("aws:kms"):
        return str(answer.get("SSEKMSKeyId") or "") or None
    return None


def _checksum(answer: dict[str, Any]) -> str | None:
    return next((f"{name.removeprefix('Checksum')}:{answer[name]}" for name in CHECKSUMS if answer.get(name)), None)


def _chunks(body: Any) -> Iterator[bytes]:
    while chunk := body.read(CHUNK_BYTES):
        yield chunk
