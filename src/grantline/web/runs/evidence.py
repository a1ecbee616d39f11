"""Where a run's data came from, as terms and values.

In: the evidence document a run keeps, as written when the object was read. Out: pairs for a definition
list; a value that a person may want to compare elsewhere is marked as code and can be copied.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grantline.control.runs.models import Run
from grantline.web import words
from grantline.web.harmless import harmless
from grantline.web.imports.words import DELIMITER_NAMES

Pair = tuple[Any, ...]


def evidence_pairs(run: Run) -> list[Pair]:
    """The pairs of `run`; empty where it read nothing."""
    known = run.evidence or {}
    if not known:
        return []
    if known.get("file_name"):
        return [
            ("File", harmless(known["file_name"])),
            *_content_pairs(known),
            ("Uploaded at", _moment(known.get("read_at"))),
            ("By", known.get("uploaded_by")),
        ]
    return [
        ("Bucket", known.get("bucket"), "code"),
        ("Key", harmless(known.get("key") or ""), "code"),
        ("Version", known["version_id"], "code") if known.get("version_id") else ("Version", "Not kept by the bucket"),
        ("ETag", known.get("etag"), "code"),
        *_content_pairs(known),
        ("Last modified", _moment(known.get("last_modified_at"))),
        ("Read at", _moment(known.get("read_at")) or "Not read: it is what was read before"),
        ("By role", known.get("role_arn"), "code"),
    ]


def format_pairs(document: Mapping[str, Any] | None) -> list[Pair]:
    """What the file turned out to be."""
    if not document:
        return []
    delimiter = document.get("delimiter")
    pairs: list[Pair] = [
        ("Format", str(document.get("type") or "").upper() or None),
        ("Delimiter", DELIMITER_NAMES.get(delimiter, delimiter) if delimiter else None),
        ("Encoding", document.get("encoding")),
        ("Compression", document.get("compression")),
        ("Header in line", document.get("header_row")),
        ("Sheet", document.get("sheet")),
        ("Layout", document.get("layout")),
    ]
    return [pair for pair in pairs if pair[1] not in (None, "")]


def _content_pairs(known: Mapping[str, Any]) -> list[Pair]:
    return [("Size", words.size_mb(known.get("size_bytes"))), ("SHA-256", known.get("sha256"), "code")]


def _moment(value: Any) -> str | None:
    return words.exact(value) if value else None
