"""What a logged error says: where and what kind, never the values in its message."""

from __future__ import annotations

import errno
import os
import sys

import pytest

from grantline.config.logs import hide_secrets, traceback_without_values

ADDRESS = "anna@example.com"  # not in the lines that raise: a traceback quotes those, and they are code


def logged(error: BaseException) -> str:
    try:
        raise error
    except type(error):
        return traceback_without_values(sys.exc_info())


def test_a_message_is_left_out() -> None:
    text = logged(ValueError(ADDRESS))
    assert "anna" not in text
    assert text.endswith("\nValueError")
    assert "test_logs.py" in text


def test_the_cause_is_told_first_and_without_its_message() -> None:
    try:
        try:
            raise KeyError(ADDRESS)
        except KeyError as error:
            raise RuntimeError(ADDRESS) from error
    except RuntimeError:
        text = traceback_without_values(sys.exc_info())
    assert "anna" not in text
    assert text.index("\nKeyError") < text.index("\nRuntimeError")


@pytest.mark.parametrize(
    ("error", "end"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/data/anna"), "No space left on device"),
        (ImportError("cannot import name 'x'"), "ImportError: cannot import name 'x'"),
    ],
)
def test_what_says_nothing_about_customers_stays(error: Exception, end: str) -> None:
    text = logged(error)
    assert text.endswith(end)
    assert "anna" not in text


def test_values_under_secret_names_are_hidden() -> None:
    event = {"event": "x", "Authorization": "Bearer glt_1", "token": "glt_2", "run_id": "run_1"}
    assert hide_secrets(None, "info", event) == {
        "event": "x",
        "Authorization": "[hidden]",
        "token": "[hidden]",
        "run_id": "run_1",
    }
