"""Physical lines of a UTF-8 file, each with its line end, never longer than a record may be.

A line ends in LF, CR LF or CR. A byte order mark at the start is not part of the first line.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from grantline.formats.tokens import RECORD_CHARACTERS

HEAD_LINES = 2_000
HEAD_CHARACTERS = 1024 * 1024


@contextmanager
def open_lines(path: Path, skip: int = 0, errors: str = "strict") -> Iterator[Iterator[str]]:
    """The lines of `path` after the first `skip`. Raises, while iterating: `UnicodeDecodeError`."""
    with path.open(encoding="utf-8", errors=errors, newline="") as file:
        lines = iter(lambda: file.readline(RECORD_CHARACTERS), "")
        yield islice(_unmarked(lines), skip, None)


def head_lines(path: Path) -> list[str]:
    """The first lines of `path`, whole; bytes that are not UTF-8 are replaced."""
    found: list[str] = []
    size = 0
    with open_lines(path, errors="replace") as lines:
        for line in islice(lines, HEAD_LINES):
            found.append(line)
            size += len(line)
            if size > HEAD_CHARACTERS:
                break
    return found


def _unmarked(lines: Iterator[str]) -> Iterator[str]:
    first = next(lines, "").removeprefix("\ufeff")
    if first:
        yield first
    yield from lines
