"""Every way in which S3 and STS fail, met by a run: its code, its remedy, the data kept, and a later success.

Where the local AWS makes the fault itself it is a real reply; what it cannot make is put on the wire.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from urllib3.exceptions import ProtocolError

from grantline.aws import pinned
from grantline.aws.policies import ROLE_NAME
from grantline.control.imports.models import Import
from grantline.control.runs.models import Run
from grantline.control.sources import rules as sources
from grantline.control.sources.models import DataSource
from tests.integration.jobs.conftest import BUCKET, World, grants_csv
from tests.wire import Fault, Wire, answer, once, s3_error, sts_error, watching

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.integration]

KEY = "access/grants.csv"
ROWS = [(f"U{number:03d}", "L1", "Viewer") for number in range(30)]
OLD, NEW = grants_csv(*ROWS), grants_csv(*ROWS, ("U900", "L1", "Viewer"))
KMS_KEY = "arn:aws:kms:us-east-1:222222222222:key/00000000-0000-0000-0000-000000000000"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Nobody waits; what would have been waited is noted."""
    import botocore.endpoint

    waited: list[float] = []
    monkeypatch.setattr(botocore.endpoint.time, "sleep", waited.append)
    return waited


@pytest.fixture
def wire(world: World, monkeypatch: pytest.MonkeyPatch) -> Wire:
    seen = Wire()
    watching(seen, monkeypatch)
    return seen


@pytest.fixture
def item(world: World) -> Import:
    """An import with a first version, whose file has changed since."""
    world.put(KEY, OLD)
    made = world.make_import(KEY)
    assert world.run(made).state == "published"
    world.put(KEY, NEW)
    return made


def head_of(request: Any, **headers: str) -> Any:
    found = {"content-length": str(len(NEW)), "etag": '"x"', "last-modified": "Mon, 05 Jan 2026 12:00:00 GMT"}
    return answer(200, b"", found | headers)(request)


@dataclass(frozen=True)
class Case:
    """Faults by operation, and the verdict: its code, and words of its message or remedy."""

    faults: dict[str, Fault]
    code: str
    words: str


