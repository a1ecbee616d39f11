"""What is below a file's layers of compression, for those who want to know before it is read."""

from __future__ import annotations

import io
from pathlib import Path

from grantline.formats.limits import Limits
from grantline.formats.recognize import HEAD_BYTES, recognize
from grantline.formats.unpack import DAMAGED, first_bytes, unpack

ZIP = b"PK\x03\x04"
STREAMS = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"BZh", b"\xfd7zXZ\x00")
"""How gzip, zstd, bzip2 and xz begin."""


def inner_head(path: Path, limits: Limits) -> bytes:
    """The first bytes below the streams packed around a file, as far as they can be told without
    unpacking it; what is damaged is left to whoever reads the whole file."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    for _ in range(limits.layers):
        if not head.startswith(STREAMS):
            return head
        try:
            head = first_bytes(io.BytesIO(head), recognize(head, ""), HEAD_BYTES)
        except DAMAGED:
            return b""
    return head


def unpacked(path: Path, limits: Limits, scratch: Path) -> Path:
    """The file below all streams; the unpacked copies lie in `scratch`.

    Raises: `SourceTooLarge`, `FileStructure`.
    """
    for _ in range(limits.layers):
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        if not head.startswith(STREAMS):
            return path
        path = unpack(path, recognize(head, ""), limits, scratch)
    return path
