"""Names of buckets, prefixes, keys and regions: S3's rules, each with its own words.

In: text from a form or the API. Out: the same text, ready to send. A key or a prefix is never decoded,
trimmed or normalized: `a+b`, `a%20b` and the two Unicode forms of `ü` are different objects. The rules
are those of the S3 user guide, "General purpose bucket naming rules" and "Naming objects".
Every refusal is an `InputInvalid` with the field's name, the reason and the remedy.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import NoReturn

import boto3.session

from grantline.errors import InputInvalid

KEY_BYTES = 1024
RESERVED_PREFIXES = {
    "xn--": "is reserved by S3 for internationalized names",
    "sthree-": "is reserved by S3",
}
RESERVED_SUFFIXES = {
    "-s3alias": "marks an access point's alias",
    "--ol-s3": "marks an Object Lambda access point's alias",
    "--x-s3": "marks a directory bucket",
    "--table-s3": "marks a table bucket",
    ".mrap": "marks a Multi-Region Access Point",
}
_COPY = "Copy the bucket's name from the S3 console; it looks like acme-exports."
_REGION = re.compile(r"[a-z]{2,5}(-[a-z]+){1,3}-\d{1,2}")


def validate_bucket(name: str) -> str:
    """The bucket's name, without spaces around it. Raises: `InputInvalid` with field `bucket`."""
    name = name.strip()
    _refuse_addresses(name)
    if not 3 <= len(name) <= 63:
        _refuse_bucket(f"The bucket name {_shown(name)} has {len(name)} characters; S3 allows 3 to 63.")
    if name != name.lower():
        _refuse_bucket(f"The bucket name {_shown(name)} has capital letters; S3 allows small letters only.")
    if "_" in name:
        _refuse_bucket(f"The bucket name {_shown(name)} has an underscore, which S3 does not allow.")
    wrong = re.search(r"[^a-z0-9.-]", name)
    if wrong:
        _refuse_bucket(
            f"The bucket name {_shown(name)} has {_shown(wrong[0])!r}; S3 allows small letters, digits, "
            "dots and hyphens."
        )
    if not re.fullmatch(r"[a-z0-9].*[a-z0-9]", name):
        _refuse_bucket(f"The bucket name {name} must begin and end with a letter or a digit.")
    if ".." in name:
        _refuse_bucket(f"The bucket name {name} has two dots side by side.")
    if re.fullmatch(r"\d{1,3}(\.\d{1,3}){3}", name):
        _refuse_bucket(f"The bucket name {name} has the form of an IP address.")
    _refuse_reserved(name)
    return name


def validate_prefix(prefix: str) -> str:
    """The prefix as given. Raises: `InputInvalid` with field `prefix`.

    A prefix is a beginning of keys, not a folder: see `prefix_note`.
    """
    if prefix.lower().startswith("s3://"):
        bucket, _, rest = prefix[5:].partition("/")
        _refuse("prefix", "The prefix is an s3:// address.", f"Give only what follows the bucket: {rest!r}.")
    if prefix.startswith("/"):
        _refuse(
            "prefix",
            f"The prefix {_shown(prefix)} begins with a slash, and keys in S3 do not.",
            f"Use {_shown(prefix.lstrip('/'))!r}, or leave the prefix empty for the whole bucket.",
        )
    if prefix.endswith("*"):
        _refuse(
            "prefix",
            f"The prefix {_shown(prefix)} ends with *; a prefix already means everything that begins so.",
            f"Use {_shown(prefix.rstrip('*'))!r}.",
        )
    _check_key_text("prefix", prefix)
    return prefix


def prefix_note(prefix: str) -> str | None:
    """A sentence where `prefix` reaches further than a folder would, else None."""
    if not prefix or prefix.endswith("/"):
        return None
    return (
        f"The prefix {_shown(prefix)} has no slash at its end, so it also takes in neighbours such as "
        f"{_shown(prefix)}-archive/. For that folder alone, use {_shown(prefix)}/."
    )


def validate_key(key: str) -> str:
    """The object's key as given. Raises: `InputInvalid` with field `key`."""
    if not key:
        _refuse("key", "No file was named.", "Give the object's key, such as exports/users.csv.")
    if key.lower().startswith("s3://"):
        _refuse("key", "The key is an s3:// address.", f"Use {_shown(key[5:].partition('/')[2])!r}.")
    if key.endswith("/"):
        _refuse("key", f"{_shown(key)} is a folder, not a file.", "Name a file inside it, or use a pattern.")
    _check_key_text("key", key)
    return key


