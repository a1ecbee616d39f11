"""Which files or sheets an import reads: one, or several that belong together.

In: a path and a mapping. Out: the parts to read, each with its own mapping; None where it is one file or
one sheet. Several parts are the files of a folder (or of a ZIP, where the mapping's `sources` name them),
or the sheets of a workbook: those that `sources` name, or without any mapping all visible ones with cells.
Helper files (`_SUCCESS`, `.crc`, folder markers, hidden files) are passed over. A folder is complete
only if the mark that the mapping asks for (`ready`) is there and a manifest in it agrees.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from uuid import uuid4

from grantline.errors import FileEmpty, FileStructure, MappingInvalid, SourceIncompleteSet
from grantline.formats.c1z_read import ACCOUNT_COLUMNS, ENTITLEMENT_COLUMNS, GRANT_COLUMNS, read_c1z
from grantline.formats.limits import Limits
from grantline.formats.options import FileOptions
from grantline.formats.packed import ZIP, inner_head, unpacked
from grantline.formats.sheet_xml import visible_sheets
from grantline.formats.table import Table
from grantline.formats.unpack import extract, zip_members
from grantline.mapping.document import ColumnRule, Mapping, SourceRule
from grantline.mapping.targets import target

MANIFESTS = ("_MANIFEST.json", "_manifest.json", "manifest.json")
HELPER_ENDINGS = (".crc", ".md5", ".sha256", "_$folder$", ".ready", ".done", ".manifest")
PARTS_LIMIT = 1_000
MANIFEST_BYTES = 1024 * 1024


@dataclass(frozen=True)
class PartFile:
    """One file or sheet to read. `optional`: it is left out where its header is unknown. `derived`: we made
    it from another file, so its lines are nobody's."""

    name: str
    path: Path | None
    mapping: Mapping
    is_sheet: bool = False
    optional: bool = False
    derived: bool = False
    table: Table | None = None
    """Set where the part is a relation over a file that was read already; `path` is None then."""


@dataclass(frozen=True)
class PartSet:
    """The parts, and the number of records that a manifest promises."""

    parts: tuple[PartFile, ...]
    rows: int | None = None
    notes: tuple[str, ...] = ()
    layout: str | None = None


def find_parts(path: Path, mapping: Mapping, scratch: Path, limits: Limits) -> PartSet | None:
    """The parts of `path`; None where it is one table.

    Raises: `SourceIncompleteSet`, `FileStructure`, `FileEmpty`, `MappingInvalid`.
    """
    head = b"" if path.is_dir() else inner_head(path, limits)
    if head.startswith(b"C1Z"):
        return _of_c1z(unpacked(path, limits, scratch), mapping, limits, scratch)
    if path.is_dir():
        return _of_folder(path, mapping)
    if mapping.ready is not None:
        raise MappingInvalid("ready: only works where all files of a folder are read.")
    rules = mapping.sources
    if any(rule.match is not None for rule in rules):
        if not head.startswith(ZIP):
            raise MappingInvalid("sources: 'match' names files of a folder or a ZIP, but this is a single file.")
        return _of_archive(unpacked(path, limits, scratch), mapping, scratch, limits)
    if rules:
        return PartSet(tuple(PartFile(str(rule.sheet), path, mapping.of_source(rule), is_sheet=True) for rule in rules))
    if mapping.columns or FileOptions.from_document(mapping.file).sheet is not None:
        return None
    if not head.startswith(ZIP):
        return None
    return _of_workbook(unpacked(path, limits, scratch), mapping)


def _of_c1z(path: Path, mapping: Mapping, limits: Limits, scratch: Path) -> PartSet:
    """The three tables of a c1z file, mapped as they are: their columns are our targets."""
    declared = str(mapping.file.get("format", "auto")).lower()
    if declared not in ("auto", "c1z"):
        raise FileStructure(
            f"The mapping declares {declared}, but the file's content is a c1z file.",
            remedy="Set file.format to auto or c1z, or correct the file.",
        )
    if mapping.columns or mapping.sources or set(mapping.file) - {"format"} or mapping.mode != "full":
        raise MappingInvalid(
            "A c1z file says itself what it holds, so a mapping would have no effect.",
            remedy="Leave the mapping out.",
        )
    found = read_c1z(path, limits, scratch)
    account = tuple(
        ColumnRule(name, f"account.{name}", case="sensitive" if name == "id" else None) for name in ACCOUNT_COLUMNS
    )
    account += tuple(
        ColumnRule(f"profile.{key}", f"profile.{key}") for key in found.profile_keys if target(f"profile.{key}")
    )
    identity = {"resource_type": "resource.type", "resource": "resource.name", "entitlement": "entitlement.name"}
    entitlement = tuple(ColumnRule(name, identity.get(name, f"entitlement.{name}")) for name in ENTITLEMENT_COLUMNS)
    grant = tuple(
        ColumnRule(name, identity.get(name, "account.id"), case="sensitive" if name == "account" else None)
        for name in GRANT_COLUMNS
    )
    named = (("accounts", found.accounts, account), ("entitlements", found.entitlements, entitlement))
    tables = (*named, ("grants", found.grants, grant))
    parts = tuple(
        PartFile(name, table, Mapping(rules, file={"format": "csv", "delimiter": ",", "header_row": 1}), derived=True)
        for name, table, rules in tables
        if has_rows(table)
    )
    if not parts:
        raise FileEmpty("The c1z file's newest sync holds no accounts and no entitlements.")
    return PartSet(parts, notes=found.notes, layout="c1z")


