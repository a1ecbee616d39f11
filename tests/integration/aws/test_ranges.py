"""A large object comes in ranges side by side, under one pin, and is written whole and in order."""

from __future__ import annotations

import hashlib
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from urllib3.exceptions import ProtocolError

from grantline.aws import pinned, ranges
from grantline.aws.reads import Evidence, download, head
from grantline.aws.sessions import BucketSession
from grantline.errors import SourceChanged, SourceTooLarge, SourceTruncated
from tests.wire import Wire, once, s3_error

from .conftest import Customer

pytestmark = pytest.mark.integration
KEY = "hr/large.csv"
KIB = 1024
BODY = b"".join(hashlib.sha256(str(number).encode()).digest() for number in range(32 * 100))  # 100 KiB, no two alike
MIB = 1024 * KIB


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges, "PARALLEL_FROM_BYTES", 20 * KIB)
    monkeypatch.setattr(ranges, "RANGE_BYTES", 8 * KIB)
    monkeypatch.setattr(pinned, "PAUSE_SECONDS", 0.0)


@pytest.fixture
def session(customer: Customer) -> BucketSession:
    customer.stack.make_bucket(customer.bucket, {KEY: BODY})
    return customer.session(customer.role())


def read(session: BucketSession, target: Path, **more: Any) -> Evidence:
    return download(session, head(session, KEY), target / "spool", limit_bytes=MIB, **more)


def text(header: Any) -> str:
    return header.decode() if isinstance(header, bytes) else str(header)


def test_every_range_is_pinned_and_the_whole_is_the_object(session: BucketSession, wire: Wire, tmp_path: Path) -> None:
    seen: list[tuple[str, str]] = []
    progress: list[int] = []

    def note(request: Any) -> None:
        seen.append((text(request.headers["Range"]), text(request.headers["If-Match"])))

    wire.faults["GetObject"] = note
    evidence = read(session, tmp_path, progress=lambda done, _all: progress.append(done))
    assert (tmp_path / "spool").read_bytes() == BODY
    assert evidence.sha256 == hashlib.sha256(BODY).hexdigest()
    assert evidence.size_bytes == len(BODY)
    assert sorted(int(asked.split("=")[1].split("-")[0]) for asked, _ in seen) == list(range(0, len(BODY), 8 * KIB))
    assert {pin for _, pin in seen} == {f'"{evidence.etag}"'}
    assert progress == sorted(progress)
    assert progress[-1] == len(BODY)


