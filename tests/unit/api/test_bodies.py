"""Bodies are read strictly."""

from __future__ import annotations

import pytest
from django.test import RequestFactory

from grantline.api.bodies import StrictParser
from grantline.api.problems import BodyMalformed, MediaTypeUnsupported
from grantline.errors import InputInvalid


def parse(body: bytes, content_type: str = "application/json") -> object:
    return StrictParser().parse_body(RequestFactory().post("/", body, content_type=content_type))


def test_an_object_is_read() -> None:
    assert parse(b'{"a": [1, 2.5, {"b": "\xc3\xa4"}]}') == {"a": [1, 2.5, {"b": "ä"}]}


def test_a_charset_may_be_named() -> None:
    assert parse(b"{}", "application/json; charset=utf-8") == {}


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff",
        b'{"a": 1, "a": 2}',
        b'{"a": {"b": 1, "b": 1}}',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": "\\u0000"}',
        b'{"\\u0000": 1}',
        b'{"a": [["\\u0000"]]}',
        b'{"a": "\\ud800"}',
        b'{"a": ' + b"[" * 100_000,
        b'{"a": ' + b"9" * 5000 + b"}",
    ],
)
def test_what_cannot_be_kept_is_refused(body: bytes) -> None:
    with pytest.raises(BodyMalformed):
        parse(body)


@pytest.mark.parametrize("body", [b"[]", b"null", b"3", b'"text"'])
def test_only_an_object_is_a_body(body: bytes) -> None:
    with pytest.raises(InputInvalid):
        parse(body)


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/yaml"])
def test_another_media_type_is_refused(content_type: str) -> None:
    with pytest.raises(MediaTypeUnsupported):
        parse(b"{}", content_type)
