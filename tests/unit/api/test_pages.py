"""Cursors: signed, good for one list, true to the type of what they hold."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.core import signing

from grantline.api.pages import make_cursor, read_cursor
from grantline.errors import InputInvalid

MOMENT = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)


def test_a_cursor_gives_back_what_was_put_in() -> None:
    place = [MOMENT, "run_x", 7, ""]
    assert read_cursor("runs", make_cursor("runs", place), 4) == place


@pytest.mark.parametrize("cursor", ["x", "a:b:c", "é", "." * 5000, ""])
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(InputInvalid) as caught:
        read_cursor("runs", cursor, 1)
    assert caught.value.field == "cursor"


def test_a_cursor_of_another_list_is_refused() -> None:
    with pytest.raises(InputInvalid):
        read_cursor("issues", make_cursor("runs", [1]), 1)


def test_a_cursor_of_another_length_is_refused() -> None:
    with pytest.raises(InputInvalid):
        read_cursor("runs", make_cursor("runs", [1, 2]), 1)


def test_a_cursor_somebody_else_signed_is_refused() -> None:
    forged = signing.dumps([1], key="another key", salt="grantline.cursor:runs")
    with pytest.raises(InputInvalid):
        read_cursor("runs", forged, 1)
