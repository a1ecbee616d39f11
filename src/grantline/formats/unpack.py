"""One layer of compression off, with hard limits while the bytes stream.

In: a packed file and what it is. Out: the unpacked file in `scratch`. Nothing that a header declares
is believed: bytes are counted as they come, so a file that unpacks to far more than it is stops early
and leaves nothing behind. Files of several gzip members or zstd frames are read to their end; a file
that stops early is refused, because half of an export would remove the other half.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Protocol
from uuid import uuid4

import zstandard

from grantline.errors import FileStructure
from grantline.formats.limits import Limits
from grantline.formats.recognize import Kind

CHUNK = 1024 * 1024
RATIO_FROM = 16 * 1024 * 1024
"""Unpacked bytes below which the ratio is not looked at: small files may repeat themselves a lot."""

WINDOW = 128 * 1024 * 1024
"""Memory that a zstd or xz file may ask for."""

DAMAGED = (
    OSError,  # gzip.BadGzipFile, and bz2's only error
    EOFError,
    zlib.error,
    lzma.LZMAError,
    zstandard.ZstdError,
    zipfile.BadZipFile,
    NotImplementedError,
    ValueError,  # zipfile, for an index that points outside of the file
)


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def unpack(path: Path, kind: Kind, limits: Limits, scratch: Path) -> Path:
    """The file inside `path`.

    Raises: `SourceTooLarge` naming the limit, `FileStructure` for a damaged file or an archive that
    does not hold exactly one file.
    """
    target = scratch / f"unpacked-{uuid4().hex}"
    try:
        with path.open("rb") as source, target.open("wb") as writer:
            for chunk in _limited(_READERS[kind](source), path.stat().st_size, limits):
                writer.write(chunk)
    except DAMAGED as error:
        target.unlink(missing_ok=True)
        raise FileStructure(
            f"The {kind} file is damaged or cut off ({str(error) or 'it ends too early'}).",
            remedy="Check the job that writes the file and put the whole file in again.",
        ) from error
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return target


def zip_members(path: Path) -> list[zipfile.ZipInfo]:
    """The files in a ZIP, without folders and what macOS adds."""
    try:
        with zipfile.ZipFile(path) as archive:
            return [
                member
                for member in archive.infolist()
                if not member.filename.endswith("/") and not member.filename.startswith("__MACOSX/")
            ]
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError) as error:
        raise FileStructure(f"The ZIP file is damaged or cut off ({error}).") from error


def _limited(chunks: Iterator[bytes], packed_bytes: int, limits: Limits) -> Iterator[bytes]:
    total, deadline = 0, time.monotonic() + limits.seconds
    for chunk in chunks:
        total += len(chunk)
        if total > limits.unpacked_bytes:
            raise limits.too_large("unpacked_bytes", "The file unpacks to more bytes")
        if total > RATIO_FROM and total > limits.ratio * packed_bytes:
            raise limits.too_large("ratio", "The file unpacks to too many times its own size")
        if time.monotonic() > deadline:
            raise limits.too_large("seconds", "Unpacking was stopped")
        yield chunk


def _pieces(reader: _Readable) -> Iterator[bytes]:
    while chunk := reader.read(CHUNK):
        yield chunk


def _gzip(source: IO[bytes]) -> Iterator[bytes]:
    with gzip.GzipFile(fileobj=source) as reader:
        yield from _pieces(reader)


def _bz2(source: IO[bytes]) -> Iterator[bytes]:
    with bz2.BZ2File(source) as reader:
        yield from _pieces(reader)


def _zstd(source: IO[bytes]) -> Iterator[bytes]:
    """All frames; zstandard's reader ends quietly in the middle of a frame, so frames are walked here."""
    pending = b""
    while True:
        decoder = zstandard.ZstdDecompressor(max_window_size=WINDOW).decompressobj()
        while not decoder.eof:
            packed = pending or source.read(CHUNK // 8)
            pending = b""
            if not packed:
                raise EOFError
            yield decoder.decompress(packed)
        pending = decoder.unused_data or source.read(CHUNK // 8)
        if not pending:
            return


def _xz(source: IO[bytes]) -> Iterator[bytes]:
    pending = source.read(CHUNK)
    while pending:
        decoder = lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=WINDOW)
        packed = pending
        while not decoder.eof:
            yield decoder.decompress(packed, CHUNK)
            packed = b""
            if decoder.needs_input and not decoder.eof:
                packed = source.read(CHUNK)
                if not packed:
                    raise EOFError
        pending = (decoder.unused_data or source.read(CHUNK)).lstrip(b"\0")  # padding between streams


def _zip(source: IO[bytes]) -> Iterator[bytes]:
    members = zip_members(Path(source.name))
    if len(members) != 1:
        names = ", ".join(member.filename for member in members[:5]) or "none"
        raise FileStructure(
            f"The ZIP file holds {len(members)} files ({names}); it must hold exactly one.",
            remedy="Put each file in the bucket on its own.",
        )
    if members[0].flag_bits & 1:
        raise FileStructure("The ZIP file is protected by a password.", remedy="Pack it without one.")
    with zipfile.ZipFile(source) as archive, archive.open(members[0]) as reader:
        yield from _pieces(reader)


_READERS: dict[Kind, Callable[[IO[bytes]], Iterator[bytes]]] = {
    "gzip": _gzip,
    "bz2": _bz2,
    "zstd": _zstd,
    "xz": _xz,
    "zip": _zip,
}