def test_ranges_are_read_side_by_side_and_few_wait_in_memory(
    session: BucketSession, wire: Wire, tmp_path: Path
) -> None:
    at_once, most, asked, lock = 0, 0, 0, threading.Lock()

    def slow(request: Any) -> None:
        nonlocal at_once, most, asked
        with lock:
            at_once, asked = at_once + 1, asked + 1
            most = max(most, at_once)
        time.sleep(0.05)
        with lock:
            at_once -= 1

    wire.faults["GetObject"] = slow
    ahead: list[int] = []
    read(session, tmp_path, progress=lambda done, _all: ahead.append(asked - done // (8 * KIB)))
    assert 2 <= most <= ranges.THREADS
    assert max(ahead) <= ranges.AHEAD


def test_an_object_replaced_between_ranges_is_read_anew_once(customer: Customer, wire: Wire, tmp_path: Path) -> None:
    customer.stack.make_bucket(customer.bucket, {KEY: BODY})
    session = customer.session(customer.role())
    new, asked = BODY[::-1], []

    def replace(request: Any) -> None:
        asked.append(request)
        if len(asked) == 5:
            customer.stack.client("s3").put_object(Bucket=customer.bucket, Key=KEY, Body=new)

    wire.faults["GetObject"] = replace
    evidence = read(session, tmp_path)
    assert (tmp_path / "spool").read_bytes() == new
    assert evidence.sha256 == hashlib.sha256(new).hexdigest()


def test_an_object_that_keeps_changing_is_source_changed(session: BucketSession, wire: Wire, tmp_path: Path) -> None:
    wire.faults["GetObject"] = s3_error(412, "PreconditionFailed")
    with pytest.raises(SourceChanged):
        read(session, tmp_path)
    assert wire.sent.count("HeadObject") == 2
    assert not (tmp_path / "spool").exists()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("range")]


def test_a_store_that_ignores_the_condition_is_found_out(session: BucketSession, wire: Wire, tmp_path: Path) -> None:
    raw = type("Raw", (), {"read": lambda *_: b"", "close": lambda *_: None})
    wire.faults["GetObject"] = lambda request: AWSResponse(request.url, 206, {"etag": '"another"'}, raw())
    with pytest.raises(SourceChanged):
        read(session, tmp_path)


def test_a_range_that_is_cut_goes_on_where_it_broke(session: BucketSession, wire: Wire, tmp_path: Path) -> None:
    etag, asked, lock = head(session, KEY).etag, [], threading.Lock()

    class Cut:
        def __init__(self, good: bytes) -> None:
            self.good = good

        def read(self, amount: int | None = None) -> bytes:
            if not self.good:
                raise ProtocolError("Connection broken")
            chunk, self.good = self.good, b""
            return chunk

        def close(self) -> None: ...

    def cut(request: Any) -> Any:
        start, end = (int(part) for part in text(request.headers["Range"]).split("=")[1].split("-"))
        with lock:
            asked.append(start)
        if start != 16 * KIB:
            return None
        headers = {"content-length": str(end - start + 1), "etag": f'"{etag}"'}
        return AWSResponse(request.url, 206, headers, Cut(BODY[start : start + 1000]))

    wire.faults["GetObject"] = cut
    assert read(session, tmp_path).sha256 == hashlib.sha256(BODY).hexdigest()
    assert asked.count(16 * KIB) == 1
    assert 16 * KIB + 1000 in asked


def test_a_range_that_stays_cut_is_truncated(session: BucketSession, wire: Wire, tmp_path: Path) -> None:
    raw = type("Raw", (), {"read": lambda *_: b"", "close": lambda *_: None})
    wire.faults["GetObject"] = lambda request: AWSResponse(request.url, 206, {"content-length": "9"}, raw())
    with pytest.raises(SourceTruncated):
        read(session, tmp_path)
    assert not (tmp_path / "spool").exists()


def test_credentials_that_expire_between_ranges_are_renewed_once_for_all(
    session: BucketSession, wire: Wire, tmp_path: Path
) -> None:
    asked, barrier = [], threading.Barrier(2, timeout=5)

    def expire(request: Any) -> Any:
        asked.append(request)
        if len(asked) > 2:
            return None
        barrier.wait()  # two threads hear it with the same credentials
        return s3_error(400, "ExpiredToken")(request)

    wire.faults["GetObject"] = expire
    before = wire.sent.count("AssumeRole")
    assert read(session, tmp_path).sha256 == hashlib.sha256(BODY).hexdigest()
    assert wire.sent.count("AssumeRole") == before + 1


def test_every_range_names_the_version_where_there_are_versions(customer: Customer, wire: Wire, tmp_path: Path) -> None:
    """The local AWS answers a range of a version with the whole, so this is also a store without ranges."""
    customer.stack.make_bucket(customer.bucket, {KEY: BODY}, versioned=True)
    session = customer.session(customer.role(versioned=True))
    urls: list[str] = []
    wire.faults["GetObject"] = lambda request: urls.append(request.url)
    evidence = read(session, tmp_path)
    assert evidence.sha256 == hashlib.sha256(BODY).hexdigest()
    assert len(urls) >= 2
    assert all(f"versionId={evidence.version_id}" in url for url in urls)


def test_a_large_object_above_the_limit_is_refused_before_a_byte(
    session: BucketSession, wire: Wire, tmp_path: Path
) -> None:
    with pytest.raises(SourceTooLarge):
        download(session, head(session, KEY), tmp_path / "spool", limit_bytes=50 * KIB)
    assert "GetObject" not in wire.sent


def test_a_busy_range_is_tried_again(session: BucketSession, wire: Wire, tmp_path: Path) -> None:
    wire.faults["GetObject"] = once(s3_error(503, "SlowDown"))
    assert read(session, tmp_path).sha256 == hashlib.sha256(BODY).hexdigest()
