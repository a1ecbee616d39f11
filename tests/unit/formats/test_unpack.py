"""Packed files: every layer is taken off, within limits, and to its end."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable

import pytest
import zstandard

from grantline.errors import FileEmpty, FileStructure, SourceTooLarge
from grantline.formats.limits import Limits

from .conftest import Result

Load = Callable[..., Result]

FIRST, SECOND = b"id,name\nU1,Ann\n", b"U2,Bo\n"
ROWS = [("U1", "Ann"), ("U2", "Bo")]


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


@pytest.mark.parametrize(
    ("pack", "name"), [(gzip.compress, "gzip"), (bz2.compress, "bz2"), (lzma.compress, "xz"), (zstd, "zstd")]
)
def test_all_members_are_read_and_a_cut_one_is_refused(load: Load, pack: Callable[[bytes], bytes], name: str) -> None:
    result = load(pack(FIRST) + pack(SECOND))
    assert (result.rows, result.table.format.compression) == (ROWS, name)
    with pytest.raises(FileStructure, match="damaged or cut off"):
        load((pack(FIRST) + pack(SECOND))[:-6])


def test_a_zip_of_one_file(load: Load) -> None:
    result = load(zipped(users=FIRST + SECOND))
    assert (result.rows, result.table.format.compression) == (ROWS, "zip")


def test_a_zip_of_several_files_is_refused_with_their_names(load: Load) -> None:
    with pytest.raises(FileStructure, match=r"2 files \(a, b\)"):
        load(zipped(a=FIRST, b=SECOND))


def test_two_layers_are_taken_off_and_three_are_not(load: Load) -> None:
    twice = zipped(users=gzip.compress(FIRST + SECOND))
    assert load(twice).table.format.compression == "zip+gzip"
    with pytest.raises(SourceTooLarge) as caught:
        load(gzip.compress(twice))
    assert caught.value.facts["limit"] == "layers"


def test_an_empty_packed_file_is_empty(load: Load) -> None:
    with pytest.raises(FileEmpty):
        load(gzip.compress(b""))


def test_a_file_that_unpacks_to_too_much_stops_early(load: Load, tmp_path: object) -> None:
    bomb = gzip.compress(b"a" * 40_000_000)
    with pytest.raises(SourceTooLarge) as caught:
        load(bomb)
    assert caught.value.facts["limit"] == "ratio"
    with pytest.raises(SourceTooLarge) as caught:
        load(bomb, limits=Limits(unpacked_bytes=1_000_000))
    assert caught.value.facts["limit"] == "unpacked_bytes"
    assert not list(tmp_path.glob("unpacked-*"))  # type: ignore[attr-defined]
