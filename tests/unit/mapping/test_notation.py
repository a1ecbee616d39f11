from __future__ import annotations

import pytest

from grantline.errors import MappingInvalid
from grantline.mapping.notation import SIZE_LIMIT, read_text


@pytest.mark.parametrize("word", ["00000000", "1.10", "2026-01-07", "NO", "Yes", "0x1F", "1e3", "012", "12:30"])
def test_what_only_looks_like_another_type_stays_text(word: str) -> None:
    assert read_text(f"a: [{word}]") == {"a": [word]}


def test_null_true_and_whole_numbers_are_read() -> None:
    assert read_text("{a: null, b: ~, c: true, d: 12, e: -1, f:}") == {
        "a": None,
        "b": None,
        "c": True,
        "d": 12,
        "e": -1,
        "f": None,
    }


def test_quoted_words_are_text() -> None:
    assert read_text("a: ['null', \"12\"]") == {"a": ["null", "12"]}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: &x [1]\nb: *x", "anchors"),
        ("a: 1\na: 2", "twice"),
        ('{"a": 1, "a": 2}', "twice"),
        ("a: [", "line"),
        ("a: !!python/object/apply:os.system ['true']", "tag"),
        ("[" * 40 + "]" * 40, "nesting"),
        ("[" * 100_000, "nesting"),
        ("a: " + "x" * SIZE_LIMIT, "KiB"),
    ],
)
def test_hostile_text_is_refused(text: str, words: str) -> None:
    with pytest.raises(MappingInvalid) as refused:
        read_text(text)
    assert words in refused.value.message


def test_a_nest_of_aliases_is_refused_at_once() -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{level}: &a{level} [*a{level - 1}, *a{level - 1}]" for level in range(1, 40)]
    with pytest.raises(MappingInvalid, match="anchors"):
        read_text("\n".join(lines))
