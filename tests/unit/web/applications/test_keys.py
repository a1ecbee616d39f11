"""Account keys in addresses: any text goes into one path segment and comes back."""

from __future__ import annotations

import re

import pytest

from grantline.web.applications.keys import KeyConverter, key_of, segment_of

KEYS = [
    "u0014",
    "a.b@example.com",
    "..",
    ".",
    "a/b",
    "a b",
    "~",
    "~u1",
    "?x#y",
    "ä",
    "a\x00b",
    "\ud800",
    "x" * 900,
    "%2F",
]


@pytest.mark.parametrize("key", KEYS)
def test_segment_of_comes_back(key: str) -> None:
    assert key_of(segment_of(key)) == key


@pytest.mark.parametrize("key", KEYS)
def test_segment_of_is_a_segment_that_no_browser_changes(key: str) -> None:
    segment = segment_of(key)
    assert re.fullmatch(KeyConverter.regex, segment)
    assert set(segment) != {"."}


def test_segment_of_a_plain_key_can_be_read() -> None:
    assert segment_of("first.last@example.com") == "first.last@example.com"


@pytest.mark.parametrize("segment", ["~a", "~!!", "..", "a/b", "~gA"])
def test_key_of_refuses_what_no_key_gives(segment: str) -> None:
    with pytest.raises(ValueError, match="not a plain key|not base64url|codec"):
        key_of(segment)
