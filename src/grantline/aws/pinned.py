"""Reads of one version of one object: every GET names the version or the ETag.

In: a `BucketSession`, an `ObjectInfo`. Out: answers of S3 that are about exactly that version, whole or a
range of it. Invariant: an answer about another version is never handed on, whether S3 refuses it (412) or
a compatible store ignores the condition. May be shared by threads.
"""

from __future__ import annotations

import random
import time
from typing import Any

from grantline.aws.objects import ObjectInfo
from grantline.aws.sessions import BucketSession
from grantline.errors import SourceChanged, SourceDenied, SourceError, SourceNotFound, SourceTooLarge

CHUNK_BYTES = 1024 * 1024
RESUMES = 5
"""How often a cut connection is taken up again in one download, or in one range of it."""
PAUSE_SECONDS = 0.2
"""Before the first resumption, at most; doubled with each further one."""
LONGEST_PAUSE_SECONDS = 5.0


class Pin:
    """One version of one object."""

    def __init__(self, session: BucketSession, info: ObjectInfo) -> None:
        self.session, self.info = session, info
        self._by_version = info.version_id is not None

    @property
    def subject(self) -> str:
        """The object, as messages name it."""
        return self.session.where("get_object", self.info.key).subject

    def get(self, bytes_range: str | None = None) -> dict[str, Any]:
        """S3's answer, its body unread. Raises: `SourceChanged` and others of the source tree."""
        parameters: dict[str, Any] = {"Key": self.info.key, "IfMatch": f'"{self.info.etag}"'}
        if bytes_range is not None:
            parameters["Range"] = bytes_range
        if self._by_version:
            try:
                return self._same(self._ask(parameters | {"VersionId": self.info.version_id}))
            except SourceDenied:
                # Reading a version by its id needs a permission of its own; the ETag pins as well.
                self._by_version = False
        return self._same(self._ask(parameters))

    def refuse_too_large(self, size_bytes: int, limit_bytes: int) -> None:
        """Raises: `SourceTooLarge` for more bytes than the limit."""
        if size_bytes > limit_bytes:
            raise SourceTooLarge(
                f"{self.subject} has {self.info.size_bytes:,} bytes; the limit is {limit_bytes:,}.",
                remedy="Split the file, or have the people who run Grantline raise GRANTLINE_SPOOL_LIMIT_MB.",
            )

    def _ask(self, parameters: dict[str, Any]) -> dict[str, Any]:
        try:
            return self.session.call("get_object", kms_key=self.info.kms_key, **parameters)
        except SourceDenied as error:
            raise missing_or_denied(self.session, self.info.key, error) from None

    def _same(self, answer: dict[str, Any]) -> dict[str, Any]:
        etag = str(answer.get("ETag") or "").strip('"')
        if etag and self.info.etag and etag != self.info.etag:
            answer["Body"].close()
            raise SourceChanged(f"{self.subject} was replaced while it was being read.")
        return answer


def pause(attempt: int) -> None:
    """Wait before a further attempt (from 1): longer each time, and by chance, so that many do not come back
    at once."""
    time.sleep(random.uniform(0, min(PAUSE_SECONDS * 2 ** (attempt - 1), LONGEST_PAUSE_SECONDS)))  # noqa: S311


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
