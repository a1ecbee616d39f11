"""Pinned reads of a local AWS, and the faults that only AWS makes."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from urllib3.exceptions import ProtocolError

from grantline.aws.reads import download, head
from grantline.errors import (
    SourceArchived,
    SourceChanged,
    SourceClock,
    SourceDenied,
    SourceError,
    SourceKmsDenied,
    SourceNotFound,
    SourceTooLarge,
    SourceTruncated,
    SourceUnavailable,
)
from tests.wire import Wire, answer, s3_error

from .conftest import Customer

pytestmark = pytest.mark.integration

KEY = "hr/Größe+1 100%25.csv"
MIB = 1024 * 1024
KMS_KEY = "arn:aws:kms:us-east-1:222222222222:key/00000000-0000-0000-0000-000000000000"


def put(customer: Customer, body: bytes, key: str = KEY) -> None:
    customer.stack.client("s3").put_object(Bucket=customer.bucket, Key=key, Body=body)


class Cut:
    """A raw body that breaks off after `good` bytes."""

    def __init__(self, good: bytes) -> None:
        self.good = good

    def read(self, amount: int | None = None) -> bytes:
        if not self.good:
            raise ProtocolError("Connection broken")
        chunk, self.good = self.good[:amount], b""
        return chunk

    def close(self) -> None:
        pass


def test_download_is_the_object_and_its_evidence(customer: Customer, tmp_path: Path) -> None:
    body = bytes(range(256)) * 10_000
    customer.stack.make_bucket(customer.bucket, {KEY: body})
    session = customer.session(customer.role("hr/"), "hr/")
    info = head(session, KEY)
    progress: list[tuple[int, int]] = []
    target = tmp_path / "spool"
    evidence = download(session, info, target, limit_bytes=10 * MIB, progress=lambda *seen: progress.append(seen))
    assert target.read_bytes() == body
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert evidence.sha256 == hashlib.sha256(body).hexdigest()
    assert (evidence.bucket, evidence.key, evidence.size_bytes) == (customer.bucket, KEY, len(body))
    assert (evidence.etag, evidence.version_id) == (info.etag, None)
    assert evidence.role_arn == session.role.text
    assert progress[-1] == (len(body), len(body))
    assert len(progress) == 3


def test_head_is_the_same_while_nothing_changed(customer: Customer) -> None:
    customer.stack.make_bucket(customer.bucket, {KEY: b"one"})
    session = customer.session(customer.role())
    first = head(session, KEY)
    assert head(session, KEY) == first
    put(customer, b"two")
    assert head(session, KEY).etag != first.etag


def test_download_reads_the_version_that_was_seen(customer: Customer, tmp_path: Path) -> None:
    customer.stack.make_bucket(customer.bucket, {KEY: b"first"}, versioned=True)
    session = customer.session(customer.role(versioned=True))
    info = head(session, KEY)
    put(customer, b"second, longer")
    evidence = download(session, info, tmp_path / "spool", limit_bytes=MIB)
    assert (tmp_path / "spool").read_bytes() == b"first"
    assert evidence.version_id == info.version_id
    assert evidence.version_id is not None


def test_download_pins_by_etag_where_versions_are_refused(customer: Customer, wire: Wire, tmp_path: Path) -> None:
    customer.stack.make_bucket(customer.bucket, {KEY: b"first"}, versioned=True)
    session = customer.session(customer.role(versioned=False))
    info = head(session, KEY)
    seen = []

    def refuse_versions(request: Any) -> Any:
        seen.append(request.headers.get("If-Match"))
        if "versionId" in request.url:
            return s3_error(403, "AccessDenied", "not authorized to perform: s3:GetObjectVersion")(request)
        return None

    wire.faults["GetObject"] = refuse_versions
    evidence = download(session, info, tmp_path / "spool", limit_bytes=MIB)
    assert (tmp_path / "spool").read_bytes() == b"first"
    assert evidence.version_id == info.version_id
    assert len(seen) == 2
    assert all(seen)


def test_object_replaced_after_head_is_read_anew(customer: Customer, tmp_path: Path) -> None:
    customer.stack.make_bucket(customer.bucket, {KEY: b"first"})
    session = customer.session(customer.role())
    info = head(session, KEY)
    put(customer, b"second, longer")
    evidence = download(session, info, tmp_path / "spool", limit_bytes=MIB)
    assert (tmp_path / "spool").read_bytes() == b"second, longer"
    assert evidence.etag == head(session, KEY).etag
    assert evidence.size_bytes == 14


def test_object_replaced_twice_is_source_changed(customer: Customer, wire: Wire, tmp_path: Path) -> None:
    customer.stack.make_bucket(customer.bucket, {KEY: b"first"})
    session = customer.session(customer.role())
    info = head(session, KEY)
    turn = iter(range(9))
    wire.faults["GetObject"] = lambda request: put(customer, b"again %d" % next(turn))
    with pytest.raises(SourceChanged):
        download(session, info, tmp_path / "spool", limit_bytes=MIB)
    assert wire.sent.count("GetObject") == 2
    assert not (tmp_path / "spool").exists()


def test_cut_connection_is_resumed_at_the_byte(customer: Customer, wire: Wire, tmp_path: Path) -> None:
    body = bytes(range(256)) * 20
    customer.stack.make_bucket(customer.bucket, {KEY: body})
    session = customer.session(customer.role())
    info = head(session, KEY)
    ranges = []

    def cut_first(request: Any) -> Any:
        ranges.append(request.headers.get("Range"))
        if len(ranges) > 1:
            return None
        headers = {"content-length": str(len(body)), "etag": f'"{info.etag}"'}
        return AWSResponse(request.url, 200, headers, Cut(body[:1000]))

    wire.faults["GetObject"] = cut_first
    evidence = download(session, info, tmp_path / "spool", limit_bytes=MIB)
    assert (tmp_path / "spool").read_bytes() == body
    assert evidence.sha256 == hashlib.sha256(body).hexdigest()
    assert [str(text) for text in ranges] in (["None", "bytes=1000-"], ["None", "b'bytes=1000-'"])


def test_connection_that_stays_cut_is_truncated(customer: Customer, wire: Wire, tmp_path: Path) -> None:
    customer.stack.make_bucket(customer.bucket, {KEY: b"123456789"})
    session = customer.session(customer.role())
    info = head(session, KEY)
    wire.faults["GetObject"] = lambda request: AWSResponse(
        request.url, 206 if "Range" in request.headers else 200, {"content-length": "9"}, Cut(b"")
    )
    with pytest.raises(SourceTruncated) as refused:
        download(session, info, tmp_path / "spool", limit_bytes=MIB)
    assert refused.value.mark == "retry"
    assert not (tmp_path / "spool").exists()


def test_too_large_object_is_refused_before_a_byte(customer: Customer, wire: Wire, tmp_path: Path) -> None:
    customer.stack.make_bucket(customer.bucket, {KEY: b"123456789"})
    session = customer.session(customer.role())
    info = head(session, KEY)
    with pytest.raises(SourceTooLarge, match="9 bytes; the limit is 8"):
        download(session, info, tmp_path / "spool", limit_bytes=8)
    assert "GetObject" not in wire.sent
    assert not (tmp_path / "spool").exists()


def test_download_never_overwrites(customer: Customer, tmp_path: Path) -> None:
    customer.stack.make_bucket(customer.bucket, {KEY: b"1"})
    session = customer.session(customer.role())
    (tmp_path / "spool").write_text("mine")
    with pytest.raises(FileExistsError):
        download(session, head(session, KEY), tmp_path / "spool", limit_bytes=8)
    assert (tmp_path / "spool").read_text() == "mine"


def test_empty_object_is_read(customer: Customer, tmp_path: Path) -> None:
    customer.stack.make_bucket(customer.bucket, {KEY: b""})
    session = customer.session(customer.role())
    evidence = download(session, head(session, KEY), tmp_path / "spool", limit_bytes=8)
    assert evidence.size_bytes == 0
    assert evidence.sha256 == hashlib.sha256(b"").hexdigest()


def test_missing_object_is_not_found(customer: Customer) -> None:
    customer.stack.make_bucket(customer.bucket, {"hr/other.csv": b"1"})
    session = customer.session(customer.role())
    with pytest.raises(SourceNotFound, match="hr/users.csv"):
        head(session, "hr/users.csv")


def test_missing_bucket_is_not_found(customer: Customer) -> None:
    with pytest.raises(SourceNotFound, match="There is no bucket"):
        head(customer.session(customer.role()), "hr/users.csv")


def hide(wire: Wire) -> None:
    """S3 under a policy that hides what exists: 403 for a missing key."""
    wire.faults["HeadObject"] = answer(403)
    wire.faults["GetObject"] = s3_error(403, "AccessDenied", "Access Denied")


def test_403_for_a_missing_key_is_not_found_where_listing_is_allowed(customer: Customer, wire: Wire) -> None:
    customer.stack.make_bucket(customer.bucket, {"hr/users.csv.bak": b"1"})
    session = customer.session(customer.role("hr/"), "hr/")
    hide(wire)
    with pytest.raises(SourceNotFound):
        head(session, "hr/users.csv")


def test_403_without_listing_says_that_it_may_be_either(customer: Customer, wire: Wire) -> None:
    customer.stack.make_bucket(customer.bucket)
    session = customer.session(customer.role())
    hide(wire)
    wire.faults["ListObjectsV2"] = s3_error(403, "AccessDenied", "Access Denied")
    with pytest.raises(SourceDenied, match="either it does not exist"):
        head(session, "hr/users.csv")


def test_403_for_a_key_that_exists_is_denied(customer: Customer, wire: Wire) -> None:
    customer.stack.make_bucket(customer.bucket, {KEY: b"1"})
    session = customer.session(customer.role())
    hide(wire)
    with pytest.raises(SourceDenied, match="refused s3:GetObject"):
        head(session, KEY)


def test_plain_403_on_a_kms_object_is_a_kms_refusal(customer: Customer, wire: Wire, tmp_path: Path) -> None:
    customer.stack.make_bucket(customer.bucket, {KEY: b"1"})
    session = customer.session(customer.role())
    wire.faults["HeadObject"] = answer(
        200,
        headers={
            "content-length": "1",
            "etag": '"x"',
            "last-modified": "Mon, 05 Jan 2026 12:00:00 GMT",
            "x-amz-server-side-encryption": "aws:kms",
            "x-amz-server-side-encryption-aws-kms-key-id": KMS_KEY,
        },
    )
    info = head(session, KEY)
    wire.faults["GetObject"] = s3_error(403, "AccessDenied", "Access Denied")
    with pytest.raises(SourceKmsDenied) as refused:
        download(session, info, tmp_path / "spool", limit_bytes=MIB)
    assert KMS_KEY in refused.value.message
    assert session.role.text in refused.value.remedy


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        (s3_error(403, "InvalidObjectState"), SourceArchived, "archived"),
        (s3_error(403, "AccessDenied", f"kms:Decrypt on resource: {KMS_KEY}"), SourceKmsDenied, KMS_KEY),
        (s3_error(400, "KMS.DisabledException"), SourceKmsDenied, "cannot be used"),
        (
            s3_error(400, "InvalidRequest", "stored using a form of Server Side Encryption"),
            SourceDenied,
            "SSE-C",
        ),
        (
            s3_error(403, "RequestTimeTooSkewed", date="Mon, 05 Jan 2026 12:00:00 GMT"),
            SourceClock,
            "min ahead of AWS",
        ),
        (
            s3_error(403, "AccessDenied", "x with an explicit deny in a resource-based policy"),
            SourceDenied,
            "refused",
        ),
        (s3_error(501, "NotImplemented"), SourceUnavailable, "slow down or failed"),
    ],
)
def test_refusals_are_told_apart(
    customer: Customer, wire: Wire, fault: Any, error: type[SourceError], words: str
) -> None:
    customer.stack.make_bucket(customer.bucket, {KEY: b"1"})
    session = customer.session(customer.role())
    wire.faults["HeadObject"] = answer(403 if error is not SourceUnavailable else 400)
    wire.faults["GetObject"] = fault
    with pytest.raises(error, match=words):
        head(session, KEY)
