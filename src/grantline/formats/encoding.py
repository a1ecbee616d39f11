"""Bytes to text: which encoding a file has, and its UTF-8 form.

In: the first bytes, the declared encoding, the file. Out: an `Encoding`, and a UTF-8 file where the
file is not UTF-8 already. A byte order mark decides; without one the file is UTF-8 or what the mapping
declares. Nothing is guessed: text that does not decode raises `Undecodable` with its offset.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from pathlib import Path

from grantline.errors import FileEncoding

CHUNK = 1024 * 1024

# UTF-32 little-endian begins with the mark of UTF-16 little-endian, so the longer ones come first.
MARKS = (
    (codecs.BOM_UTF8, "utf-8", "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le", "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32-be", "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16-le", "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "utf-16"),
)


@dataclass(frozen=True, slots=True)
class Encoding:
    """`name` as people write it, `codec` as Python calls it, `mark_bytes` of byte order mark."""

    name: str
    codec: str
    mark_bytes: int = 0

    @property
    def is_utf8(self) -> bool:
        """Whether the bytes are UTF-8 as they stand."""
        return self.codec == "utf-8"


class Undecodable(Exception):
    """The byte at `offset` of the file does not belong to its encoding."""

    def __init__(self, offset: int) -> None:
        super().__init__(offset)
        self.offset = offset


def recognize(head: bytes, declared: str) -> Encoding:
    """The encoding of a file that begins with `head`.

    Raises: `FileEncoding` where a byte order mark contradicts the declared encoding, or where the
    bytes look like UTF-16 without a mark and nothing is declared.
    """
    mark = next((mark for mark in MARKS if head.startswith(mark[0])), None)
    if declared == "auto":
        if mark is not None:
            return Encoding(mark[2], mark[1], len(mark[0]))
        _refuse_bare_utf16(head)
        return Encoding("utf-8", "utf-8")
    codec = codecs.lookup(declared).name
    codec = {"utf-8-sig": "utf-8", "ascii": "ascii"}.get(codec, codec)
    if mark is None:
        bare = {"utf-16": "utf-16-le", "utf-32": "utf-32-le"}
        return Encoding(declared, bare.get(codec, codec))
    if codec == mark[1] or codec == mark[2]:
        return Encoding(declared, mark[1], len(mark[0]))
    raise FileEncoding(
        f"The mapping declares {declared}, but the file begins with the byte order mark of {mark[2]}.",
        remedy=f"Set file.encoding to {mark[2]} or leave it on auto.",
    )


def _refuse_bare_utf16(head: bytes) -> None:
    sample = head[:4096]
    if len(sample) < 4:
        return
    for name, zeros in (("utf-16-le", sample[1::2]), ("utf-16-be", sample[0::2])):
        others = len(sample) - len(zeros)
        if zeros.count(0) * 2 > len(zeros) and sample.count(0) - zeros.count(0) < others * 0.1:
            raise FileEncoding(
                "Every second byte of the file is 0: it looks like UTF-16 without a byte order mark.",
                remedy=f"Save the file as UTF-8, or set file.encoding to {name} in the mapping.",
            )


def transcode(source: Path, encoding: Encoding, target: Path) -> None:
    """Writes `source` to `target` as UTF-8 without byte order mark, streaming.

    Raises: `Undecodable`; `target` then holds the text before the fault.
    """
    decoder = codecs.getincrementaldecoder(encoding.codec)("strict")
    with source.open("rb") as reader, target.open("w", encoding="utf-8", newline="") as writer:
        read = len(reader.read(encoding.mark_bytes))
        while True:
            chunk = reader.read(CHUNK)
            read += len(chunk)
            try:
                writer.write(decoder.decode(chunk, final=not chunk))
            except UnicodeDecodeError as error:
                bad = error.object[: error.start]
                writer.write(bad.decode(encoding.codec, "replace"))
                raise Undecodable(read - len(error.object) + error.start) from error
            if not chunk:
                return
