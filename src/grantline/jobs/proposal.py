"""What a file would make of an import: read → map → diff → guard, without publishing.

In: a DuckDB connection, an import, a file. Out: a `Proposal`, which a run goes on to write and publish
and a preview only shows. Both go through here, so that a preview says what the run will do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from grantline.catalog.aliases import aliased, renamed
from grantline.catalog.diff import Diff, diff
from grantline.catalog.filled import fills
from grantline.catalog.guard import Verdict, guard
from grantline.catalog.index import write_index_of_diff
from grantline.catalog.model import Changes, Incoming, Manifest
from grantline.catalog.renames import rename_notes
from grantline.catalog.write import write
from grantline.control.accounts.rules import update_index
from grantline.control.applications.aliases import aliases_of
from grantline.control.ids import version_id as new_version_id
from grantline.control.imports.limits import limits_of
from grantline.control.imports.models import Import
from grantline.control.imports.references import facts_of
from grantline.control.lake import folder_of, snapshot_of
from grantline.errors import FileEmpty
from grantline.formats.table import Format
from grantline.jobs.emptiness import empty_records
from grantline.jobs.fetching import Fetched
from grantline.jobs.installation import file_limits, row_error_share
from grantline.jobs.points import point
from grantline.jobs.references import resolution_of
from grantline.jobs.rollback import undone_again
from grantline.mapping.others import Others
from grantline.mapping.propose import Proposal as MappingProposal
from grantline.mapping.records import Records, References
from grantline.reading import Stage, as_mapping, read_records


@dataclass(frozen=True)
class Proposal:
    """A file read, mapped, compared and judged. The tables it names live in `con`."""

    con: duckdb.DuckDBPyConnection
    format: Format
    mapping: dict[str, Any]
    mapping_proposal: MappingProposal | None
    records: Records
    diff: Diff
    verdict: Verdict
    notes: tuple[str, ...]
    references: References
    reference_state: dict[str, Any]
    """What the import remembers of the lists that the file was resolved against."""

    @property
    def number(self) -> int:
        """The number that the version would get."""
        return self.diff.number

    @property
    def changes(self) -> Changes:
        """What would change."""
        return self.diff.changes

    @property
    def is_nothing_new(self) -> bool:
        """Whether the catalog would stay exactly as it is."""
        return not self.diff.is_worth_writing

    @property
    def counts(self) -> dict[str, int]:
        """The `counts` object of `grantline check`, of this file."""
        return counts_of(self.con, self.records)


def make_proposal(
    con: duckdb.DuckDBPyConnection, item: Import, found: Fetched, scratch: Path, stage: Stage
) -> Proposal:
    """Read, map, compare and judge. Raises: `FileError`, `SourceTooLarge`, `LakeUnavailable`."""
    aliases = aliases_of(item, item.application_id)
    resolution = resolution_of(con, item, aliases)
    read = _read(con, item, found, scratch, stage, resolution.others)
    previous = snapshot_of(item)
    with stage("diff"):
        number = (previous.number if previous else 0) + 1
        incoming = renamed(con, aliased(con, incoming_of(read.records), aliases), read.records.renamed)
        changes = diff(con, incoming, previous, number)
    with stage("guard"):
        verdict = _judged(con, item, found, read.records, changes)
    facts = read.records.references
    notes = (*resolution.notes(facts), *read.notes, *rename_notes(con, changes))
    state = resolution.state(facts)
    return Proposal(con, read.format, read.mapping, read.proposal, read.records, changes, verdict, notes, facts, state)


@dataclass(frozen=True)
class _Read:
    """A file that was read and mapped, or that is allowed to be empty."""

    format: Format
    mapping: dict[str, Any]
    proposal: MappingProposal | None
    records: Records
    notes: tuple[str, ...]


def _read(
    con: duckdb.DuckDBPyConnection, item: Import, found: Fetched, scratch: Path, stage: Stage, others: Others | None
) -> _Read:
    try:
        reading = read_records(
            found.path,
            item.mapping or None,
            con,
            scratch,
            limits=file_limits(),
            row_error_share=row_error_share(),
            path_name=found.name,
            stage=stage,
            others=others,
        )
    except FileEmpty:
        if not item.allow_empty:
            raise
        mapping = as_mapping(item.mapping or None)
        records = replace(empty_records(con, mapping.mode), references=facts_of(item))
        return _Read(Format("empty"), mapping.to_document(), None, records, records.notes)
    notes = (*reading.table.notes, *reading.records.notes)
    return _Read(reading.table.format, reading.mapping.to_document(), reading.proposal, reading.records, notes)


def _judged(con: duckdb.DuckDBPyConnection, item: Import, found: Fetched, records: Records, changes: Diff) -> Verdict:
    """What the guard says; a file that a rollback has undone is held whatever its size."""
    verdict = guard(changes, limits_of(item), fills(con, changes, records.stated))
    undone = undone_again(item, found.evidence.get("sha256")) if changes.changes.any else None
    return replace(verdict, held=True, reasons=(undone, *verdict.reasons)) if undone else verdict


def incoming_of(records: Records) -> Incoming:
    """The records as the catalog takes them."""
    return Incoming(
        accounts=records.accounts,
        entitlements=records.entitlements,
        grants=records.grants,
        unconfirmed=records.unconfirmed,
        removals=records.removals,
        mode=records.mode,
        stated=records.stated,
    )


def counts_of(con: duckdb.DuckDBPyConnection, records: Records) -> dict[str, int]:
    """`{rows_read, rows_rejected, accounts, resources, entitlements, grants}` of one file."""
    tables = (records.accounts, records.entitlements, records.grants)
    accounts, entitlements, grants = (con.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0] for table in tables)
    return {
        "rows_read": records.rows_read,
        "rows_rejected": records.rows_rejected,
        "accounts": accounts,
        "resources": records.resource_count,
        "entitlements": entitlements,
        "grants": grants,
    }


def write_version(con: duckdb.DuckDBPyConnection, diff: Diff, item: Import) -> tuple[str, Manifest]:
    """Write the proposed version's files under a new id. Nobody sees them before the pointer moves."""
    version_id = new_version_id()
    return version_id, write(con, diff, folder_of(item), version_id, on_step=point)


def index_files(con: duckdb.DuckDBPyConnection, diff: Diff, item: Import, folder: Path) -> Callable[[], None]:
    """What brings the account index up to date, to be called inside the publishing transaction."""
    changed, removed = folder / "changed.csv", folder / "removed.csv"
    write_index_of_diff(con, diff, changed, removed)
    return lambda: update_index(item, changed, removed)
