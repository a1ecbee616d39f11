"""Names of buckets, prefixes, keys and regions."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from grantline.aws.buckets import (
    prefix_note,
    validate_bucket,
    validate_key,
    validate_prefix,
    validate_region,
)
from grantline.errors import InputInvalid


def refusal(check: Callable[[str], str], text: str, field: str) -> InputInvalid:
    with pytest.raises(InputInvalid) as refused:
        check(text)
    assert refused.value.field == field
    assert refused.value.remedy
    return refused.value


@pytest.mark.parametrize("name", ["abc", "acme-exports", "acme.exports.1", "a" * 63, "1-2", " acme "])
def test_bucket_names_that_s3_allows(name: str) -> None:
    assert validate_bucket(name) == name.strip()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "No bucket"),
        ("ab", "has 2 characters"),
        ("a" * 64, "has 64 characters"),
        ("Acme-exports", "capital letters"),
        ("acme_exports", "underscore"),
        ("acme exports", "' '"),
        ("acmé", "capital letters|'é'"),
        ("-acme", "begin and end"),
        ("acme.", "begin and end"),
        ("ac..me", "two dots"),
        ("192.168.5.4", "IP address"),
        ("xn--acme", "begins with xn--"),
        ("sthree-acme", "begins with sthree-"),
        ("acme-s3alias", "access point's alias"),
        ("acme--ol-s3", "Object Lambda"),
        ("acme--x-s3", "directory bucket"),
        ("acme.mrap", "Multi-Region"),
        ("https://acme.s3.amazonaws.com", "web address"),
    ],
)
def test_bucket_names_that_s3_does_not_allow(name: str, words: str) -> None:
    message = refusal(validate_bucket, name, "bucket").message
    assert any(word in message for word in words.split("|"))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("s3://acme-exports/hr/", ["acme-exports", "hr/"]),
        ("arn:aws:s3:::acme-exports", ["acme-exports"]),
        ("arn:aws:s3:::acme-exports/hr/*", ["acme-exports"]),
        ("acme-exports/hr/", ["acme-exports", "hr/"]),
        ("arn:aws:s3:eu-west-1:222222222222:accesspoint/x", ["bucket behind it"]),
    ],
)
def test_address_instead_of_a_name_is_answered_with_the_part_to_use(text: str, parts: list[str]) -> None:
    remedy = refusal(validate_bucket, text, "bucket").remedy or ""
    assert all(part in remedy for part in parts)


@pytest.mark.parametrize("prefix", ["", "hr/", "hr", "a b+c%25/", "Größe/", "u\u0308/", "x" * 1024, "a*b/"])
def test_prefixes_stay_as_they_are(prefix: str) -> None:
    assert validate_prefix(prefix) == prefix


@pytest.mark.parametrize(
    ("prefix", "words", "remedy"),
    [
        ("/hr/", "begins with a slash", "'hr/'"),
        ("hr/*", "ends with *", "'hr/'"),
        ("s3://acme/hr/", "s3:// address", "'hr/'"),
        ("ü" * 513, "1,026 bytes", ""),
        ("hr\x00", "control character", ""),
        ("hr\nx", "control character", ""),
        ("hr\u2028x", "control character", ""),
        ("\ud800", "Unicode", ""),
    ],
)
def test_prefixes_that_mean_something_else(prefix: str, words: str, remedy: str) -> None:
    error = refusal(validate_prefix, prefix, "prefix")
    assert words in error.message
    assert remedy in (error.remedy or "")
    assert error.message.isprintable()


def test_prefix_note_warns_of_neighbours() -> None:
    assert prefix_note("") is None
    assert prefix_note("hr/") is None
    assert "hr-archive/" in (prefix_note("hr") or "")


def test_keys() -> None:
    assert validate_key("hr/a+b 100%25.csv") == "hr/a+b 100%25.csv"
    for key in ("", "hr/", "s3://acme/hr/users.csv", "x" * 1025, "a\x00"):
        refusal(validate_key, key, "key")


@pytest.mark.parametrize(
    ("region", "partition"),
    [("", "aws"), (" eu-west-1 ", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")],
)
def test_regions_of_their_partition(region: str, partition: str) -> None:
    assert validate_region(region, partition) == region.strip()


def test_region_newer_than_boto3_is_taken_by_its_form() -> None:
    assert validate_region("eu-nowhere-7") == "eu-nowhere-7"


@pytest.mark.parametrize("region", ["EU (Ireland)", "eu-west-1a", "europe", "cn-north-1", "169.254.169.254"])
def test_other_regions_are_refused(region: str) -> None:
    refusal(validate_region, region, "region")
