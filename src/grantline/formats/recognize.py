"""What a file is, by its first bytes; its name is only used in messages.

In: the head of a file and its name. Out: a `Kind`. Content that can never be a table is refused here
with words for what it is: a web page, an S3 error body, a PDF, an old or a protected workbook.
"""

from __future__ import annotations

import re
from typing import Literal

from grantline.errors import FileStructure

Kind = Literal["text", "json", "zip", "parquet", "gzip", "zstd", "bz2", "xz"]

HEAD_BYTES = 64 * 1024

SIGNATURES: tuple[tuple[bytes, Kind], ...] = (
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"PAR1", "parquet"),
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"BZh", "bz2"),
    (b"\xfd7zXZ\x00", "xz"),
)

REFUSED: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "a PDF document"),
    (b"{\\rtf", "an RTF document"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"ORC", "an ORC file"),
    (b"Obj\x01", "an Avro file"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"\x04\x22\x4d\x18", "packed with LZ4"),
    (b"\xff\x06\x00\x00sNaPpY", "packed with Snappy"),
    (b"LZIP", "packed with lzip"),
    (b"\x1f\x9d", "packed with compress (.Z)"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"\x7fELF", "a program"),
    (b"-----BEGIN ", "a PEM file or an encrypted message"),
)

SUDOERS = re.compile(
    rb"(?:Defaults\b[^,;|]*$|(?:User|Runas|Host|Cmnd)_Alias\s+\w+\s*="
    rb"|[%+]?[\w.@-]+\s+[\w.-]+\s*=\s*\(?[\w:, ]+\)?\s*\S)"
)
"""The first rule of a sudoers file: `Defaults env_reset`, `%wheel ALL=(ALL) ALL`."""

CONTROLS = frozenset(range(1, 9)) | frozenset(range(14, 32)) - {0x1A, 0x1B}
"""Bytes that text has few of."""
BINARY_SHARE = 0.3
"""A text whose cells are separated by such a byte (Hive writes 0x01) stays below."""

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
PROTECTED = "EncryptedPackage".encode("utf-16-le")


def recognize(head: bytes, name: str) -> Kind:
    """What a file that begins with `head` is.

    Raises: `FileStructure` for what is not a table, with the file's extension and its content.
    """
    for signature, kind in SIGNATURES:
        if head.startswith(signature):
            return kind
    if head.startswith(b"C1Z"):
        # A c1z file holds several tables; `reading` takes it apart before a table is asked for.
        raise FileStructure(
            "A c1z file holds several tables.", remedy="Leave out file.format and every other option of file."
        )
    for signature, what in REFUSED:
        if head.startswith(signature):
            raise refused(name, what)
    if head.startswith(OLE):
        if PROTECTED in head:
            raise refused(name, "a workbook protected by a password", "Save it without a password.")
        raise refused(name, "an old binary Office file (.xls)", "Save it as .xlsx or CSV.")
    if head[257:262] == b"ustar":
        raise refused(name, "a tar archive", "Put the file itself in the bucket, not an archive.")
    return _text_kind(head, name)


def refused(name: str, what: str, remedy: str = "Export the data as CSV, XLSX, JSON or Parquet.") -> FileStructure:
    """The error for content that is not a table."""
    extension = re.search(r"\.[A-Za-z0-9]{1,8}$", name)
    if extension:
        return FileStructure(f"The file is named {extension.group()}, but its content is {what}.", remedy=remedy)
    return FileStructure(f"The file's content is {what}.", remedy=remedy)


def _text_kind(head: bytes, name: str) -> Kind:
    start = head.removeprefix(b"\xef\xbb\xbf").replace(b"\0", b"")[:4096].lstrip(b"\xff\xfe \t\r\n")
    lowered = start.lower()
    if lowered.startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<table", b"<script")):
        raise refused(name, "HTML (a web page)", "Export the data itself; this may be a sign-in page.")
    if lowered.startswith(b"<?xml") or lowered.startswith(b"<error>"):
        code = re.search(rb"<error>.*?<code>([a-z0-9]{1,64})</code>", lowered, re.DOTALL)
        if code:
            answer = re.search(rb"<code>([A-Za-z0-9]+)</code>", start, re.IGNORECASE)
            word = answer.group(1).decode() if answer else ""
            raise refused(name, f"an error answer of S3 ({word})", "Repeat the download that made this file.")
        raise refused(name, "XML")
    if b"\0" not in head and _is_binary(start):  # UTF-16 has NUL, and in some scripts every second byte is such
        raise refused(name, "not text (nor any kind of file that is known here)")
    line = next((text for text in start.splitlines() if text.strip() and not text.lstrip().startswith(b"#")), b"")
    if SUDOERS.match(line):
        raise refused(name, "a sudoers file (rules, not a table)", "Export who may do what as a table, one row each.")
    if re.match(rb'\{\s*["}]|\[\s*[\[{\]]', start):
        return "json"
    return "text"


def _is_binary(start: bytes) -> bool:
    """Whether too much of the first bytes is nothing that a text has."""
    return bool(start) and sum(byte in CONTROLS for byte in start) > BINARY_SHARE * len(start)
