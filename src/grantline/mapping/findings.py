"""Findings: which rows a live check refuses or warns about, and where they are.

In: the live checks. Out: `Findings` with every finding counted, and the first `KEPT_ISSUES` as issues
with row, place, column and value; and the table `unconfirmed` of accounts that refused rows name. Only
called where there is something to find: it scans the file's rows with their numbers.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from grantline.issues import Issue, shown
from grantline.mapping import masks
from grantline.mapping.checks import BLANK, Check
from grantline.mapping.grants import conflict_sql
from grantline.mapping.levels import levels
from grantline.mapping.source import Place
from grantline.mapping.sql import trimmed
from grantline.mapping.work import Work

KEPT_ISSUES = 10_000
"""Issues that are kept with their words; all are counted."""

NAMED_ROWS = 5
"""Rows that the message about one account names."""


@dataclass
class Findings:
    """What was found: issues in the order of rows, all counted by code."""

    issues: list[Issue] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    rejected: int = 0


def find(work: Work) -> Findings:
    """Finds the rows of all live checks and of contradicting accounts."""
    checks = _checks(work)
    if not checks:
        return Findings()
    bad = _bad_rows(work, checks)
    is_refused = masks.is_refused(checks)
    findings = Findings()
    (findings.rejected,) = work.one(f'SELECT count(DISTINCT "row") FROM {bad} WHERE {is_refused}')
    for number, check in enumerate(checks):
        (count,) = work.one(f"SELECT count(*) FROM {bad} WHERE {masks.holds(number)}")
        findings.counts[check.code] += count
    findings.issues = _issues(work, checks, bad)
    work.con.execute(
        f"INSERT INTO {work.name('unconfirmed')} SELECT DISTINCT id FROM {bad} WHERE {is_refused} AND id IS NOT NULL"
    )
    return findings


def _checks(work: Work) -> list[Check]:
    checks = list(work.live)
    if work.conflicts and work.plan.id is not None:
        cell = work.plan.id
        checks.append(Check("row_key_duplicate", "error", cell, conflict_sql(work, cell), str, None))
    return checks


def _bad_rows(work: Work, checks: list[Check]) -> str:
    """Table `bad`: row number, masks of the checks that fail, id as it is compared."""
    conditions = [check.condition.replace(BLANK, work.plan.blank_sql()) for check in checks]
    id_cell = work.plan.id
    # A NUL cannot be stored by PostgreSQL; without it the id still names the account that is meant.
    named = f"replace({id_cell.value}, chr(0), '')" if id_cell else "NULL::VARCHAR"
    over = levels(work.numbered(), work.plan.cells, work.orders)
    query = f'SELECT "row", {masks.columns(conditions)}, {named} AS id FROM {over}'
    with work.sides_as_written():
        return work.create("bad", f"SELECT * FROM ({query}) WHERE {masks.any_holds(len(checks))}")


def _issues(work: Work, checks: list[Check], bad: str) -> list[Issue]:
    columns = masks.names(len(checks))
    failed = "".join(f", b.{mask}" for mask in columns)
    positions = sorted({check.cell.column for check in checks if check.cell.column is not None})
    cells = "".join(f", n.c{position}" for position in positions)
    with work.sides_as_written():
        rows = work.con.execute(
            f'SELECT b."row"{failed}{cells} FROM {work.source.numbered} n JOIN (SELECT * FROM {bad}'
            f' ORDER BY "row" LIMIT {KEPT_ISSUES}) b ON b."row" = n."row" ORDER BY b."row"'
        ).fetchall()
    places = work.source.places([row[0] for row in rows])
    duplicates = _duplicates(work) if work.conflicts else {}
    issues: list[Issue] = []
    for number, *values in rows:
        mask = masks.as_one(values[: len(columns)])
        cell_of = dict(zip(positions, values[len(columns) :], strict=True))
        for bit, check in enumerate(checks):
            if mask >> bit & 1:
                value = cell_of.get(check.cell.column) if check.cell.column is not None else None
                words = duplicates.get(number) if check.code == "row_key_duplicate" else None
                issues.append(_issue(check, number, places.get(number), value, words))
    return issues[:KEPT_ISSUES]


def _issue(check: Check, row: int, place: Place | None, value: Any, words: str | None) -> Issue:
    text = None if value is None else shown(str(value).replace("\0", "␀"))
    return Issue(
        check.code,
        words or check.words(text or ""),
        severity=check.severity,
        row=row,
        line=place.line if place else None,
        cell=cell_name(place, check.cell.column, check.cell.header),
        column=check.cell.header,
        value=text,
        remedy=check.remedy or "Keep one row for each account, or make its rows agree.",
    )


def cell_name(place: Place | None, column: int | None, header: str = "") -> str | None:
    """The cell as a workbook names it (`Users!C3`) or as a path in JSON (`$[1].email`); None for text files."""
    if place is None or column is None:
        return None
    if place.path is not None:
        return f"{place.path}{json_step(header)}"
    if place.sheet_row is None:
        return None
    letters, number = "", place.first_column + column + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    sheet = f"{place.sheet}!" if place.sheet else ""
    return f"{sheet}{letters}{place.sheet_row}"


def json_step(header: str) -> str:
    """The steps from a record to its key `a.b`, as JSON path writes them."""
    names = header.split(".")
    return "".join(f".{name}" if name.isidentifier() else f"[{json.dumps(name)}]" for name in names)


def _duplicates(work: Work) -> dict[int, str]:
    """The message for each row of an account whose rows contradict each other."""
    id_cell = work.plan.id
    assert id_cell is not None  # noqa: S101
    key = "b.id" if id_cell.rule.case == "sensitive" else "lower(b.id)"
    found = work.con.execute(
        f'SELECT c.differ, min(b.id), list_sort(list(b."row")) FROM (SELECT * FROM {work.name("bad")}'
        f' ORDER BY "row" LIMIT {KEPT_ISSUES}) b JOIN {work.name("conflicts")} c ON c.key = {key} GROUP BY ALL'
    ).fetchall()
    grouped: dict[int, str] = {}
    for differ, account, rows in found:
        named = ", ".join(str(row) for row in rows[:NAMED_ROWS])
        named += f" and {len(rows) - NAMED_ROWS} more" if len(rows) > NAMED_ROWS else ""
        words = (
            f"{id_cell.header} {shown(account)!r} is in the rows {named}, which differ in {differ};"
            " none of them is taken, and what was known of the account stays."
        )
        grouped |= dict.fromkeys(rows, words)
    return grouped


def doubtful_ids(work: Work) -> None:
    """Adds the accounts named by rows that the reader refused."""
    cell = work.plan.id
    if cell is not None and work.source.doubtful is not None:
        name = f"replace({trimmed(cell.raw)}, chr(0), '')"
        work.con.execute(
            f"INSERT INTO {work.name('unconfirmed')} SELECT DISTINCT {name} FROM {work.source.doubtful}"
            f" WHERE {name} IS NOT NULL AND {name} NOT IN (SELECT id FROM {work.name('unconfirmed')})"
        )
