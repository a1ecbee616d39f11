"""What a file would make of an import: read → map → diff → guard, without publishing.

In: a DuckDB connection, an import, a file. Out: a `Proposal`, which a run goes on to write and publish
and a preview only shows. Both go through here, so that a preview says what the run will do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from grantline.catalog.diff import Diff, diff
from grantline.catalog.guard import GuardLimits, Verdict, guard
from grantline.catalog.index import write_index_of_diff
from grantline.catalog.model import Changes, Incoming, Manifest
from grantline.catalog.write import write
from grantline.control.accounts.rules import update_index
from grantline.control.ids import version_id as new_version_id
from grantline.control.imports.models import Import
from grantline.control.lake import folder_of, snapshot_of
from grantline.formats.table import Format
from grantline.jobs.fetching import Fetched
from grantline.mapping.propose import Proposal as MappingProposal
from grantline.mapping.records import Records
from grantline.reading import Stage, read_records


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
    reading = read_records(found.path, item.mapping or None, con, scratch, path_name=found.name, stage=stage)
    table, records = reading.table, reading.records
    previous = snapshot_of(item)
    with stage("diff"):
        number = (previous.number if previous else 0) + 1
        changes = diff(con, incoming_of(records), previous, number)
    with stage("guard"):
        verdict = guard(changes, GuardLimits(item.guard_share, item.guard_count))
    notes = (*table.notes, *records.notes)
    return Proposal(
        con, table.format, reading.mapping.to_document(), reading.proposal, records, changes, verdict, notes
    )


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


def write_version(proposal: Proposal, item: Import) -> tuple[str, Manifest]:
    """Write the proposed version's files under a new id. Nobody sees them before the pointer moves."""
    version_id = new_version_id()
    return version_id, write(proposal.con, proposal.diff, folder_of(item), version_id)


def index_files(proposal: Proposal, item: Import, folder: Path) -> Callable[[], None]:
    """What brings the account index up to date, to be called inside the publishing transaction."""
    changed, removed = folder / "changed.csv", folder / "removed.csv"
    write_index_of_diff(proposal.con, proposal.diff, changed, removed)
    return lambda: update_index(item, changed, removed)
