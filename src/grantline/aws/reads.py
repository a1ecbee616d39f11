"""Reading one object, pinned: what is it now, and its bytes as one unbroken version.

In: a `BucketSession`, a key or the `ObjectInfo` of a head. Out: an `ObjectInfo`, or a file on disk and the
`Evidence` of what was read. Invariants: every GET of a download, resumed ones too, names the version or
the ETag, so that no file is ever half old and half new; bytes are counted against the length and a limit
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

from grantline.aws.failures import AWS_ERRORS
from grantline.aws.objects import ObjectInfo
from grantline.aws.sessions import BucketSession
from grantline.errors import (
    SourceChanged,
    SourceDenied,
    SourceError,
    SourceNotFound,
    SourceTooLarge,
    SourceTruncated,
)

CHUNK_BYTES = 1024 * 1024
RESUMES = 5
"""How often a cut connection is taken up again in one download."""
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
        self.limit_bytes, self.progress = limit_bytes, progress
        self.received = 0
        self.digest = hashlib.sha256()
        self.checksum: str | None = None
        self.by_version = info.version_id is not None

    def run(self) -> Evidence:
        self._refuse_too_large(self.info.size_bytes)
        for attempt in range(RESUMES + 1):
            if attempt and self.received >= self.info.size_bytes:
                self._start_over()
            if self._read_rest():
                return self._evidence()
        raise SourceTruncated(
            f"{self.session.where('get_object', self.info.key).subject}: only {self.received:,} of "
            f"{self.info.size_bytes:,} bytes arrived, after {RESUMES + 1} attempts."
        )

    def _read_rest(self) -> bool:
        """Whether everything arrived; False where the connection broke off."""
        answer = self._open()
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

    def _open(self) -> dict[str, Any]:
        parameters: dict[str, Any] = {"Key": self.info.key, "IfMatch": f'"{self.info.etag}"'}
        if self.received:
            parameters["Range"] = f"bytes={self.received}-"
        if self.by_version:
            try:
                return self._get(parameters | {"VersionId": self.info.version_id})
            except SourceDenied:
                # Reading a version by its id needs a permission of its own; the ETag pins as well.
                self.by_version = False
        return self._get(parameters)

    def _get(self, parameters: dict[str, Any]) -> dict[str, Any]:
        try:
            return self.session.call("get_object", kms_key=self.info.kms_key, **parameters)
        except SourceDenied as error:
            raise missing_or_denied(self.session, self.info.key, error) from None

    def _take(self, chunk: bytes) -> None:
        self.received += len(chunk)
        self._refuse_too_large(self.received)
        if self.received > self.info.size_bytes:
            raise SourceTruncated(
                f"{self.session.where('get_object', self.info.key).subject}: more bytes arrived than the "
                f"{self.info.size_bytes:,} that S3 announced."
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

    def _refuse_too_large(self, size_bytes: int) -> None:
        if size_bytes > self.limit_bytes:
            raise SourceTooLarge(
                f"{self.session.where('get_object', self.info.key).subject} has {self.info.size_bytes:,} bytes; "
                f"the limit is {self.limit_bytes:,}.",
                remedy="Split the file, or have the people who run Grantline raise GRANTLINE_SPOOL_LIMIT_MB.",
            )

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


def missing_or_denied(session: BucketSession, key: str, denied: SourceDenied) -> SourceError:
    """The error for a refused read: S3 says 403 for a missing key too, where it hides what exists.

    A listing of exactly this key tells the two apart, if listing is allowed.
    """
    try:
        answer = session.call("list_objects_v2", Prefix=key, MaxKeys=1)
    except SourceDenied:
        return SourceDenied(
            f"{session.where('get_object', key).subject}: either it does not exist, or role "
            f"{session.role} may not read it. S3 hides which, because listing is refused too.",
            remedy="Allow s3:ListBucket and s3:GetObject as in the permission policy on the data source's page.",
            **denied.facts,
        )
    except SourceError:
        return denied
    if any(entry["Key"] == key for entry in answer.get("Contents", ())):
        return denied
    return SourceNotFound(f"There is no object {key} in the bucket {session.bucket}.", **denied.facts)


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
