"""What an import's file would bring, shown before anything changes.

In: a scope, an import (or a draft as one), a mapping. Out: one document for pages and API: what the file
is, its columns with samples and targets, the counts, changes and issues it would produce, the first
records. A fault of the file or the mapping is part of the document, not an exception, with whatever is
known already. Nothing is stored but the object in the spool, kept for the next preview of it.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import duckdb

from grantline.aws.reads import download
from grantline.control.applications.rules import require
from grantline.control.imports.models import Import, Upload
from grantline.control.organizations.roles import Permission
from grantline.control.tenancy import Scope
from grantline.errors import FileEmpty, FileError, HeaderMissing, SourceIncompleteSet, SourceNotFound, SourceTooLarge
from grantline.formats.options import FileOptions
from grantline.formats.read import read
from grantline.formats.table import Table
from grantline.issues import Issue
from grantline.jobs.fetching import Fetched, evidence_document, fetch_set, fetch_upload, look, narrowed, what_is_seen
from grantline.jobs.fetching_sets import reads_all
from grantline.jobs.installation import file_limits, open_duckdb, spool_folder, spool_limit_bytes
from grantline.jobs.proposal import Proposal, make_proposal
from grantline.jobs.sessions import require_still_connected, session_for
from grantline.mapping.document import Mapping, load
from grantline.mapping.propose import Proposal as MappingProposal
from grantline.mapping.propose import propose
from grantline.reading import as_mapping, read_table
from grantline.reading.parts import PartSet, find_parts

ISSUES_SHOWN = 50
RECORDS_SHOWN = 10
ROWS_SHOWN = 10
SAMPLES = 3
SAMPLE_CHARACTERS = 120
CHOSEN = "Chosen by the mapping."
LEFT_OUT = "Left out. Choose what it becomes, such as an attribute of the account, or leave it out."
SAMPLED_ROWS = 5_000
"""Rows from the start of the file that samples and fill are taken from; a preview must be quick."""


def preview_import(
    scope: Scope, item: Import, mapping: dict[str, Any] | None = None, *, upload: Upload | None = None
) -> dict[str, Any]:
    """The preview document. Raises: `NotAllowed`, `SourceError` where the file cannot be had at all."""
    require(scope, item.application, Permission.IMPORT_WRITE)
    if mapping is not None:
        item = copy.copy(item)  # the caller's stays as it is stored
        item.mapping = mapping
    folder = Path(tempfile.mkdtemp(prefix="preview-", dir=spool_folder(item.organization_id)))
    try:
        found = _file(item, folder, upload or _last_upload(item))
        with contextlib.closing(open_duckdb(folder)) as con:
            return _Preview(con, item, found, folder).document()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _Preview:
    """Fills in the document as far as the file lets it."""

    def __init__(self, con: duckdb.DuckDBPyConnection, item: Import, found: Fetched, folder: Path) -> None:
        self.con, self.item, self.found, self.folder = con, item, found, folder
        self.is_set = False
        self.parts: dict[str, Any] = {
            "format": None,
            "layout": None,
            "columns": [],
            "mapping": item.mapping or None,
            "counts": None,
            "changes": None,
            "issues": [],
            "issue_counts": {},
            "column_issues": [],
            "notes": [],
            "error": None,
            "accounts": [],
            "grants": [],
            "rows": [],
            "guard": {"held": False, "reasons": []},
            "evidence": found.evidence,
        }

    def document(self) -> dict[str, Any]:
        """Read and map; say what went wrong where it did."""
        try:
            mapping = as_mapping(self.item.mapping or None)
            table = self._read(mapping)
            # Of a set only the first table's columns are shown; whether the set can be read is told below.
            with contextlib.suppress(*((FileError,) if self.is_set else ())):
                self._propose(table, mapping)
            self._records(make_proposal(self.con, self.item, self.found, self.folder, _no_stage))
        except (FileError, SourceTooLarge, SourceIncompleteSet) as error:
            self.parts["error"] = error.document()
        return self.parts

    def _read(self, mapping: Mapping) -> Table:
        """The table alone, so that a wrong mapping of columns still shows the file."""
        plain = load({"version": 1, "columns": [], "file": mapping.file}) if mapping.file else Mapping(columns=())
        parts = find_parts(self.found.path, mapping, self.folder, file_limits())
        try:
            if parts is not None and parts.parts[0].path is not None:
                self.is_set = True
                table = self._first_of(parts)
            else:
                table, _, _ = self._table(self.found.path, mapping, self.found.name)
        except FileError:
            if self.found.path.is_dir():
                raise
            table = self._read_unmapped(plain)
        self.parts["format"] = asdict(table.format)
        self.parts["layout"] = table.format.layout
        self.parts["rows"] = self._rows(f"SELECT * FROM {table.rows} LIMIT {ROWS_SHOWN}")
        self.parts["columns"] = self._columns(table)
        return table

    def _first_of(self, parts: PartSet) -> Table:
        """Of several files or sheets, the first that can be read: its columns are shown."""
        fault: FileError | None = None
        for part in parts.parts:
            try:
                assert part.path is not None, "found on disk"  # noqa: S101
                return self._table(part.path, part.mapping, part.name, in_set=True)[0]
            except FileError as error:
                fault = fault or error
        raise fault or FileEmpty

    def _table(
        self, path: Path, mapping: Mapping, name: str, *, in_set: bool = False
    ) -> tuple[Table, Mapping, MappingProposal | None]:
        return read_table(path, mapping, self.con, self.folder, limits=file_limits(), path_name=name, in_set=in_set)

    def _read_unmapped(self, plain: Mapping) -> Table:
        """The table of a file whose columns nothing maps yet."""
        options = FileOptions.from_document(plain.file)
        return read(self.found.path, options, file_limits(), self.con, self.folder, path_name=self.found.name)

    def _propose(self, table: Table, mapping: Mapping) -> None:
        """Targets and reasons per column: the mapping's own, else what the header suggests."""
        found = _proposed(table.columns, is_needed=not mapping.columns)
        if found is not None and not mapping.columns:
            self.parts["layout"] = found.layout
            if not self.is_set:
                self.parts["mapping"] = _completed(mapping, found.mapping).to_document()
        chosen = mapping if mapping.columns or found is None else found.mapping
        suggested = {rule.source: rule for rule in found.mapping.columns} if found else {}
        reasons = {column: reason for column, _, reason in found.reasons} if found else {}
        rules = {rule.source: rule for rule in chosen.columns}
        for column in self.parts["columns"]:
            rule = rules.get(column["name"])
            is_suggested = rule == suggested.get(column["name"])
            own = CHOSEN if rule else LEFT_OUT
            column["target"] = rule.to if rule else None
            column["reason"] = reasons.get(column["name"], own) if is_suggested else own
            column["resource_type"] = rule.resource_type if rule else None
            column["split"] = rule.split if rule else None

    def _columns(self, table: Table) -> list[dict[str, Any]]:
        sample = f"(SELECT * FROM {table.rows} LIMIT {SAMPLED_ROWS})"
        counted = ", ".join(f"count(c{place})" for place in range(len(table.columns)))
        total, *filled = self.con.execute(f"SELECT count(*), {counted} FROM {sample}").fetchall()[0]
        return [
            {
                "name": name,
                "samples": self._samples(sample, place),
                "filled_share": round(filled[place] / total, 4) if total else 0.0,
                "target": None,
                "reason": "",
                "resource_type": None,
                "split": None,
            }
            for place, name in enumerate(table.columns)
        ]

    def _samples(self, sample: str, place: int) -> list[str]:
        rows = self.con.execute(
            f"SELECT left(c{place}, {SAMPLE_CHARACTERS}) FROM {sample} WHERE c{place} IS NOT NULL "
            f"GROUP BY c{place} ORDER BY count(*) DESC, c{place} LIMIT {SAMPLES}"
        ).fetchall()
        return [row[0] for row in rows]

    def _records(self, proposal: Proposal) -> None:
        records = proposal.records
        self.parts |= {
            "format": asdict(proposal.format),
            "mapping": proposal.mapping,
            "counts": proposal.counts,
            "changes": asdict(proposal.changes),
            "issues": [issue.document() for issue in records.issues[:ISSUES_SHOWN]],
            "issue_counts": records.issue_counts,
            "column_issues": _by_column(records.issues),
            "notes": list(proposal.notes),
            "guard": {"held": proposal.verdict.held, "reasons": list(proposal.verdict.reasons)},
            "accounts": self._dicts(f"SELECT * EXCLUDE (n) FROM {records.accounts} ORDER BY n LIMIT {RECORDS_SHOWN}"),
            "grants": self._dicts(
                f"SELECT a.id AS account, e.resource_type, e.resource, e.entitlement, g.granted_at, g.expires_at "
                f"FROM (SELECT * FROM {records.grants} ORDER BY account, entitlement LIMIT {RECORDS_SHOWN}) g "
                f"JOIN {records.accounts} a ON a.n = g.account JOIN {records.entitlements} e ON e.n = g.entitlement"
            ),
        }

    def _rows(self, query: str) -> list[list[Any]]:
        return [list(row) for row in self.con.execute(query).fetchall()]

    def _dicts(self, query: str) -> list[dict[str, Any]]:
        cursor = self.con.execute(query)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _proposed(columns: tuple[str, ...], *, is_needed: bool) -> MappingProposal | None:
    """What the header suggests; None where it suggests nothing, and a mapping says what is what.

    Raises: `HeaderMissing` where it `is_needed`.
    """
    try:
        return propose(columns, in_set=True)
    except HeaderMissing:
        if is_needed:
            raise
        return None