def has_rows(table: Path) -> bool:
    """Whether a CSV file of ours has anything below its header."""
    with table.open(encoding="utf-8", newline="") as file:
        file.readline()
        return bool(file.readline())


def is_helper(name: str) -> bool:
    """Whether a file of a folder is no part of the data: a mark, a manifest, a checksum, a hidden file."""
    last = name.rsplit("/", 1)[-1]
    hidden = any(step.startswith((".", "_")) for step in name.split("/"))
    return hidden or not last or last in MANIFESTS or last.lower().endswith(HELPER_ENDINGS)


def read_manifest(text: str, name: str) -> tuple[int | None, int | None]:
    """How many parts and records a manifest promises; None for what it does not say.

    Raises: `SourceIncompleteSet` where it is no JSON object.
    """
    try:
        document: Any = json.loads(text)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise SourceIncompleteSet(f"{name} is no JSON object, so nobody can tell whether the set is complete.")

    def count(*names: str) -> int | None:
        value = next((document[key] for key in names if key in document), None)
        if isinstance(value, list):
            return len(value)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    return count("parts", "files", "part_count"), count("rows", "records", "row_count")


def refuse_other_count(found: int, rows: int | None) -> None:
    """Raises: `SourceIncompleteSet` where the parts hold another number of records than promised."""
    if rows is not None and found != rows:
        raise SourceIncompleteSet(f"The manifest promises {rows:,} records, but the files hold {found:,}.")


def _of_folder(folder: Path, mapping: Mapping) -> PartSet:
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    if mapping.ready is not None and mapping.ready not in names:
        raise SourceIncompleteSet(
            f"{mapping.ready} is not in the folder yet, so the set of files is not complete.",
            remedy="Wait until the job that writes the files has finished; it must write this file last.",
        )
    data = [name for name in names if not is_helper(name) and name != mapping.ready]
    if not data:
        raise FileEmpty("The folder holds no data files.")
    if len(data) > PARTS_LIMIT:
        raise FileStructure(f"The folder holds {len(data):,} files; {PARTS_LIMIT:,} are read at most.")
    rows = _check_manifest(folder, names, mapping, len(data))
    files = [(name, folder / name) for name in data]
    return replace(_ruled(files, mapping), rows=rows)


def _check_manifest(folder: Path, names: Sequence[str], mapping: Mapping, found: int) -> int | None:
    candidates = (name for name in (mapping.ready, *MANIFESTS) if name in names)
    manifest = next((name for name in candidates if str(name).endswith(".json")), None)
    if manifest is None:
        return None
    with (folder / manifest).open(encoding="utf-8-sig", errors="replace") as file:
        parts, rows = read_manifest(file.read(MANIFEST_BYTES), manifest)
    if parts is not None and parts != found:
        raise SourceIncompleteSet(f"{manifest} promises {parts:,} parts, but {found:,} are there ({found} of {parts}).")
    return rows


def _of_archive(archive: Path, mapping: Mapping, scratch: Path, limits: Limits) -> PartSet:
    files = []
    for member in zip_members(archive):
        if not is_helper(member.filename):
            target = scratch / f"member-{uuid4().hex}"
            extract(archive, member, target, limits)
            files.append((member.filename, target))
    return _ruled(files, mapping)


def _ruled(files: Sequence[tuple[str, Path]], mapping: Mapping) -> PartSet:
    """Each file with the mapping of the first source that its name matches."""
    if not mapping.sources:
        whole = replace(mapping, ready=None)
        return PartSet(tuple(PartFile(name, path, whole) for name, path in files))
    parts, left_out, used = [], [], set()
    for name, path in files:
        rule = next((rule for rule in mapping.sources if matches(name, rule)), None)
        if rule is None:
            left_out.append(name)
            continue
        used.add(rule.match)
        parts.append(PartFile(name, path, mapping.of_source(rule)))
    for rule in mapping.sources:
        if rule.match is not None and rule.match not in used:
            raise SourceIncompleteSet(f"No file matches {rule.match} (sources), so a part of the data is missing.")
    notes = (f"Files that no source matches, left out: {', '.join(left_out[:5])}.",) if left_out else ()
    return PartSet(tuple(parts), notes=notes)


def matches(name: str, rule: SourceRule) -> bool:
    """Whether a file is one of a source's: by its whole name, or by the last part of it."""
    return rule.match is not None and any(fnmatchcase(one, rule.match) for one in (name, name.rsplit("/", 1)[-1]))


def _of_workbook(archive: Path, mapping: Mapping) -> PartSet | None:
    try:
        sheets = visible_sheets(archive)
    except zipfile.BadZipFile:
        return None
    if len(sheets) < 2:
        return None
    parts = (
        PartFile(name, archive, replace(mapping, file=mapping.file | {"sheet": name}), is_sheet=True, optional=True)
        for name in sheets
    )
    return PartSet(tuple(parts))
