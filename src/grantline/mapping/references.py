"""Rows of one part that another part contradicts: references to nothing, and accounts described twice.

In: mapped parts, and which of their integers found nothing or are in doubt. Out: issues with the row and
place of each, at most `KEPT_ISSUES`, all counted. The part's file is scanned again only where there is
something to report. Where other imports could have listed what is missing, the issue names them, and what
was known of the accounts of such rows stays (`Numbers.unlisted`).
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
from grantline.mapping.originals import with_records
from grantline.mapping.others import Others, titles
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
    """What was found: issues, how many in all, how many rows they refuse, and how many of those rows name
    something that other imports could have listed."""

    issues: list[Issue] = field(default_factory=list)
    count: int = 0
    rejected: int = 0
    unlisted: int = 0


@dataclass(frozen=True)
class Numbers:
    """What became of a part's integers, as relations.

    `accounts` and `entitlements` have `here` and `n` (NULL: nothing is meant), `conflicts` the keys in
    doubt, which are reported elsewhere, `known` the accounts that are taken (`n`, `id`). `unlisted` is a
    table that gets the ids of accounts whose rows are refused because no other import lists what they name.
    """

    accounts: str
    entitlements: str
    conflicts: str
    known: str
    unlisted: str


def dangling(con: duckdb.DuckDBPyConnection, part: MappedPart, numbers: Numbers, others: Others) -> Dangling:
    """The rows of `part` that name an account or entitlement which nothing defines."""
    found = Dangling()
    plan = part.work.plan
    if plan.id is None:
        return found
    if not part.is_roster:
        _report_accounts(con, found, part, plan.id, numbers, others)
    _report_entitlements(con, found, part, numbers, others)
    found.issues = with_records(part.work, sorted(found.issues, key=lambda issue: issue.row or 0)[:KEPT_ISSUES])
    return found


def _report_accounts(
    con: duckdb.DuckDBPyConnection, found: Dangling, part: MappedPart, cell: Cell, numbers: Numbers, others: Others
) -> None:
    lost = f"SELECT id FROM {numbers.accounts} WHERE n IS NULL AND key NOT IN {numbers.conflicts}"
    con.execute(f"CREATE OR REPLACE TEMP TABLE lost_ids AS {lost}")
    listing = others.account_titles if others.accounts is not None else ()
    if part.work.one("SELECT count(*) FROM lost_ids") != (0,):
        _report(found, part, cell, f"{cell.value} IN (FROM lost_ids)", cell.value, "account", listing)
        if listing:
            con.execute(f"INSERT INTO {numbers.unlisted} FROM lost_ids")
    con.execute("DROP TABLE lost_ids")


def _report_entitlements(
    con: duckdb.DuckDBPyConnection, found: Dangling, part: MappedPart, numbers: Numbers, others: Others
) -> None:
    plan = part.work.plan
    if plan.id is None or part.work.one(f"SELECT count(*) FROM {numbers.entitlements} WHERE n IS NULL") == (0,):
        return
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE lost_grants AS SELECT a.id, a.n, e.* EXCLUDE (part, here, n)"
        f" FROM {part.records.grants} g JOIN {numbers.accounts} a ON a.here = g.account"
        f" JOIN {numbers.entitlements} e ON e.here = g.entitlement WHERE e.n IS NULL AND a.n IS NOT NULL"
    )
    listing = others.entitlement_titles if others.entitlements is not None else ()
    if part.is_roster:
        _report_lists(con, found, part, listing)
    elif plan.identity:
        identity = plan.identity_sql()
        same = ", ".join(identity[name] for name in ENTITLEMENT_KEY)
        cell = next(cell for cell in reversed(plan.identity) if cell.column is not None)
        lost = f"({plan.id.value}, {same}) IN (SELECT (id, {', '.join(ENTITLEMENT_KEY)}) FROM lost_grants)"
        _report(found, part, cell, lost, identity["entitlement"], "entitlement", listing)
    if listing:
        known = f"SELECT DISTINCT k.id FROM lost_grants l JOIN {numbers.known} k USING (n)"
        con.execute(f"INSERT INTO {numbers.unlisted} {known}")
    con.execute("DROP TABLE lost_grants")


def _report(
    found: Dangling, part: MappedPart, cell: Cell, condition: str, value: str, what: str, listing: Sequence[str]
) -> None:
    work = part.work
    rows = f'(SELECT "row", {value} AS name FROM {accepted(work, work.numbered())} WHERE coalesce({condition}, false))'
    (count,) = work.one(f"SELECT count(*) FROM {rows}")
    found.count += count
    found.rejected += count
    found.unlisted += count if listing else 0
    for row, name in work.con.execute(f'SELECT * FROM {rows} ORDER BY "row" LIMIT {KEPT_ISSUES}').fetchall():
        found.issues.append(_issue(part, cell, row, name, what, listing))


def _report_lists(con: duckdb.DuckDBPyConnection, found: Dangling, part: MappedPart, listing: Sequence[str]) -> None:
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
        found.issues.append(_issue(part, cell, row, name, "entitlement", listing))


def _issue(part: MappedPart, cell: Cell, row: int, name: str, what: str, listing: Sequence[str]) -> Issue:
    place = part.work.source.places([row]).get(row)
    remedy = f"Add the {what} to the file that lists them, or remove the row."
    if listing:
        done = "listed" if what == "account" else "defined"
        reason = f"is {done} neither here nor by another import of this application ({titles(listing)})"
        remedy = f"Add the {what} to {titles(listing)}, or remove the row."
    else:
        reason = f"is not in the data ({'an orphan account' if what == 'account' else 'nothing defines it'})"
    return Issue(
        "reference_unknown",
        f"{cell.header} names the {what} {shown(name)!r}, which {reason}.",
        row=row,
        line=place.line if place else None,
        cell=cell_name(place, cell.column, cell.header),
        column=cell.header,
        value=shown(name),
        file=part.file,
        remedy=remedy,
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
    issues: dict[int, list[Issue]] = {id(part): [] for part in parts}
    for shared, copies in places.items():
        where = ", ".join(f"{part.name} record {row}" for part, row, _ in copies[:NAMED_PLACES])
        for part, row, name in copies:
            cell = part.work.plan.id
            assert cell is not None  # noqa: S101
            place = part.work.source.places([row]).get(row)
            issues[id(part)].append(
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
    for part in parts:
        found.issues += with_records(part.work, issues[id(part)])
    return found
