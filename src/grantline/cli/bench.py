"""`grantline bench`: what an import costs beside the bare parse of the same file.

In: numbers of rows. Out: a table, or one JSON object. For each size a file of grants is made by seed
(every value quoted, lines in random order) and a second one with 0.1 % changed, new accounts and
entitlements among them. Each measurement runs in a process of its own, so that the peak of memory is its
own, and stands between two of the parses that it is compared with (DuckDB, the maximum of every column;
for the workbook see `bench_workbook`).
Figures are medians; ratios are told by time and by processor time. What an import finds is checked
against what was made. Nothing here is mocked.
"""

from __future__ import annotations

import argparse
import functools
import json
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from grantline.catalog.columns import listed
from grantline.catalog.connection import connect, path_literal, target_literal
from grantline.catalog.diff import diff
from grantline.catalog.guard import GuardLimits, guard
from grantline.catalog.lake import ImportFolder
from grantline.catalog.model import Incoming, KindChanges, Snapshot
from grantline.catalog.write import write
from grantline.mapping.records import Records

SIZES = (10_000, 1_000_000)
STAGES = ("read and map", "diff", "guard", "write")
COLUMNS = (
    "User ID",
    "Email Address",
    "Full Name",
    "User Status",
    "Resource Type",
    "Resource Name",
    "Entitlement",
    "Entitlement Display Name",
)
STRIDE = 1_000_000_007
"""A prime: it walks through all pairs of account and entitlement without meeting one twice."""


