"""Rows of one part that another part contradicts: references to nothing, and accounts described twice.

In: mapped parts, and which of their integers found nothing or are in doubt. Out: issues with the row and
place of each, at most `KEPT_ISSUES`, all counted. The part's file is scanned again only where there is
something to report.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import duckdb

from grantline.issues import Issue, shown
from grantline.mapping.accounts import key_sql
from grantline.mapping.findings import KEPT_ISSUES, cell_name
from grantline.mapping.grants import accepted
from grantline.mapping.plan import Cell
from grantline.mapping.records import ENTITLEMENT_KEY, Records
from grantline.mapping.work import Work

NAMED_PLACES = 5


class MappedPart(Protocol):
    """What this module needs of a part; see `combine.Part`."""

    @property
    def name(self) -> str: ...
    @property
    def file(self) -> str | None: ...
    @property
    def records(self) -> Records: ...
    @property
    def work(self) -> Work: ...
    @property
    def is_roster(self) -> bool: ...


@dataclass
class Dangling:
    """What was found: issues, how many in all, and how many rows they refuse."""

    issues: list[Issue] = field(default_factory=list)
    count: int = 0
    rejected: int = 0


def dangling(
    con: duckdb.DuckDBPyConnection, part: MappedPart, accounts: str, entitlements: str, conflicts: str
) -> Dangling:
    """The rows of `part` that name an account or entitlement which nothing defines.

    `accounts` and `entitlements` are relations of `here` and `n`; `conflicts` one of keys in doubt,
    which are reported elsewhere.
    """
    lost_accounts = f"SELECT id FROM {accounts} WHERE n IS NULL AND key NOT IN {conflicts}"
    lost_grants = (
        f"SELECT a.id, e.* EXCLUDE (part, here, n) FROM {part.records.grants} g"
        f" JOIN {accounts} a ON a.here = g.account JOIN {entitlements} e ON e.here = g.entitlement"
        " WHERE e.n IS NULL AND a.n IS NOT NULL"
    )
    found = Dangling()
    plan = part.work.plan
    if plan.id is None:
        return found
    if not part.is_roster:
        con.execute(f"CREATE OR REPLACE TEMP TABLE lost_ids AS {lost_accounts}")
        _report(found, part, plan.id, f"{plan.id.value} IN (FROM lost_ids)", plan.id.value, "account")
    con.execute(f"CREATE OR REPLACE TEMP TABLE lost_grants AS {lost_grants}")
    if part.is_roster:
        _report_lists(con, found, part)
    elif plan.identity:
        identity = plan.identity_sql()
        same = ", ".join(identity[name] for name in ENTITLEMENT_KEY)
        cell = next(cell for cell in reversed(plan.identity) if cell.column is not None)
        lost = f"({plan.id.value}, {same}) IN (SELECT (id, {', '.join(ENTITLEMENT_KEY)}) FROM lost_grants)"
        _report(found, part, cell, lost, identity["entitlement"], "entitlement")
    con.execute("DROP TABLE IF EXISTS lost_ids")
    con.execute("DROP TABLE IF EXISTS lost_grants")
    found.issues.sort(key=lambda issue: issue.row or 0)
    return found


def _report(found: Dangling, part: MappedPart, cell: Cell, condition: str, value: str, what: str) -> None:
    work = part.work
    rows = f'(SELECT "row", {value} AS name FROM {accepted(work, work.numbered())} WHERE coalesce({condition}, false))'
    (count,) = work.one(f"SELECT count(*) FROM {rows}")
    found.count += count
    found.rejected += count
    for row, name in work.con.execute(f'SELECT * FROM {rows} ORDER BY "row" LIMIT {KEPT_ISSUES}').fetchall():
        found.issues.append(_issue(part, cell, row, name, what))


def _report_lists(con: duckdb.DuckDBPyConnection, found: Dangling, part: MappedPart) -> None:
    """Values of list cells; the row itself stays, it is an account."""
    work, plan = part.work, part.work.plan
    (count,) = work.one("SELECT count(*) FROM lost_grants")
    if not count or plan.id is None:
        return
    found.count += count
    rows = work.con.execute(
        f'SELECT r."row", l.resource_type, l.resource FROM lost_grants l JOIN (SELECT "row", {plan.id.value} AS id'
        f" FROM {accepted(work, work.numbered())}) r USING (id) ORDER BY ALL LIMIT {KEPT_ISSUES}"
    ).fetchall()
    for row, kind, name in rows:
        cell = next((cell for cell in plan.lists if plan.list_type(cell) == kind), plan.lists[0])
        found.issues.append(_issue(part, cell, row, name, "entitlement"))


def _issue(part: MappedPart, cell: Cell, row: int, name: str, what: str) -> Issue:
    place = part.work.source.places([row]).get(row)
    hint = "an orphan account" if what == "account" else "nothing defines it"
    return Issue(
        "reference_unknown",
        f"{cell.header} names the {what} {shown(name)!r}, which is not in the data ({hint}).",
        row=row,
        line=place.line if place else None,
        cell=cell_name(place, cell.column, cell.header),
        column=cell.header,
        value=shown(name),
        file=part.file,
        remedy=f"Add the {what} to the file that lists them, or remove the row.",
    )


def conflicting(
    con: duckdb.DuckDBPyConnection,
    parts: Sequence[MappedPart],
    conflicts: str,
    differences: Callable[[Sequence[str]], dict[str, str]],
) -> Dangling:
    """The rows of accounts that several parts describe differently; each names the others."""
    found = Dangling()
    places: dict[str, list[tuple[MappedPart, int, str]]] = {}
    for part in parts:
        id_cell = part.work.plan.id
        if id_cell is None or not part.is_roster:
            continue
        key = key_sql(part.work.plan, id_cell.value)
        rows = (
            f'(SELECT "row", {id_cell.value} AS id, {key} AS key FROM {accepted(part.work, part.work.numbered())}'
            f" WHERE {key} IN (FROM {conflicts}))"
        )
        (count,) = part.work.one(f"SELECT count(*) FROM {rows}")
        found.count += count
        for row, name, shared in con.execute(f'SELECT * FROM {rows} ORDER BY "row" LIMIT {KEPT_ISSUES}').fetchall():
            places.setdefault(shared, []).append((part, row, name))
    differ = differences(list(places))
    for shared, copies in places.items():
        where = ", ".join(f"{part.name} record {row}" for part, row, _ in copies[:NAMED_PLACES])
        for part, row, name in copies:
            cell = part.work.plan.id
            assert cell is not None  # noqa: S101
            place = part.work.source.places([row]).get(row)
            found.issues.append(
                Issue(
                    "row_key_duplicate",
                    f"{cell.header} {shown(name)!r} is in {where}, which differ in {differ.get(shared, 'their cells')};"
                    " none of them is taken, and what was known of the account stays.",
                    row=row,
                    line=place.line if place else None,
                    cell=cell_name(place, cell.column, cell.header),
                    column=cell.header,
                    value=shown(name),
                    file=part.file,
                    remedy="Keep one row for each account, or make its rows agree.",
                )
            )
    return found
