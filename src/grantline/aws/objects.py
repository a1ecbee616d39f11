"""What is in a bucket: listing with pages followed, browsing level by level, the newest of a pattern.

In: a `BucketSession`. Out: frozen `ObjectInfo`s. Keys come decoded exactly once: botocore asks for
`EncodingType=url` by itself and decodes (form style, `+` is a space), so nothing here decodes again.
Invariants: a folder marker never counts as a file; a listing is complete or raises; nothing outside the
session's prefix is asked for.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from grantline.aws.failures import ARCHIVE_CLASSES
from grantline.aws.sessions import BucketSession
from grantline.errors import InputInvalid

PAGE_SIZE = 1000
"""The most that S3 gives in one page."""
MARKER_SUFFIXES = ("/", "_$folder$")
"""Ends of keys that consoles and Hadoop tools make to show an empty folder."""
PATTERN_CHARACTERS = 1024
_TOKEN = re.compile(r"\*\*|\*|\?|\[!?\]?[^\]]*\]|[^*?\[]+|\[")


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """One object. `etag` is without quotes; `version_id` is None where the bucket keeps no versions or
    where it came from a listing; `kms_key` is the key it is encrypted with, where known."""

    key: str
    size_bytes: int
    etag: str
    last_modified_at: datetime
    storage_class: str = "STANDARD"
    version_id: str | None = None
    kms_key: str | None = None

    @property
    def is_folder_marker(self) -> bool:
        """Whether the object only stands for a folder."""
        return is_folder_marker(self.key)

    @property
    def is_archived(self) -> bool:
        """Whether it has to be restored before it can be read, as far as the class tells."""
        return self.storage_class in ARCHIVE_CLASSES


@dataclass(frozen=True, slots=True)
class Level:
    """One page of one level of the bucket browser: folders (full prefixes that end in `/`), files, and
    the token of the next page, None on the last one."""

    prefix: str
    folders: tuple[str, ...]
    objects: tuple[ObjectInfo, ...]
    next_token: str | None = None


def is_folder_marker(key: str) -> bool:
    """Whether `key` is that of a folder marker."""
    return key.endswith(MARKER_SUFFIXES)


def list_objects(
    session: BucketSession,
    prefix: str | None = None,
    *,
    page_size: int = PAGE_SIZE,
    start_after: str | None = None,
) -> Iterator[ObjectInfo]:
    """The files under `prefix` (default: the session's) in key order, folder markers left out.

    Streams page by page. `start_after` is a key. Raises: `InputInvalid` for a prefix outside the session's;
    errors of the source tree, also midway: then what came so far is not the whole.
    """
    parameters: dict[str, Any] = {"Prefix": _inside(session, prefix), "MaxKeys": page_size}
    if start_after is not None:
        parameters["StartAfter"] = start_after
    while True:
        answer = session.call("list_objects_v2", **parameters)
        for entry in answer.get("Contents", ()):
            if not is_folder_marker(entry["Key"]):
                yield from_listing(entry)
        token = answer.get("NextContinuationToken")
        # A page may hold no key and still not be the last one.
        if not answer.get("IsTruncated") or not token:
            return
        parameters["ContinuationToken"] = token


def browse(
    session: BucketSession, prefix: str | None = None, *, page_size: int = 200, token: str | None = None
) -> Level:
    """One page of the level below `prefix` (default: the session's).

    Raises: `InputInvalid` for a prefix outside the session's; errors of the source tree.
    """
    prefix = _inside(session, prefix)
    parameters: dict[str, Any] = {"Prefix": prefix, "Delimiter": "/", "MaxKeys": page_size}
    if token:
        parameters["ContinuationToken"] = token
    answer = session.call("list_objects_v2", **parameters)
    return Level(
        prefix=prefix,
        folders=tuple(entry["Prefix"] for entry in answer.get("CommonPrefixes", ())),
        objects=tuple(
            from_listing(entry) for entry in answer.get("Contents", ()) if not is_folder_marker(entry["Key"])
        ),
        next_token=answer.get("NextContinuationToken") if answer.get("IsTruncated") else None,
    )


def matching(session: BucketSession, pattern: str, *, page_size: int = PAGE_SIZE) -> Iterator[ObjectInfo]:
    """The files whose whole key matches `pattern`, in key order; see `pattern_expression`."""
    expression = pattern_expression(pattern)
    start = literal_start(pattern)
    if session.prefix.startswith(start):
        start = session.prefix
    for info in list_objects(session, start, page_size=page_size):
        if expression.fullmatch(info.key):
            yield info


def newest(session: BucketSession, pattern: str, *, page_size: int = PAGE_SIZE) -> ObjectInfo | None:
    """The file that matches `pattern` and was written last; of several, the last by key. None: no match."""
    return max(
        matching(session, pattern, page_size=page_size),
        key=lambda info: (info.last_modified_at, info.key),
        default=None,
    )


@functools.lru_cache(maxsize=256)
def pattern_expression(pattern: str) -> re.Pattern[str]:
    """The pattern as a regular expression: `*` any characters but `/`, `**` any at all (once), `?` one
    but `/`, `[abc]` and `[!abc]` one of (or none of) these.

    Each `*` takes as little as it can and never gives it back, which decides the same and keeps the time
    linear, so that no pattern can hold a worker up. Raises: `InputInvalid` with field `pattern`.
    """
    _check_pattern(pattern)
    tokens = _TOKEN.findall(pattern)
    final_star = max((place for place, token in enumerate(tokens) if token == "*"), default=-1)
    expression, literal, star = "", "", ""
    for place, token in enumerate([*tokens, "*"]):
        if token not in ("*", "**"):
            literal += _piece(token)
            continue
        expression += _after_star(star, literal)
        # What follows the last star has to reach the end, so that star alone may look further.
        literal, star = "", "last" if place == final_star else token
    try:
        return re.compile(expression, re.DOTALL)
    except re.error:
        raise _pattern_invalid("The pattern has a [range] that runs backwards.") from None


def is_pattern(text: str) -> bool:
    """Whether `text` has a wildcard."""
    return any(character in text for character in "*?[")


def literal_start(pattern: str) -> str:
    """What every match begins with: the pattern up to its first wildcard."""
    return re.split(r"[*?\[]", pattern, maxsplit=1)[0]


def from_listing(entry: dict[str, Any]) -> ObjectInfo:
    """An object as `ListObjectsV2` gives it."""
    return ObjectInfo(
        key=entry["Key"],
        size_bytes=int(entry["Size"]),
        etag=str(entry.get("ETag", "")).strip('"'),
        last_modified_at=entry["LastModified"].astimezone(UTC),
        storage_class=entry.get("StorageClass") or "STANDARD",
    )


def _inside(session: BucketSession, prefix: str | None) -> str:
    if prefix is None or prefix == session.prefix:
        return session.prefix
    if not prefix.startswith(session.prefix):
        raise InputInvalid(
            f"{prefix[:120]!r} is outside the data source's prefix {session.prefix!r}.",
            field="prefix",
            remedy="Stay below the prefix, or change the data source's prefix.",
        )
    return prefix


def _check_pattern(pattern: str) -> None:
    if not pattern:
        raise _pattern_invalid("No pattern was given.")
    if len(pattern) > PATTERN_CHARACTERS:
        raise _pattern_invalid(f"The pattern has {len(pattern):,} characters; 1,024 are allowed.")
    tokens = _TOKEN.findall(pattern)
    if tokens.count("**") > 1 or "***" in pattern:
        raise _pattern_invalid("The pattern has ** more than once, or three stars side by side.")
    if "[" in tokens:
        raise _pattern_invalid("The pattern has a [ that is never closed.")


def _pattern_invalid(reason: str) -> InputInvalid:
    return InputInvalid(
        reason,
        field="pattern",
        remedy="Use a pattern such as exports/hr-*.csv; write [[] for the character [ itself.",
    )


def _after_star(star: str, literal: str) -> str:
    """The star before a literal, and the literal."""
    if star == "*" and literal:
        return f"(?>[^/]*?{literal})"
    return {"": "", "*": "[^/]*", "last": "[^/]*", "**": ".*"}[star] + literal


def _piece(token: str) -> str:
    if token == "?":
        return "[^/]"
    if token.startswith("["):
        inside = token[1:-1].removeprefix("!")
        members = re.sub(r"([\\\[\]^&~|])", r"\\\1", inside)
        return f"(?!/)[{'^' if token[1] == '!' else ''}{members}]"
    return re.escape(token)
