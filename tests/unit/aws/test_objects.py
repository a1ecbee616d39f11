"""Patterns of keys."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grantline.aws.objects import is_folder_marker, is_pattern, literal_start, pattern_expression
from grantline.errors import InputInvalid


def slow_match(pattern: str, key: str) -> bool:
    """The meaning of `*`, `**` and `?`, by trying everything."""
    if not pattern:
        return not key
    if pattern.startswith("**"):
        return any(slow_match(pattern[2:], key[skip:]) for skip in range(len(key) + 1))
    if pattern[0] == "*":
        free = len(key.split("/")[0])
        return any(slow_match(pattern[1:], key[skip:]) for skip in range(free + 1))
    if not key or (pattern[0] == "?" and key[0] == "/"):
        return False
    return pattern[0] in ("?", key[0]) and slow_match(pattern[1:], key[1:])


@pytest.mark.parametrize(
    ("pattern", "key", "expected"),
    [
        ("exports/hr-*.csv", "exports/hr-2026.csv", True),
        ("exports/hr-*.csv", "exports/hr-2026/x.csv", False),
        ("exports/hr-*.csv", "exports/hr-2026.csv.gz", False),
        ("exports/**.csv", "exports/a/b/x.csv", True),
        ("hr-[0-9][0-9].csv", "hr-07.csv", True),
        ("hr-[!0-9].csv", "hr-7.csv", False),
        ("hr-[!0-9].csv", "hr-/.csv", False),
        ("hr-[+-9].csv", "hr-/.csv", False),
        ("hr-[[]x].csv", "hr-[x].csv", True),
        ("hr-[*].csv", "hr-*.csv", True),
        ("hr-[*].csv", "hr-x.csv", False),
        ("hr-[]^].csv", "hr-].csv", True),
        ("hr.csv", "hrXcsv", False),
        ("a+b (1).csv", "a+b (1).csv", True),
        ("*", "a\nb", True),
    ],
)
def test_patterns(pattern: str, key: str, expected: bool) -> None:
    assert bool(pattern_expression(pattern).fullmatch(key)) is expected


@given(st.text("ab*?/", min_size=1, max_size=9), st.text("ab/", max_size=9))
def test_patterns_mean_what_trying_everything_says(pattern: str, key: str) -> None:
    try:
        expression = pattern_expression(pattern)
    except InputInvalid:
        return
    assert bool(expression.fullmatch(key)) == slow_match(pattern, key)


def test_no_pattern_takes_long() -> None:
    began = time.perf_counter()
    for pattern in ("*a" * 500, "**" + "*a*" * 3, "?*" * 300 + "b", "**" + "/*a" * 100):
        try:
            pattern_expression(pattern).fullmatch("a" * 1024)
        except InputInvalid:
            continue
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize("pattern", ["", "a" * 1025, "a**b**", "***", "a[bc", "[z-a]"])
def test_patterns_that_are_refused(pattern: str) -> None:
    with pytest.raises(InputInvalid) as refused:
        pattern_expression(pattern)
    assert refused.value.field == "pattern"


def test_literal_start_and_markers() -> None:
    assert literal_start("exports/hr-*.csv") == "exports/hr-"
    assert literal_start("exports/hr.csv") == "exports/hr.csv"
    assert is_pattern("a[b]")
    assert not is_pattern("a+b.csv")
    assert is_folder_marker("a/")
    assert is_folder_marker("a_$folder$")
    assert not is_folder_marker("a.csv")