def _completed(mapping: Mapping, proposed: Mapping) -> Mapping:
    """The mapping with what was proposed for it, as reading it completes it."""
    return replace(
        mapping,
        columns=proposed.columns,
        constants=mapping.constants or proposed.constants,
        where=mapping.where or proposed.where,
    )


def _by_column(issues: Iterable[Issue]) -> list[dict[str, Any]]:
    """Per column and code the first issue, with `count`: how many of the issues kept are of its kind."""
    found: dict[tuple[str | None, str], dict[str, Any]] = {}
    for issue in issues:
        if issue.column is None:
            continue
        key = (issue.column, issue.code)
        if key not in found:
            found[key] = issue.document() | {"count": 0}
        found[key]["count"] += 1
    return list(found.values())


@contextlib.contextmanager
def _no_stage(_name: str) -> Iterator[None]:
    """A preview has no stages to report."""
    yield


def _file(item: Import, folder: Path, upload: Upload | None) -> Fetched:
    """The file to preview."""
    return fetch_upload(upload) if upload is not None else _spooled(item, folder)


def _spooled(item: Import, folder: Path) -> Fetched:
    """The object in the spool: read now, or kept there by an earlier preview of exactly this version."""
    source = item.data_source
    if source is None:
        raise SourceNotFound("There is no file yet: this import takes files by hand.", remedy="Upload a file.")
    session = session_for(source, subject_id=item.pk, key=item.key or None)
    if reads_all(item.pattern):
        found = fetch_set(item, session, folder / "set", subject_id=item.pk, always=True)
        assert isinstance(found, Fetched), "always reads"  # noqa: S101
        return found
    info = look(session, item)
    identity = json.dumps([source.pk, source.changed_at.isoformat(), what_is_seen(source.bucket, info, {})])
    kept = spool_folder(item.organization_id) / f"kept-{hashlib.sha256(identity.encode()).hexdigest()[:40]}"
    note = kept.with_suffix(".json")
    if kept.exists() and note.exists():
        return Fetched(kept, info.key, json.loads(note.read_text()), None, temporary=False)
    target = folder / "object"
    reading = narrowed(session, source, info, item.pk)
    evidence = evidence_document(download(reading, info, target, limit_bytes=spool_limit_bytes()))
    require_still_connected(source)
    if evidence["etag"] == info.etag:  # else it was replaced meanwhile, and this name would be wrong
        note.write_text(json.dumps(evidence))
        target.rename(kept)
        target = kept
    return Fetched(target, info.key, evidence, None, temporary=False)


def _last_upload(item: Import) -> Upload | None:
    if item.data_source_id is not None or item._state.adding:
        return None
    run = item.runs.filter(upload__isnull=False).select_related("upload").order_by("-number").first()
    return run.upload if run else None
