"""Rows of raw cells become rows of checked values, level by level, in SQL.

In: a relation with `c0`, `c1`, … and the plan. Out: the same relation with, for the cell of index i,
`b{i}` (trimmed), `v{i}` (its words for *empty* and its replacements applied), `p{i}` and `d{i}` (parts
and day of a date) and `t{i}` (the typed value, NULL where empty or not valid). Nested selects, so that
the database computes each level once and drops those that nobody asks for. The same levels serve whole
files and dictionaries of distinct cells.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from grantline.mapping import dates
from grantline.mapping.dates import Order
from grantline.mapping.plan import Cell
from grantline.mapping.sql import literal, literals, trimmed
from grantline.mapping.words import STATUS_WORDS

TEXT_LIMIT = 65_536
"""Characters of a cell that are kept; a longer one is an issue."""

Orders = Mapping[int, Order]
"""Order of day and month, by index of the cell."""


def levels(relation: str, cells: Iterable[Cell], orders: Orders) -> str:
    """The relation with its levels, usable after FROM."""
    used = tuple(cells)
    return _over(dated(relation, used, orders), [f"{_typed(cell)} AS {cell.value}" for cell in used])


def dated(relation: str, cells: Iterable[Cell], orders: Orders) -> str:
    """The levels below the typed value."""
    used = tuple(cells)
    free = [cell for cell in used if is_date(cell) and cell.rule.date is None]
    relation = _over(relation, [f"{trimmed(cell.raw)} AS {cell.trimmed}" for cell in used])
    relation = _over(relation, [f"{_replaced(cell)} AS {cell.text}" for cell in used])
    relation = _over(relation, [f"{dates.parts(cell.text)} AS p{cell.index}" for cell in free])
    days = [f"{dates.day(f'p{cell.index}', orders.get(cell.index, 'unclear'))} AS d{cell.index}" for cell in free]
    return _over(relation, days)


def is_date(cell: Cell) -> bool:
    """Whether the cell is read as a date: by its target, or because its rule says so."""
    return cell.target.kind == "date" or cell.rule.date is not None or cell.rule.zone is not None


def _over(relation: str, columns: list[str]) -> str:
    return f"(SELECT *, {', '.join(columns)} FROM {relation})" if columns else relation


def _replaced(cell: Cell) -> str:
    text = cell.trimmed
    cases = [f"WHEN {text} IN ({literals(cell.rule.nulls)}) THEN NULL"] if cell.rule.nulls else []
    cases += [f"WHEN {text} = {literal(old)} THEN {literal(new)}" for old, new in cell.rule.map]
    return f"CASE {' '.join(cases)} ELSE {text} END" if cases else text


def _typed(cell: Cell) -> str:
    text = cell.text
    if is_date(cell):
        if cell.rule.date is not None:
            found = dates.declared(text, cell.rule.date, cell.rule.zone)
        else:
            found = dates.value(text, f"p{cell.index}", f"d{cell.index}", cell.rule.zone)
        if cell.rule.serials:
            serial = dates.declared(text, "serial", cell.rule.zone)
            return f"CASE WHEN regexp_matches({text}, '{dates.SERIAL}') THEN {serial} ELSE {found} END"
        return found
    match cell.target.kind:
        case "status":
            return status(text)
        case "type":
            return (
                f"CASE WHEN lower({text}) IN ('service', 'system') THEN lower({text})"
                f" WHEN {text} IS NOT NULL THEN 'person' END"
            )
        case "text":
            return f"CASE WHEN length({text}) <= {TEXT_LIMIT} THEN {text} END"
        case _:
            return text


def status(text: str) -> str:
    """The status that a word means; NULL for an unknown word."""
    groups: dict[str, list[str]] = {}
    for word, meaning in STATUS_WORDS.items():
        groups.setdefault(meaning, []).append(word)
    cases = " ".join(
        f"WHEN lower({text}) IN ({literals(words)}) THEN {literal(meaning)}" for meaning, words in groups.items()
    )
    return f"CASE {cases} END"
