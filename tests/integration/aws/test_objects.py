"""Listing and browsing a bucket of a local AWS."""

from __future__ import annotations

import pytest

from grantline.aws.objects import browse, list_objects, matching, newest
from grantline.errors import InputInvalid, SourceUnavailable
from tests.wire import Wire, answer, once, s3_error

from .conftest import Customer

pytestmark = pytest.mark.integration

HOSTILE = (
    "access/staff+contractors 2026.csv",
    "access/100%25.csv",
    "access/Größe.csv",
    "access/a&b<c>'\".csv",
    "access/ü.csv",
    "access/u\u0308.csv",
)


def test_keys_come_as_they_are(customer: Customer) -> None:
    customer.stack.make_bucket(customer.bucket, dict.fromkeys(HOSTILE, b"1"))
    session = customer.session(customer.role("access/"), "access/")
    assert {info.key for info in list_objects(session)} == set(HOSTILE)
    assert {info.key for info in browse(session).objects} == set(HOSTILE)
    for key in HOSTILE:
        assert session.call("get_object", Key=key)["ContentLength"] == 1


def test_all_pages_are_followed(customer: Customer, wire: Wire) -> None:
    keys = [f"access/{day:02}.csv" for day in range(1, 10)]
    customer.stack.make_bucket(customer.bucket, dict.fromkeys(keys, b"1"))
    session = customer.session(customer.role())
    assert [info.key for info in list_objects(session, page_size=2)] == keys
    assert wire.sent.count("ListObjectsV2") == 5
    assert [info.key for info in list_objects(session, start_after="access/07.csv")] == keys[7:]


def test_empty_page_that_is_not_the_last_is_followed(customer: Customer, wire: Wire) -> None:
    customer.stack.make_bucket(customer.bucket, {"a.csv": b"1", "b.csv": b"1"})
    session = customer.session(customer.role())
    token = session.call("list_objects_v2", MaxKeys=1)["NextContinuationToken"]
    page = (
        "<ListBucketResult><IsTruncated>true</IsTruncated><KeyCount>0</KeyCount>"
        f"<NextContinuationToken>{token}</NextContinuationToken></ListBucketResult>"
    )
    wire.faults["ListObjectsV2"] = once(answer(200, page.encode()))
    assert [info.key for info in list_objects(session)] == ["b.csv"]


def test_page_that_fails_midway_fails_the_listing(customer: Customer, wire: Wire) -> None:
    customer.stack.make_bucket(customer.bucket, {"a.csv": b"1", "b.csv": b"1"})
    session = customer.session(customer.role())
    listing = list_objects(session, page_size=1)
    assert next(listing).key == "a.csv"
    wire.faults["ListObjectsV2"] = s3_error(501, "NotImplemented")
    with pytest.raises(SourceUnavailable):
        next(listing)


def test_folder_markers_are_no_files(customer: Customer) -> None:
    customer.stack.make_bucket(customer.bucket, {"access/users.csv": b"11", "access/": b"", "access/old_$folder$": b""})
    session = customer.session(customer.role("access/"), "access/")
    assert [info.key for info in list_objects(session)] == ["access/users.csv"]
    found = newest(session, "access/*")
    assert found is not None
    assert found.key == "access/users.csv"
    assert found.size_bytes == 2
    assert found.etag == "6512bd43d9caa6e02c990b0a82652dca"
    assert found.last_modified_at.utcoffset() is not None


def test_browsing_shows_one_level_page_by_page(customer: Customer) -> None:
    keys = ["a/1.csv", "b/2.csv", "b/c/3.csv", "root.csv"]
    customer.stack.make_bucket(customer.bucket, dict.fromkeys(keys, b"1"))
    session = customer.session(customer.role())
    top = browse(session)
    assert (top.folders, [info.key for info in top.objects]) == (("a/", "b/"), ["root.csv"])
    assert top.next_token is None
    below = browse(session, "b/")
    assert (below.folders, [info.key for info in below.objects]) == (("b/c/",), ["b/2.csv"])
    page, seen = browse(session, page_size=1), 0
    while True:
        seen += len(page.folders) + len(page.objects)
        if page.next_token is None:
            break
        page = browse(session, page_size=1, token=page.next_token)
    assert seen == 3


def test_browsing_outside_the_prefix_is_refused_without_a_call(customer: Customer, wire: Wire) -> None:
    session = customer.session(customer.role("hr/"), "hr/")
    wire.sent.clear()
    with pytest.raises(InputInvalid):
        browse(session, "it/")
    with pytest.raises(InputInvalid):
        newest(session, "it/*.csv")
    assert wire.sent == []


def test_newest_is_by_time_and_not_by_name(customer: Customer) -> None:
    customer.stack.make_bucket(
        customer.bucket,
        {"exports/hr-2.csv": b"1", "exports/hr-1.csv": b"1", "exports/it-9.csv": b"1", "exports/hr-9/x.csv": b""},
    )
    session = customer.session(customer.role("exports/"), "exports/")
    found = newest(session, "exports/hr-*.csv", page_size=1)
    assert found is not None
    assert found.key == "exports/hr-1.csv"
    assert newest(session, "exports/none-*.csv") is None
    assert [info.key for info in matching(session, "**.csv")] == [
        "exports/hr-1.csv",
        "exports/hr-2.csv",
        "exports/hr-9/x.csv",
        "exports/it-9.csv",
    ]


def test_prefix_without_slash_shows_its_neighbour(customer: Customer) -> None:
    customer.stack.make_bucket(customer.bucket, {"access/hr/users.csv": b"1", "access/hr-archive/users.csv": b"1"})
    session = customer.session(customer.role("access/hr"), "access/hr")
    assert browse(session).folders == ("access/hr-archive/", "access/hr/")
    narrow = customer.session(session.role.text, "access/hr/")
    assert [info.key for info in list_objects(narrow)] == ["access/hr/users.csv"]