DENIED = s3_error(403, "AccessDenied", "Access Denied")
CASES: dict[str, Case] = {
    "another region": Case(
        {"HeadObject": s3_error(301, "PermanentRedirect", **{"x-amz-bucket-region": "eu-west-1"})}
        | {"GetObject": s3_error(301, "PermanentRedirect", **{"x-amz-bucket-region": "eu-west-1"})},
        "source_region",
        "eu-west-1",
    ),
    "malformed header names the region": Case(
        dict.fromkeys(
            ("HeadObject", "GetObject"), s3_error(400, "AuthorizationHeaderMalformed", "expecting 'eu-south-2'")
        ),
        "source_region",
        "eu-south-2",
    ),
    "region disabled": Case({"AssumeRole": sts_error(403, "RegionDisabledException")}, "source_region", "activate"),
    "role refuses": Case({"AssumeRole": sts_error(403, "AccessDenied")}, "source_credentials", "sts:ExternalId"),
    "session too long": Case({"AssumeRole": sts_error(400, "ValidationError")}, "source_credentials", "one hour"),
    "own keys refused": Case(
        {"AssumeRole": sts_error(403, "InvalidClientTokenId")}, "source_credentials", "people who run Grantline"
    ),
    "clock of sts": Case({"AssumeRole": sts_error(403, "RequestTimeTooSkewed")}, "source_clock", "NTP"),
    "clock of s3": Case(
        {
            "HeadObject": answer(403),
            "GetObject": s3_error(403, "RequestTimeTooSkewed", date="Mon, 05 Jan 2026 12:00:00 GMT"),
        },
        "source_clock",
        "ahead of AWS",
    ),
    "sts is busy": Case({"AssumeRole": sts_error(503, "Throttling")}, "source_unavailable", "busy"),
    "kms refuses in words": Case(
        {"GetObject": s3_error(403, "AccessDenied", f"not authorized to perform: kms:Decrypt on resource: {KMS_KEY}")},
        "source_kms_denied",
        KMS_KEY,
    ),
    "kms refuses without a word": Case(
        {
            "HeadObject": lambda request: head_of(
                request,
                **{
                    "x-amz-server-side-encryption": "aws:kms",
                    "x-amz-server-side-encryption-aws-kms-key-id": KMS_KEY,
                },
            ),
            "GetObject": DENIED,
        },
        "source_kms_denied",
        "kms:Decrypt",
    ),
    "kms key disabled": Case({"GetObject": s3_error(400, "KMS.DisabledException")}, "source_kms_denied", "Enable"),
    "customer's own key": Case(
        {"HeadObject": answer(400), "GetObject": s3_error(400, "InvalidRequest", "form of Server Side Encryption")},
        "source_denied",
        "SSE-C",
    ),
    "archived": Case(
        {
            "GetObject": answer(
                403,
                b"<Error><Code>InvalidObjectState</Code><Message>no</Message>"
                b"<StorageClass>DEEP_ARCHIVE</StorageClass></Error>",
            )
        },
        "source_archived",
        "DEEP_ARCHIVE",
    ),
    "403 where listing is refused too": Case(
        {"HeadObject": answer(403), "GetObject": DENIED, "ListObjectsV2": DENIED}, "source_denied", "either it does not"
    ),
    "requester pays": Case(
        {
            "HeadObject": answer(403),
            "GetObject": s3_error(403, "AccessDenied", "Bucket is requester pays; no x-amz-request-payer header"),
        },
        "source_denied",
        "set to requester pays",
    ),
    "bucket policy": Case(
        {
            "HeadObject": answer(403),
            "GetObject": s3_error(403, "AccessDenied", "x with an explicit deny in a resource-based policy"),
        },
        "source_denied",
        "policy of the bucket",
    ),
    "owner is another account": Case(
        {"HeadObject": answer(403), "GetObject": DENIED}, "source_denied", "its owner is named on the data source"
    ),
    "bucket gone": Case(
        dict.fromkeys(("HeadObject", "GetObject"), s3_error(404, "NoSuchBucket")), "source_not_found", "no bucket"
    ),
    "version gone": Case({"GetObject": s3_error(404, "NoSuchVersion")}, "source_changed", "deleted"),
    "delete marker": Case({"GetObject": s3_error(405, "MethodNotAllowed")}, "source_changed", "deleted"),
    "replaced again and again": Case({"GetObject": s3_error(412, "PreconditionFailed")}, "source_changed", "replaced"),
    "range beyond the end": Case({"GetObject": s3_error(416, "InvalidRange")}, "source_changed", "replaced"),
    "token expired for good": Case({"GetObject": s3_error(400, "ExpiredToken")}, "source_credentials", "session"),
    "token corrupted": Case({"GetObject": s3_error(400, "InvalidToken")}, "source_credentials", "session"),
    "slow down": Case({"GetObject": s3_error(503, "SlowDown")}, "source_unavailable", "slow down"),
    "internal error": Case({"GetObject": s3_error(500, "InternalError")}, "source_unavailable", "next look"),
    "request timeout": Case({"GetObject": s3_error(400, "RequestTimeout")}, "source_unavailable", "next look"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_fault_ends_the_run_with_its_code_and_keeps_the_data(
    world: World, item: Import, wire: Wire, case: Case
) -> None:
    wire.faults |= case.faults
    run = world.run(item)
    assert (run.state, run.error and run.error["code"]) == ("failed", case.code)
    assert case.words in f"{run.error['message']} {run.error['remedy']}"
    assert run.error["remedy"]
    kept(item, 1)
    wire.faults.clear()
    assert world.run(item).state == "published"
    kept(item, 2)


def kept(item: Import, number: int) -> None:
    item.refresh_from_db()
    assert item.current_version is not None
    assert item.current_version.number == number


def attempts(wire: Wire) -> int:
    """GETs of the object, but for the one that names a version, which the role may not read; a listing tells
    why."""
    return wire.sent.count("GetObject") - wire.sent.count("ListObjectsV2")


def published_as(run: Run, body: bytes) -> None:
    assert run.state == "published", run.error
    assert run.evidence is not None
    assert run.evidence["sha256"] == hashlib.sha256(body).hexdigest()


@pytest.mark.parametrize("fault", [s3_error(503, "SlowDown"), s3_error(500, "InternalError"), answer(502)])
def test_a_passing_trouble_is_waited_out_with_growing_random_pauses(
    world: World, item: Import, wire: Wire, quick: list[float], fault: Fault
) -> None:
    left = [fault] * 3
    wire.faults["GetObject"] = lambda request: left.pop()(request) if left else None
    published_as(world.run(item), NEW)
    assert attempts(wire) == 4
    assert len(quick) == 3
    assert all(0 <= seconds <= 2**turn for turn, seconds in enumerate(quick))
    assert len(set(quick)) == 3


def test_requests_of_sts_are_tried_again_too(world: World, item: Import, wire: Wire) -> None:
    wire.faults["AssumeRole"] = once(sts_error(503, "ServiceUnavailable"))
    published_as(world.run(item), NEW)


def test_pauses_between_resumptions_grow_and_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(pinned.time, "sleep", waited.append)
    for attempt in range(1, 9):
        for _ in range(50):
            pinned.pause(attempt)
    longest = [max(waited[start : start + 50]) for start in range(0, 400, 50)]
    assert longest[0] < longest[3] < longest[5] <= pinned.LONGEST_PAUSE_SECONDS
    assert len(set(waited)) > 390


class Cut:
    """A body that ends, or breaks off, after `good` bytes."""

    def __init__(self, good: bytes, *, breaks: bool = True) -> None:
        self.good, self.breaks = good, breaks

    def read(self, amount: int | None = None) -> bytes:
        if not self.good and self.breaks:
            raise ProtocolError("Connection broken")
        chunk, self.good = self.good, b""
        return chunk

    def close(self) -> None: ...


def cut_then(*faults: Fault, breaks: bool = True) -> Callable[[Any], Any]:
    """The first GET breaks off after 100 bytes, the next ones meet these faults, then all is well."""
    turns = [lambda request: AWSResponse(request.url, 200, {"content-length": str(len(NEW))}, first), *faults]
    first = Cut(NEW[:100], breaks=breaks)
    return lambda request: turns.pop(0)(request) if turns else None


@pytest.mark.parametrize("breaks", [True, False], ids=["cut", "short"])
def test_a_body_that_is_cut_or_short_is_taken_up_again(world: World, item: Import, wire: Wire, breaks: bool) -> None:
    wire.faults["GetObject"] = cut_then(breaks=breaks)
    published_as(world.run(item), NEW)
    assert attempts(wire) == 2


def test_a_body_that_stays_short_is_truncated(
    world: World, item: Import, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pinned, "PAUSE_SECONDS", 0.0)
    wire.faults["GetObject"] = lambda request: AWSResponse(
        request.url, 206 if "Range" in request.headers else 200, {"content-length": str(len(NEW))}, Cut(b"")
    )
    run = world.run(item)
    assert (run.error or {})["code"] == "source_truncated"
    kept(item, 1)


def test_credentials_that_expire_in_mid_download_are_renewed(world: World, item: Import, wire: Wire) -> None:
    wire.faults["GetObject"] = cut_then(s3_error(400, "ExpiredToken"))
    published_as(world.run(item), NEW)
    assert wire.sent.count("AssumeRole") == 2


def test_credentials_revoked_in_mid_download_end_the_run(world: World, item: Import, wire: Wire) -> None:
    def revoke(request: Any) -> Any:
        closed = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sts:*"}]}
        world.stack.client("iam").update_assume_role_policy(RoleName=ROLE_NAME, PolicyDocument=json.dumps(closed))
        return s3_error(400, "ExpiredToken")(request)

    wire.faults["GetObject"] = cut_then(revoke)
    run = world.run(item)
    assert (run.error or {})["code"] == "source_credentials"
    assert wire.sent[-1] == "AssumeRole"
    kept(item, 1)


def test_an_object_replaced_between_head_and_get_is_read_as_it_is_now(world: World, item: Import, wire: Wire) -> None:
    newer = grants_csv(*ROWS, ("U901", "L1", "Viewer"), ("U902", "L1", "Viewer"))

    def replace(request: Any) -> Any:
        world.put(KEY, newer)
        return s3_error(412, "PreconditionFailed")(request)

    wire.faults["GetObject"] = once(replace)
    run = world.run(item)
    published_as(run, newer)
    assert world.run(item).state == "unchanged"


def test_a_version_that_is_deleted_after_the_head_gives_way_to_what_is_there(
    world: World, item: Import, wire: Wire
) -> None:
    """A real reply: the version that was seen is removed for good, so an older one is current."""
    s3 = world.stack.client("s3")

    def remove(request: Any) -> None:
        if "versionId=" in request.url and not removed:
            removed.append(s3.list_object_versions(Bucket=BUCKET, Prefix=KEY)["Versions"][0]["VersionId"])
            s3.delete_object(Bucket=BUCKET, Key=KEY, VersionId=removed[0])

    removed: list[str] = []
    wire.faults["GetObject"] = remove
    run = world.run(item)
    assert removed
    assert run.state == "unchanged", run.error  # the older version says what is known already
    kept(item, 1)


def test_a_delete_marker_is_a_missing_file(world: World, item: Import) -> None:
    world.delete(KEY)
    run = world.run(item)
    assert (run.error or {})["code"] == "source_not_found"
    kept(item, 1)
    versions = world.stack.client("s3").list_object_versions(Bucket=BUCKET, Prefix=KEY)
    marker = versions["DeleteMarkers"][0]["VersionId"]
    world.stack.client("s3").delete_object(Bucket=BUCKET, Key=KEY, VersionId=marker)
    assert world.run(item).state == "published"


def test_403_for_a_missing_key_is_not_found_where_listing_is_allowed(world: World, item: Import, wire: Wire) -> None:
    world.delete(KEY)
    wire.faults |= {"HeadObject": answer(403), "GetObject": DENIED}
    assert (world.run(item).error or {})["code"] == "source_not_found"


def test_a_redirect_is_followed_once(world: World, item: Import, wire: Wire) -> None:
    """A real reply: the local AWS answers 301 where the bucket is asked for in another region."""
    DataSource.objects.filter(pk=world.source.pk).update(found_region="eu-west-1")
    published_as(world.run(item), NEW)
    assert wire.sent.count("HeadObject") >= 2


def test_a_page_of_a_listing_that_fails_ends_the_run_of_a_pattern(world: World, item: Import, wire: Wire) -> None:
    many = world.make_import("", pattern="access/gr*.csv")
    assert world.run(many).state == "published"
    wire.faults["ListObjectsV2"] = s3_error(503, "SlowDown")
    assert (world.run(many).error or {})["code"] == "source_unavailable"
    kept(many, 1)


def test_folder_markers_and_neighbours_are_no_newest_file(world: World) -> None:
    world.put("access/hr/users.csv", OLD)
    world.put("access/hr-archive/users.csv", NEW)
    world.put("access/hr/", b"")
    world.put("access/hr/old_$folder$", b"")
    found = world.make_import("", pattern="access/hr/*")
    published_as(world.run(found), OLD)


STRANGE = [
    "access/staff+contractors 2026.csv",
    "access/100%25.csv",
    "access/Größe.csv",
    "access/what [is] *this*?.csv",
    "access/🦉 owls & más/ü.csv",
    "access/ leading and trailing ",
    "access/./dots/../kept.csv",
    "access/#hash;semi=colon'quote\"&amp;<x>.csv",
    "access/" + "k" * 1017,
    "access/" + "ü" * 508 + "k",
]


@pytest.mark.parametrize("key", STRANGE, ids=range(len(STRANGE)))
def test_any_valid_key_is_read_as_it_was_typed(world: World, key: str) -> None:
    world.put(key, OLD)
    world.put("access/what is this.csv", NEW)  # what a pattern would find
    item = world.make_import(key)
    run = world.run(item)
    published_as(run, OLD)
    assert run.evidence is not None
    assert (item.key, item.pattern, run.evidence["key"]) == (key, "", key)


def test_the_owner_that_is_named_is_the_one_whose_bucket_is_read(world: World, item: Import, wire: Wire) -> None:
    """BR: a bucket of that name in another account is not read, whatever its policy says."""
    sources.change(world.scope, world.source.pk, {"name": "renamed"})
    owners: list[str] = []
    wire.faults["HeadObject"] = lambda request: owners.append(str(request.headers["x-amz-expected-bucket-owner"]))
    published_as(world.run(item), NEW)
    assert all("222222222222" in owner for owner in owners)
    assert owners