@dataclass(frozen=True)
class Plan:
    """One size: how many rows, the folder for everything, and how DuckDB is set up."""

    rows: int
    folder: Path
    seed: int
    repeats: int
    memory_limit_mb: int
    threads: int

    @property
    def accounts(self) -> int:
        """How many accounts the file has."""
        return min(100_000, max(100, self.rows // 10))

    @property
    def entitlements(self) -> int:
        """How many entitlements the file has."""
        return 20_000 if self.rows > 5_000_000 else 2_000 if self.rows >= 100_000 else 200

    @property
    def moved(self) -> int:
        """How many grants of known accounts come in the second file; as many go as come in all."""
        return max(1, self.rows // 2_500)

    @property
    def joiners(self) -> int:
        """How many new accounts, each with one new entitlement, the second file has."""
        return max(1, self.rows // 50_000)

    def file(self, version: int) -> Path:
        """The file of a version, 1 or 2."""
        return self.folder / f"grants-{version}.csv"

    @property
    def place(self) -> ImportFolder:
        """Where the versions are written."""
        return ImportFolder(self.folder / "lake", "bench", "bench")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = subparsers.add_parser("bench", help="measure imports beside the bare parse of the same file")
    parser.add_argument("--rows", metavar="N", type=_size, nargs="+", default=list(SIZES), help="sizes to measure")
    parser.add_argument(
        "--workbook-rows", metavar="N", type=_workbook_size, default=200_000, help="rows of the workbook; 0: none"
    )
    parser.add_argument("--repeats", metavar="N", type=int, help="repeats (5; 2 above a million rows)")
    parser.add_argument("--seed", metavar="N", type=int, default=1, help="seed of the made data")
    parser.add_argument("--memory-limit-mb", metavar="N", type=int, default=1024, help="DuckDB's memory, in MiB")
    parser.add_argument("--threads", metavar="N", type=int, default=2, help="DuckDB's threads")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Measure every size. Returns 0; 1 where an import found something else than was made."""
    from grantline.cli.bench_workbook import measure_workbook, workbook_text

    def measured(rows: int, action: Callable[[Plan], dict[str, Any]], text: Callable[[Any], str]) -> dict[str, Any]:
        with tempfile.TemporaryDirectory(prefix="grantline-bench-") as folder:
            repeats = max(1, args.repeats or (5 if rows <= 1_000_000 else 2))
            found = action(Plan(rows, Path(folder), args.seed, repeats, args.memory_limit_mb, args.threads))
        if not args.json:
            print(text(found), flush=True)
        return found

    sizes = [measured(rows, measure, as_text) for rows in args.rows]
    workbook = measured(args.workbook_rows, measure_workbook, workbook_text) if args.workbook_rows else None
    if args.json:
        print(json.dumps({"sizes": sizes, "workbook": workbook}))
    return 0 if all(result["is_right"] for result in (*sizes, workbook) if result) else 1


def measure(plan: Plan) -> dict[str, Any]:
    """All measurements of one size, as one document."""
    in_child(make_files, plan)
    first = in_child(first_load, plan)
    unchanged = in_child(look_at_unchanged, plan)
    changed = in_child(changed_sync, plan)
    checking = in_child(cost_of_checking, plan)
    return {
        "rows": plan.rows,
        "accounts": plan.accounts,
        "entitlements": plan.entitlements,
        "file_bytes": plan.file(1).stat().st_size,
        "first_load": first,
        "unchanged": unchanged,
        "changed": changed,
        "checking": checking,
        "is_right": bool(first["is_right"] and changed["is_right"]),
    }


def make_files(plan: Plan) -> dict[str, Any]:
    """Write both files. The pair of row i is the same in both; lines are in an order of their own."""
    con = connect(4096, plan.threads, plan.folder / "spill")
    width = plan.accounts * plan.entitlements
    joiners = (
        f"SELECT {plan.accounts} + i AS a, {plan.entitlements} + i AS e, -1 - i AS i FROM range({plan.joiners}) t(i)"
    )
    for version in (1, 2):
        first, more = (plan.moved + plan.joiners, plan.moved) if version == 2 else (0, 0)
        pairs = (
            f"SELECT p // {plan.entitlements} AS a, p % {plan.entitlements} AS e, i "
            f"FROM (SELECT i, (i * {STRIDE} + {plan.seed}) % {width} AS p "
            f"FROM range({first}, {plan.rows + more}) t(i))"
        )
        rows = pairs if version == 1 else f"{pairs} UNION ALL {joiners}"
        con.execute(
            f"COPY (SELECT {_line(version)} FROM ({rows}) ORDER BY hash(i, {plan.seed + version})) "
            f"TO {target_literal(plan.file(version))} (FORMAT csv, HEADER, FORCE_QUOTE *)"
        )
    con.close()
    return {}


def _line(version: int) -> str:
    """The cells of one line; in the second file one account in a thousand has another status."""
    status = "'active'" if version == 1 else "CASE WHEN a % 1000 = 3 THEN 'disabled' ELSE 'active' END"
    values = (
        "format('U{:07d}', a)",
        "format('user{:07d}@example.com', a)",
        "format('Person Number {:07d}', a)",
        status,
        "'role'",
        "format('Ledger {:03d}', e % 100)",
        "format('ledger.{:05d}', e)",
        "format('Entitlement {:05d}', e)",
    )
    return ", ".join(f'{value} AS "{name}"' for value, name in zip(values, COLUMNS, strict=True))


def first_load(plan: Plan) -> dict[str, Any]:
    """The first version of an import, from the file to the written version."""

    def load(repeat: int) -> dict[str, Any]:
        return import_file(plan, plan.file(1), 1, None, f"first{repeat}")

    found = _beside_the_parse(plan, 1, load)
    # Rows are drawn at random: an account or an entitlement may have no row.
    return {**found, "is_right": found["counts"]["grants"] == plan.rows}


def changed_sync(plan: Plan) -> dict[str, Any]:
    """The second file against the first version."""
    snapshot = plan.place.snapshot(1, "first0")

    def sync(repeat: int) -> dict[str, Any]:
        return import_file(plan, plan.file(2), 2, snapshot, f"changed{repeat}")

    found = _beside_the_parse(plan, 2, sync)
    expected = KindChanges(added=plan.moved + plan.joiners, removed=plan.moved + plan.joiners)
    grants = KindChanges(**found["changes"]["grants"])
    is_right = grants == expected and found["changes"]["accounts"]["added"] >= plan.joiners
    return {**found, "is_right": is_right and not found["is_held"]}


def cost_of_checking(plan: Plan) -> dict[str, Any]:
    """The first load with and without looking at the cells, by turns, since machines drift."""
    ratios, seconds = [], []
    for repeat in range(plan.repeats):
        without = import_file(plan, plan.file(1), 1, None, f"unchecked{repeat}", checked=False)["seconds"]
        with_checks = import_file(plan, plan.file(1), 1, None, f"checked{repeat}")["seconds"]
        seconds.append(without)
        ratios.append(with_checks / without)
    return {"unchecked_seconds": median(seconds), "ratio": median(ratios)}


def look_at_unchanged(plan: Plan) -> dict[str, Any]:
    """A look that finds the object as it was: decided by what the listing says, no byte is read."""
    seen = _identity(plan.file(1))
    begun = time.perf_counter()
    is_same = _identity(plan.file(1)) == seen
    return {"seconds": time.perf_counter() - begun, "bytes_read": 0, "is_right": is_same}


def _identity(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns, found.st_ino


def import_file(
    plan: Plan, path: Path, version: int, previous: Snapshot | None, version_id: str, *, checked: bool = True
) -> dict[str, Any]:
    """One import through the real stages; returns seconds per stage and what was found."""
    from grantline.reading import read_records

    con = connect(plan.memory_limit_mb, plan.threads, plan.folder / "spill")
    marks = [time.perf_counter()]
    with tempfile.TemporaryDirectory(dir=plan.folder) as scratch:
        records = read_records(path, None, con, Path(scratch), checked=checked).records
        marks.append(time.perf_counter())
        found = diff(con, _incoming(records), previous, version)
        marks.append(time.perf_counter())
        verdict = guard(found, GuardLimits())
        marks.append(time.perf_counter())
        manifest = write(con, found, plan.place, version_id)
        marks.append(time.perf_counter())
    con.close()
    changes = {kind: vars(value) for kind, value in vars(found.changes).items()}
    return {
        "stages": dict(zip(STAGES, (b - a for a, b in zip(marks, marks[1:], strict=False)), strict=True)),
        "seconds": marks[-1] - marks[0],
        "counts": vars(found.counts),
        "changes": changes,
        "is_held": verdict.held,
        "version_bytes": manifest.size_bytes,
    }


def _incoming(records: Records) -> Incoming:
    return Incoming(
        records.accounts,
        records.entitlements,
        records.grants,
        records.unconfirmed,
        records.removals,
        records.mode,
        records.stated,
    )


def _parse(plan: Plan, version: int) -> None:
    """The bare parse: every cell is read as text, nothing is kept."""
    con = connect(plan.memory_limit_mb, plan.threads, plan.folder / "spill")
    columns = {f"c{place}": "VARCHAR" for place in range(len(COLUMNS))}
    con.execute(
        f"SELECT {listed(f'max({name})' for name in columns)} FROM read_csv("
        f"{path_literal(plan.file(version))}, header = true, auto_detect = false, delim = ',', quote = '\"', "
        f"escape = '\"', columns = {columns})"
    ).fetchall()
    con.close()


def _beside_the_parse(plan: Plan, version: int, action: Callable[[int], dict[str, Any]]) -> dict[str, Any]:
    return beside(lambda: _parse(plan, version), action, plan.repeats)


def beside(parse: Callable[[], None], action: Callable[[int], dict[str, Any]], repeats: int) -> dict[str, Any]:
    """Every repeat between two parses; its ratio is to the mean of its neighbours, since machines drift."""
    parses, runs = [_timed(parse)], []
    for repeat in range(repeats):
        runs.append(_timed(functools.partial(action, repeat)))
        parses.append(_timed(parse))
    ratios, cpu_ratios = [], []
    for place, (_, seconds, cpu_seconds) in enumerate(runs):
        (_, before, cpu_before), (_, after, cpu_after) = parses[place], parses[place + 1]
        ratios.append(2 * seconds / (before + after))
        cpu_ratios.append(2 * cpu_seconds / (cpu_before + cpu_after))
    answers = [answer for answer, _, _ in runs]
    stages = answers[0]["stages"]
    return {
        **answers[0],
        "seconds": median(answer["seconds"] for answer in answers),
        "stages": {stage: median(answer["stages"][stage] for answer in answers) for stage in stages},
        "parse_seconds": median(seconds for _, seconds, _ in parses),
        "ratio": median(ratios),
        "cpu_ratio": median(cpu_ratios),
    }


def _timed(action: Callable[[], Any]) -> tuple[Any, float, float]:
    """The answer of `action`, its seconds, and the processor seconds of this process meanwhile."""
    begun, cpu_begun = time.perf_counter(), time.process_time()
    answer = action()
    return answer, time.perf_counter() - begun, time.process_time() - cpu_begun


def in_child(action: Callable[[Plan], dict[str, Any]], plan: Plan) -> dict[str, Any]:
    """Run `action` in a new process; its answer, with the process's peak of memory."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_measured, (action, plan))


def _measured(action: Callable[[Plan], dict[str, Any]], plan: Plan) -> dict[str, Any]:
    answer = action(plan)
    return {**answer, "peak_memory_bytes": _peak_memory()}


def _peak_memory() -> int:
    """Peak resident memory of this process, in bytes (VmHWM, which exec resets; else getrusage)."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024
    except (OSError, StopIteration):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


def as_text(result: dict[str, Any]) -> str:
    """The table of one size."""
    mib = 1024 * 1024
    lines = [
        f"{result['rows']:,} grants, {result['accounts']:,} accounts, {result['entitlements']:,} entitlements, "
        f"{result['file_bytes'] / mib:,.1f} MiB",
        f"{'':14}{'seconds':>9}{'parse':>8}{'ratio':>8}{'by CPU':>8}{'read+map':>10}{'diff':>8}{'write':>8}"
        f"{'memory':>10}{'on disk':>10}",
    ]
    for name, key in (("first load", "first_load"), ("0.1 % changed", "changed")):
        found = result[key]
        stages = found["stages"]
        lines.append(
            f"{name:14}{found['seconds']:9.3f}{found['parse_seconds']:8.3f}{found['ratio']:7.1f}x"
            f"{found['cpu_ratio']:7.1f}x"
            f"{stages['read and map']:10.3f}{stages['diff']:8.3f}{stages['write']:8.3f}"
            f"{found['peak_memory_bytes'] / mib:6.0f} MiB{found['version_bytes'] / mib:6.1f} MiB"
        )
    checking = result["checking"]
    lines.append(
        f"{'without checks':14}{checking['unchecked_seconds']:9.3f}   checking adds {checking['ratio'] - 1:.0%}"
    )
    lines.append(f"{'unchanged':14}{result['unchanged']['seconds']:9.3f}   no byte is read")
    if not result["is_right"]:
        lines.append("An import found something else than was made: these figures mean nothing.")
    return "\n".join(lines) + "\n"


def _workbook_size(text: str) -> int:
    if not text.isdecimal() or not (text == "0" or 1_000 <= int(text) <= 1_000_000):
        raise argparse.ArgumentTypeError(f"{text!r} is not 0 or a whole number from 1000 to 1000000")
    return int(text)


def _size(text: str) -> int:
    if not text.isdecimal() or not 1_000 <= int(text) <= 100_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1000 to 100000000")
    return int(text)