def validate_region(region: str, partition: str = "aws") -> str:
    """The region's name; empty stays empty and means "find it".

    A region that this release of boto3 does not know is taken where its form is right: new regions
    come faster than releases. Raises: `InputInvalid` with field `region`.
    """
    region = region.strip()
    if not region:
        return ""
    known = _regions()
    if region in known:
        if known[region] != partition:
            _refuse(
                "region",
                f"The region {region} is in the partition {known[region]}, the role in {partition}.",
                f"Choose a region of {partition}, or leave the region empty so that it is found.",
            )
        return region
    if not _REGION.fullmatch(region):
        _refuse(
            "region",
            f"{_shown(region)} is not the name of an AWS region.",
            "Use the short name, such as eu-west-1, or leave the region empty so that it is found.",
        )
    return region


def validate_bucket_owner(account: str) -> str:
    """The id of the AWS account that owns the bucket; empty stays empty and means the role's account.

    Raises: `InputInvalid` with field `bucket_owner`.
    """
    account = account.strip()
    if account and not re.fullmatch(r"[0-9]{12}", account):
        _refuse(
            "bucket_owner",
            f"{_shown(account)} is not the id of an AWS account: that has 12 digits.",
            "Give the 12 digits without spaces or hyphens, or leave it empty where the bucket belongs to the "
            "role's own account.",
        )
    return account


@functools.cache
def _regions() -> dict[str, str]:
    session = boto3.session.Session(aws_access_key_id="none", aws_secret_access_key="none")  # noqa: S106
    return {
        region: partition
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("s3", partition_name=partition)
    }


def _refuse(field: str, message: str, remedy: str) -> NoReturn:
    raise InputInvalid(message, field=field, remedy=remedy)


def _refuse_bucket(message: str, remedy: str = _COPY) -> NoReturn:
    _refuse("bucket", message, remedy)


def _refuse_addresses(name: str) -> None:
    if not name:
        _refuse_bucket("No bucket was named.")
    if re.match(r"s3[an]?://", name, re.IGNORECASE):
        bucket, _, prefix = name.partition("://")[2].partition("/")
        rest = f", and {_shown(prefix)} as the prefix" if prefix else ""
        _refuse_bucket("This is an s3:// address, not a bucket's name.", f"Use {_shown(bucket)}{rest}.")
    if name.startswith("arn:"):
        if ":accesspoint/" in name:
            _refuse_bucket("This is an access point's ARN, not a bucket's name.", "Use the bucket behind it.")
        bucket = name.rpartition(":")[2].partition("/")[0]
        _refuse_bucket("This is an ARN, not a bucket's name.", f"Use its last part: {_shown(bucket)}.")
    if re.match(r"https?://", name, re.IGNORECASE):
        _refuse_bucket("This is a web address, not a bucket's name.")
    if "/" in name:
        bucket, _, prefix = name.partition("/")
        _refuse_bucket(
            f"{_shown(name)} has a slash; a bucket's name has none.",
            f"Use {_shown(bucket)} as the bucket and {_shown(prefix)!r} as the prefix.",
        )


def _refuse_reserved(name: str) -> None:
    for prefix, reason in RESERVED_PREFIXES.items():
        if name.startswith(prefix):
            _refuse_bucket(f"The bucket name {name} begins with {prefix}, which {reason}.")
    for suffix, reason in RESERVED_SUFFIXES.items():
        if name.endswith(suffix):
            _refuse_bucket(
                f"The name {name} ends with {suffix}, which {reason}; that is not a bucket Grantline can read.",
                "Use the name of the general purpose bucket that holds the files.",
            )


def _check_key_text(field: str, text: str) -> None:
    try:
        size_bytes = len(text.encode())
    except UnicodeEncodeError:
        _refuse(field, f"The {field} is not valid Unicode text.", "Type it again, or pick it from the listing.")
    if size_bytes > KEY_BYTES:
        _refuse(
            field,
            f"The {field} has {size_bytes:,} bytes in UTF-8; S3 allows 1,024.",
            "Shorten it.",
        )
    # Line breaks and other control characters would also break out of generated policies and logs.
    if any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in text):
        _refuse(
            field,
            f"The {field} {_shown(text)} has a control character, such as a line break.",
            "Type it again without it; objects with such names have to be renamed.",
        )


def _shown(text: str) -> str:
    text = text if len(text) <= 120 else text[:119] + "…"
    return text if text.isprintable() else ascii(text)[1:-1]
