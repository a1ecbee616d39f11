"""Content is recognized by its first bytes, whatever the name says."""

from __future__ import annotations

import pytest

from grantline.errors import FileStructure
from grantline.formats.recognize import recognize


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"id,name\n", "text"),
        (b'"id","name"\n', "text"),
        (b"\xef\xbb\xbfid\n", "text"),
        (b"<root_account>,x\n", "text"),
        (b"[id],name\n", "text"),
        (b"{id},name\n", "text"),
        (b' [ {"id":1}]', "json"),
        (b'\xef\xbb\xbf{"id":1}', "json"),
        ('[{"id":1}]'.encode("utf-16"), "json"),
        (b"PK\x03\x04", "zip"),
        (b"PAR1", "parquet"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"user_id\x01email\x01name\nU1\x01u1@example.com\x01One\n", "text"),
        ("\u0438\u043c\u044f\u044f,\u0433\u0440\u0443\u043f\u043f\u0430\n".encode("utf-16-le"), "text"),
    ],
)
def test_kinds(head: bytes, kind: str) -> None:
    assert recognize(head, "x.csv") == kind


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"<html><table>", "HTML"),
        (b"<!DOCTYPE html><title>Sign in</title>", "HTML"),
        ("<html><table>".encode("utf-16"), "HTML"),
        (b"<?xml version='1.0'?>\n<Error><Code>AccessDenied</Code></Error>", r"S3 \(AccessDenied\)"),
        (b"<?xml version='1.0'?><x/>", "XML"),
        (b"%PDF-1.7", "PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "password"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", r"\.xls"),
        (b"\0" * 257 + b"ustar", "tar"),
        (b"\x04\x22\x4d\x18\x64\x40", "LZ4"),
        (b"\x01\x02\x03user_id\x04\x05\x06", "not text"),
        (b"C1ZF\0", "A c1z file holds several tables"),
    ],
)
def test_what_is_no_table_is_named(head: bytes, words: str) -> None:
    with pytest.raises(FileStructure, match=words):
        recognize(head, "users.xls")


def test_the_message_says_how_the_file_is_named() -> None:
    with pytest.raises(FileStructure, match=r"named \.csv, but its content is a PDF"):
        recognize(b"%PDF-1.7", "exports/users.csv")
