"""`grantline check FILE`: what a file would import, without a server, a database or a network.

In: a file, perhaps a mapping and the file of last time. Out: the verdict in words, or with `--json` as
one object whose shape is part of the public contract. Exit code 0 clean, 1 accepted with errors in
rows, 2 refused, 64 wrong use.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import duckdb

from grantline.catalog.connection import connect
from grantline.cli.check_text import as_text
from grantline.config.settings import limit_values, share_value
from grantline.errors import GrantlineError, RemovalGuard
from grantline.formats.limits import Limits
from grantline.formats.table import Format
from grantline.mapping.records import ENTITLEMENT_FIELDS, ENTITLEMENT_KEY, GRANT_FIELDS, Records
from grantline.reading import Reading, read_records

CLEAN, WITH_ERRORS, REFUSED, WRONG_USE = 0, 1, 2, 64
NO_COUNTS = dict.fromkeys(("rows_read", "rows_rejected", "accounts", "resources", "entitlements", "grants"), 0)


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = subparsers.add_parser("check", help="read a file and say what would be imported")
    parser.add_argument("file", metavar="FILE", type=Path, help="the file to check")
    parser.add_argument("--mapping", metavar="M.yaml", type=Path, help="a mapping; else the header is recognized")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--records", action="store_true", help="print the records as well")
    parser.add_argument("--rows", action="store_true", help="print the row of each issue, other cells masked")
    parser.add_argument("--previous", metavar="FILE", type=Path, help="the file of last time, to compare with")


def run(args: argparse.Namespace) -> int:
    """Check the file. Returns the exit code."""
    for path in filter(None, (args.file, args.mapping, args.previous)):
        if not path.is_file() and (path is args.mapping or not path.is_dir()):
            print(f"There is no file {str(path)!r}.", file=sys.stderr)
            return WRONG_USE
    with tempfile.TemporaryDirectory(prefix="grantline-check-") as folder:
        document = check(args.file, args.mapping, args.previous, Path(folder), records=args.records, rows=args.rows)
    if args.json:
        print(json.dumps(document, ensure_ascii=True))
    else:
        print(as_text(document, args.file.name))
    if document["outcome"] == "refused":
        return REFUSED
    return WITH_ERRORS if document["rows_with_errors"] else CLEAN


def check(
    path: Path,
    mapping: Path | None,
    previous: Path | None,
    scratch: Path,
    *,
    records: bool = False,
    rows: bool = False,
) -> dict[str, Any]:
    """The whole answer of `grantline check`, as `--json` prints it; with `rows` each issue has its masked row."""
    con = connect(temp_dir=scratch)
    reading: Reading | None = None
    changes: dict[str, Any] | None = None
    error: GrantlineError | None = None
    try:
        text = mapping.read_text(encoding="utf-8-sig", errors="replace") if mapping else None
        limits, share = Limits(**limit_values()), share_value()
        reading = read_records(path, text, con, scratch, limits=limits, row_error_share=share)
        if previous is not None:
            changes = _compare(con, reading, previous, text, scratch)
    except GrantlineError as found:
        error = found
        changes = found.facts.get("changes")
    document = _document(con, reading, error, rows=rows)
    if changes is not None:
        document["notes"] += changes.pop("notes")
        document["changes"] = changes
    if records and reading is not None:
        document |= _records(con, reading.records)
    con.close()
    return document


def _compare(
    con: duckdb.DuckDBPyConnection, reading: Reading, previous: Path, text: str | None, scratch: Path
) -> dict[str, Any]:
    """What changed since `previous`, per kind.

    Raises: `RemovalGuard` where an import's guard with its default limits would hold the file.
    """
    from grantline.catalog.diff import diff
    from grantline.catalog.guard import GuardLimits, guard
    from grantline.catalog.lake import ImportFolder
    from grantline.catalog.renames import rename_notes
    from grantline.catalog.write import write

    earlier = read_records(previous, text, con, scratch, prefix="earlier_")
    place = ImportFolder(scratch / "lake", "check", "check")
    write(con, diff(con, _incoming(earlier.records), None, 1, "first"), place, "first")
    found = diff(con, _incoming(reading.records), place.snapshot(1, "first"), 2, "second")
    changes = asdict(found.changes)
    changes["notes"] = rename_notes(con, found)
    verdict = guard(found, GuardLimits())
    if verdict.held:
        raise RemovalGuard(" ".join(verdict.reasons), changes=changes)
    return changes


def _incoming(records: Records) -> Any:
    from grantline.catalog.model import Incoming

    return Incoming(
        accounts=records.accounts,
        entitlements=records.entitlements,
        grants=records.grants,
        unconfirmed=records.unconfirmed,
        removals=records.removals,
        mode=records.mode,
        stated=records.stated,
    )


def _document(
    con: duckdb.DuckDBPyConnection, reading: Reading | None, error: GrantlineError | None, *, rows: bool
) -> dict[str, Any]:
    found = reading.records if reading else None
    issues = found.issues if found else (error.facts.get("issues", ()) if error else ())
    return {
        "outcome": "refused" if error else "accepted",
        "format": asdict(reading.table.format if reading else Format("")) | ({} if reading else {"type": None}),
        "error": error.document() if error else None,
        "counts": _counts(con, found) if found else dict(NO_COUNTS),
        "issues": [issue.document(record=rows) for issue in issues],
        "issue_counts": found.issue_counts if found else {},
        "rows_with_errors": bool(found and found.rows_rejected) or any(issue.severity == "error" for issue in issues),
        "notes": [*reading.table.notes, *reading.records.notes] if reading else [],
        "mapping": reading.mapping.to_document() if reading else None,
        "columns": [
            {"column": column, "to": target, "reason": reason}
            for column, target, reason in (reading.proposal.reasons if reading and reading.proposal else ())
        ],
    }


def _counts(con: duckdb.DuckDBPyConnection, records: Records) -> dict[str, int]:
    counts = {
        kind: con.execute(f"SELECT count(*) FROM {getattr(records, kind)}").fetchall()[0][0]
        for kind in ("accounts", "entitlements", "grants")
    }
    return {
        "rows_read": records.rows_read,
        "rows_rejected": records.rows_rejected,
        "accounts": counts["accounts"],
        "resources": records.resource_count,
        "entitlements": counts["entitlements"],
        "grants": counts["grants"],
    }


def _records(con: duckdb.DuckDBPyConnection, records: Records) -> dict[str, list[dict[str, Any]]]:
    """The records themselves, sorted by their keys."""
    accounts = _rows(con, f"SELECT * EXCLUDE (n) FROM {records.accounts} ORDER BY id")
    for account in accounts:
        account["profile"] = json.loads(account["profile"]) if account["profile"] else {}
    key = ", ".join(f"e.{name}" for name in ENTITLEMENT_KEY)
    details = ", ".join((*ENTITLEMENT_KEY, *ENTITLEMENT_FIELDS))
    return {
        "accounts": accounts,
        "entitlements": _rows(con, f"SELECT {details} FROM {records.entitlements} ORDER BY ALL"),
        "grants": _rows(
            con,
            f"SELECT a.id AS account, {key}, {', '.join(f'g.{name}' for name in GRANT_FIELDS)}"
            f" FROM {records.grants} g JOIN {records.accounts} a ON a.n = g.account"
            f" JOIN {records.entitlements} e ON e.n = g.entitlement ORDER BY ALL",
        ),
    }


def _rows(con: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    found = con.execute(query)
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
