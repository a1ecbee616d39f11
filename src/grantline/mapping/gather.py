"""The first pass: the file's distinct cells, in one scan.

In: the rows. Out: relations of distinct raw cells with `times`, how many rows hold them: the account's
cells, the entitlement's, and those of each date of a grant. A file with a row per grant repeats few
account cells and fewer entitlement cells, so everything after this pass works on small tables. A file
with a row per account repeats nothing; it is taken as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import duckdb

from grantline.mapping import dates
from grantline.mapping.levels import dated, is_date
from grantline.mapping.plan import Cell
from grantline.mapping.source import Unproven
from grantline.mapping.work import Work

Scan = Callable[[Work, dict[str, tuple[str, ...]]], "Gathered"]


@dataclass(frozen=True)
class Gathered:
    """Relations of distinct raw cells, each usable after FROM; `row_count` is of the rows kept."""

    accounts: str | None
    entitlements: str | None
    dates: dict[int, str]
    row_count: int


def gather(work: Work) -> Gathered:
    """Scans the file once, then settles the order of day and month of each date column."""
    sets = _sets(work)
    scan = _as_is if _unrepeated(work) else _distinct
    gathered = scan(work, sets) if work.source.expected_count is None else _proving(work, sets, scan)
    _settle_orders(work, gathered)
    return gathered


def _proving(work: Work, sets: dict[str, tuple[str, ...]], scan: Scan) -> Gathered:
    """The scan of rows that were never scanned: it is the proof that they are clean as well.

    Raises: `Unproven`. Rows left out by `where` would spoil the count, so such a file is read exactly.
    """
    expected = work.source.expected_count
    if expected is None or work.plan.conditions:
        raise Unproven
    try:
        gathered = scan(work, sets)
    except duckdb.Error as fault:
        raise Unproven from fault
    if gathered.row_count != expected():
        raise Unproven
    return gathered


def _untouched(work: Work, columns: Iterable[str]) -> list[str]:
    """The columns that a scan of `columns` leaves out, where it has to look at every one."""
    if work.source.expected_count is None:
        return []
    seen = set(columns)
    return [name for place in range(len(work.source.columns)) if (name := f"c{place}") not in seen]


def _sets(work: Work) -> dict[str, tuple[str, ...]]:
    """The columns of each relation, by its name."""
    plan = work.plan
    sets: dict[str, tuple[str, ...]] = {}
    if plan.id is not None:
        account = [plan.id, *plan.attributes, *plan.lists, plan.kind, plan.op]
        sets["accounts"] = _columns([*account, *(plan.dates if plan.lists else ())])
    if plan.identity:
        sets["entitlements"] = _columns([*plan.identity, *plan.details, plan.kind])
        sets |= {f"date{cell.index}": _columns([cell]) for cell in plan.dates}
    return sets


def _columns(cells: Iterable[Cell | None]) -> tuple[str, ...]:
    positions = sorted({cell.column for cell in cells if cell is not None and cell.column is not None})
    return tuple(f"c{position}" for position in positions)


def _unrepeated(work: Work) -> bool:
    return work.plan.id is not None and not work.plan.per_grant


def _as_is(work: Work, sets: dict[str, tuple[str, ...]]) -> Gathered:
    columns = sorted({column for names in sets.values() for column in names})
    others = "".join(f" AND {name} IS NULL" for name in _untouched(work, columns))
    touched = f", (true{others}) AS touched" if others else ""
    table = work.create("cells", f"SELECT {', '.join(columns)}, 1::BIGINT AS times{touched} FROM {work.rows()}")
    (count,) = work.one(f"SELECT count(*) FROM {table}")
    constant = "(SELECT 1::BIGINT AS times)" if "entitlements" in sets else None
    return Gathered(table, constant, {cell.index: table for cell in work.plan.dates}, count)


def _distinct(work: Work, sets: dict[str, tuple[str, ...]]) -> Gathered:
    columns = sorted({column for names in sets.values() for column in names})
    groups = ", ".join(f"({', '.join(group)})" for group in sorted(set(sets.values())))
    touched = "".join(f", count({name}) AS touched_{name}" for name in _untouched(work, columns))
    table = work.create(
        "cells",
        f"SELECT {', '.join(columns)}, grouping({', '.join(columns)}) AS part, count(*) AS times{touched}"
        f" FROM {work.rows()} GROUP BY GROUPING SETS ({groups})",
    )

    def relation(name: str) -> str | None:
        names = sets.get(name)
        if names is None:
            return None
        mask = sum(1 << bit for bit, column in enumerate(reversed(columns)) if column not in names)
        return f"(SELECT {', '.join(names)}, times FROM {table} WHERE part = {mask})"

    first = relation("accounts") or relation("entitlements")
    (count,) = work.one(f"SELECT coalesce(sum(times), 0)::BIGINT FROM {first}")
    found = {cell.index: relation(f"date{cell.index}") or "" for cell in work.plan.dates if work.plan.identity}
    return Gathered(relation("accounts"), relation("entitlements"), found, count)


def _settle_orders(work: Work, gathered: Gathered) -> None:
    """Decides for each date column, over all its cells, whether the day or the month comes first."""
    for cell in work.plan.cells:
        if not is_date(cell) or cell.rule.date is not None or cell.column is None:
            continue
        relation = gathered.dates.get(cell.index) or gathered.accounts
        part = f"p{cell.index}"
        first, second = dates.first(part), dates.second(part)
        sure, swap = f"{dates.slashed(part)} AND", dates.swappable(part)
        day_first, month_first, swappable, sample = work.one(
            f"SELECT coalesce(bool_or({sure} {first} > 12 AND {second} <= 12), false),"
            f" coalesce(bool_or({sure} {second} > 12 AND {first} <= 12), false),"
            f" coalesce(sum(times) FILTER ({swap}), 0)::BIGINT, min({cell.text}) FILTER ({swap})"
            f" FROM {dated(str(relation), [cell], {})}"
        )
        order = dates.order_of(day_first, month_first, swappable)
        work.orders[cell.index] = order
        if order in ("unclear", "mixed"):
            work.loose.append(dates.unsettled(cell.header, order, swappable, sample))
