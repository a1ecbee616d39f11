"""`grantline export`: an application's accounts, entitlements or grants, now or as of a past moment.

In: the application's id and what to write. Out: CSV or JSON lines, on standard output or in a file that
appears complete or not at all. In CSV no cell begins with a sign that a spreadsheet takes for a formula:
such a cell gets an apostrophe before it; JSON lines hold every value as it is.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, TextIO

from grantline.cli.export_c1z import write_application
from grantline.config.start import started
from grantline.errors import InputInvalid, NotFound
from grantline.mapping.records import ACCOUNT_FIELDS, ENTITLEMENT_FIELDS, ENTITLEMENT_KEY, GRANT_FIELDS

WRONG_USE = 64
KINDS: dict[str, Literal["account", "entitlement", "grant"]] = {
    "accounts": "account",
    "entitlements": "entitlement",
    "grants": "grant",
}
HEADS: dict[str, tuple[str, ...]] = {
    "accounts": ("id", *ACCOUNT_FIELDS, "profile"),
    "entitlements": (*ENTITLEMENT_KEY, *ENTITLEMENT_FIELDS),
    "grants": ("account", *ENTITLEMENT_KEY, *GRANT_FIELDS),
}


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = subparsers.add_parser("export", help="write an application's accounts, entitlements or grants")
    parser.add_argument("--application", required=True, metavar="ID", help="id of the application (app_…)")
    parser.add_argument("--kind", choices=list(KINDS), help="what to write; c1z holds all kinds")
    parser.add_argument("--format", choices=("csv", "jsonl", "c1z"), default="csv", help="default: csv")
    parser.add_argument("--compare-with", metavar="T", help="c1z: an earlier moment, as a sync of its own before it")
    parser.add_argument("--as-of", metavar="T", help="a past day (its first moment in UTC) or ISO 8601 with an offset")
    parser.add_argument("--output", metavar="F", type=Path, help="file to write (default: standard output)")


def run(args: argparse.Namespace) -> int:
    """Export. Raises: `NotFound`, `InputInvalid` for the moment or the file, `LakeUnavailable`."""
    if not _fits(args):
        return WRONG_USE
    with started():
        from grantline.control.applications.models import Application
        from grantline.control.moments import moment_of
        from grantline.control.tenancy import enter, system_scope

        moment = moment_of(args.as_of, "--as-of") if args.as_of else None
        with system_scope("the command line names an application: whose is it?"):
            application = Application.objects.filter(pk=args.application).first()
        if application is None:
            raise NotFound(
                f"There is no application {args.application!r}.", remedy="The application's page shows its id."
            )
        enter(application)
        if args.format == "c1z":
            earlier = moment_of(args.compare_with, "--compare-with") if args.compare_with else None
            count = write_application(args.output, application, moment, earlier)
            _record(application, args, count)
            print(f"{count:,} grants written to {args.output}.", file=sys.stderr)
            return 0
        rows = _rows(application, KINDS[args.kind], moment)
        heads = HEADS[args.kind] if args.format == "csv" else ()
        count = _write_file(args.output, rows, heads) if args.output else write(sys.stdout, rows, heads)
        _record(application, args, count)
    if args.output:
        print(f"{count:,} {args.kind} written to {args.output}.", file=sys.stderr)
    return 0


def _fits(args: argparse.Namespace) -> bool:
    """Whether the options fit together; says what does not."""
    fault = None
    if args.format == "c1z" and (args.output is None or args.kind is not None):
        fault = "--format c1z writes all kinds into one file: give --output, and no --kind."
    elif args.format != "c1z" and args.kind is None:
        fault = f"--kind is missing: {', '.join(KINDS)}."
    elif args.format != "c1z" and args.compare_with is not None:
        fault = "--compare-with only works with --format c1z."
    if fault:
        print(fault, file=sys.stderr)
    return fault is None


def write(target: TextIO, rows: Iterable[dict[str, Any]], heads: Sequence[str]) -> int:
    """Write the rows as they come: as CSV with `heads`, without them as JSON lines. Returns how many."""
    from grantline.web.downloads import safe_cell

    writer = csv.writer(target, lineterminator="\n")
    if heads:
        writer.writerow(heads)
    count = 0
    for row in rows:
        count += 1
        if heads:
            writer.writerow([safe_cell(_text(row[name])) for name in heads])
        else:
            target.write(json.dumps(row, ensure_ascii=False) + "\n")
    return count


def _text(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False, sort_keys=True) if isinstance(value, dict) else value


def _rows(application: Any, kind: Literal["account", "entitlement", "grant"], moment: Any) -> Iterator[dict[str, Any]]:
    from grantline.control.applications.catalog import catalog_of
    from grantline.control.organizations.rules import worker_scope

    return catalog_of(worker_scope(application.organization_id), application, moment).export(kind)


def _write_file(output: Path, rows: Iterable[dict[str, Any]], heads: Sequence[str]) -> int:
    draft = output.with_name(f"{output.name}.{os.getpid()}.part")
    try:
        with draft.open("w", encoding="utf-8", newline="") as target:
            count = write(target, rows, heads)
        draft.replace(output)
    except OSError as error:
        raise InputInvalid(f"{output} cannot be written: {error.strerror}.", field="--output") from error
    finally:
        draft.unlink(missing_ok=True)
    return count


def _record(application: Any, args: argparse.Namespace, count: int) -> None:
    from grantline.control.audit.rules import Action, record
    from grantline.control.organizations.rules import worker_scope

    scope = replace(worker_scope(application.organization_id), actor_name="command line", via="cli")
    after = {"what": args.kind, "format": args.format, "rows": count, "until": args.as_of}
    record(scope, Action.CATALOG_EXPORT, application, name=application.name, after=after)
