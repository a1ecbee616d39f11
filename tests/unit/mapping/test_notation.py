from __future__ import annotations

import pytest

from grantline.errors import MappingInvalid
from grantline.mapping.notation import SIZE_LIMIT, line_of, read_text, write_text


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


WORDS = (
    "00000000",
    "no",
    "~",
    "12",
    "null",
    "",
    " x ",
    "a: b",
    "# c",
    "\t",
    "é",
    "\u202e",
    "a\nb",
    "'\"",
    "[",
    "2026-01-07",
)


def test_what_is_written_reads_as_the_same() -> None:
    words = [*WORDS, None, True, 12]
    document = {"version": 1, "columns": [{"source": word, "nulls": words} for word in words], "file": {"quote": None}}
    assert read_text(write_text(document)) == document
    shared = ["x"]
    assert read_text(write_text({"a": shared, "b": shared})) == {"a": shared, "b": shared}
    assert write_text({}) == ""


def test_a_column_is_written_on_one_line() -> None:
    text = write_text({"version": 1, "columns": [{"source": "x" * 300, "to": "account.id"}]})
    assert len(text.splitlines()) == 3


TEXT = """version: 1
file:
  delimiter: x
columns:
- {source: A, to: account.id}
- source: B
  to: account.email
  nulls: ["-"]
constants: {account.type: a}
where:
- {column: A, is: empty}
"""


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("columns[1].nulls[0]: must be a text.", 8),
        ("columns[1].zone: only works with a date.", 6),
        ("columns[0].to: 'x' is not a target.", 5),
        ("columns: no column is mapped to account.id.", 4),
        ("file.delimiter must be one character.", 3),
        ("constants.account.type: is a word.", 9),
        ("where[0].is: must be 'empty'.", 11),
        ("The mapping is not readable YAML or JSON: found a tab (line 7).", 7),
        ("modes: unknown option", None),
        ("columns[9].to: is not there.", 4),
    ],
)
def test_line_of_a_place(message: str, line: int | None) -> None:
    assert line_of(TEXT, message) == line


def test_line_of_a_column_and_of_a_text_that_is_none() -> None:
    assert line_of(TEXT, "The columns 'A' and 'B' are both mapped to account.id.", "B") == 6
    assert line_of("a: [", "columns: is wrong.") is None
    assert line_of("[" * 100_000, "columns: is wrong.") is None
    assert line_of("", "columns: is wrong.", "A") is None
