"""One layer of compression off, with hard limits while the bytes stream.

In: a packed file and what it is. Out: the unpacked file in `scratch`. Nothing that a header declares
is believed: bytes are counted as they come, so a file that unpacks to far more than it is stops early
and leaves nothing behind. Files of several gzip members or zstd frames are read to their end; a file
that stops early is refused, because half of an export would remove the other half.
"""

from __future__ import annotations

import bz2
import errno
import gzip
import lzma
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
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

DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO})


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def unpack(path: Path, kind: Kind, limits: Limits, scratch: Path, member: str | None = None) -> Path:
    """The file inside `path`; of a ZIP the one whose name matches the pattern `member`.

    Raises: `SourceTooLarge` naming the limit, `FileStructure` for a damaged file or an archive that
    does not hold exactly one file.
    """
    return unpack_stream(path, kind, limits, scratch, member=member)


def unpack_stream(
    path: Path, kind: Kind, limits: Limits, scratch: Path, *, skip: int = 0, member: str | None = None
) -> Path:
    """The same, for packed bytes that begin at the offset `skip`."""
    target = scratch / f"unpacked-{uuid4().hex}"
    try:
        with path.open("rb") as source, target.open("wb") as writer:
            source.seek(skip)
            chunks = _zip(source, member) if kind == "zip" else _READERS[kind](source)
            for chunk in _limited(chunks, path.stat().st_size, limits):
                writer.write(chunk)
    except DAMAGED as error:
        target.unlink(missing_ok=True)
        if is_of_the_disk(error):
            raise
        raise FileStructure(
            f"The {kind} file is damaged or cut off ({str(error) or 'it ends too early'}).",
            remedy="Check the job that writes the file and put the whole file in again.",
        ) from error
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return target


def is_of_the_disk(error: BaseException) -> bool:
    """Whether the machine's disk is at fault, not the file: full, a quota, read-only, broken."""
    return isinstance(error, OSError) and error.errno in DISK


def first_bytes(source: IO[bytes], kind: Kind, size: int) -> bytes:
    """The first bytes inside the start of a packed stream; fewer where the start is too short to tell."""
    found = b""
    try:
        for chunk in _READERS[kind](source):
            found += chunk
            if len(found) >= size:
                break
    except (*DAMAGED, EOFError):
        pass  # The start of a stream ends in the middle of it.
    return found[:size]


def extract(path: Path, member: zipfile.ZipInfo, target: Path, limits: Limits) -> None:
    """Writes one file of a ZIP to `target`, under the same limits. Raises: as `unpack`."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open(member) as reader, target.open("wb") as writer:
            for chunk in _limited(_pieces(reader), path.stat().st_size, limits):
                writer.write(chunk)
    except (*DAMAGED, RuntimeError) as error:  # RuntimeError: a password is needed
        if is_of_the_disk(error):
            raise
        if is_of_the_disk(error):
            raise
        raise FileStructure(f"{member.filename} in the ZIP file cannot be unpacked ({error}).") from error


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


def _zip(source: IO[bytes], wanted: str | None) -> Iterator[bytes]:
    found = zip_members(Path(source.name))
    members = found if wanted is None else [member for member in found if fnmatchcase(member.filename, wanted)]
    if len(members) != 1:
        names = ", ".join(member.filename for member in found[:5]) or "none"
        what = "" if wanted is None else f", of which {len(members)} match {wanted}"
        raise FileStructure(
            f"The ZIP file holds {len(found)} files ({names}){what}; exactly one is read.",
            remedy="Name it in the mapping (file.member, a pattern), or put each file in the bucket on its own.",
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
}
