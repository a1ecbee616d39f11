"""The original row beside an issue: the cell it is about as the issue tells it, every other one masked.

In: issues of one file with the numbers of their rows. Out: the same issues with `record`. Invariant: of a
masked cell only its shape is left, and it is masked by DuckDB, so that the values themselves never reach
Python, the database or a log. Only called for issues that are kept: the file is scanned once more for
their rows, and not at all where no issue names a row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import duckdb

from grantline.issues import Issue
from grantline.mapping.source import Source
from grantline.mapping.work import Work

COLUMNS_KEPT = 30
"""Cells of a row that are kept: the first ones, and that of the issue wherever it stands."""

HEADER_CHARACTERS, SHAPE_CHARACTERS = 100, 40

RUN = 4
"""A longer run of letters or digits is shown as long as this: `enabled` and `disabled` look the same."""

EMPTY = "(empty)"
FETCHED_ROWS = 1000

Shapes = dict[int, tuple[str, ...]]
"""Row → the shapes of its cells, in the order of the columns asked for."""


def with_records(work: Work, issues: Sequence[Issue]) -> list[Issue]:
    """`issues`, those that name a row of the file with its cells."""
    source = work.source.original or work.source
    rows = sorted({issue.row for issue in issues if issue.row is not None})
    if not rows:
        return list(issues)
    headers = [header[:HEADER_CHARACTERS] for header in source.columns]
    places = {header: place for place, header in reversed(list(enumerate(source.columns)))}
    asked = _asked(len(headers), (places.get(issue.column) for issue in issues if issue.column is not None))
    shapes = _shapes(work, source, asked, rows)
    pairs: dict[tuple[str, str], tuple[str, str]] = {}

    def record(issue: Issue) -> tuple[tuple[str, str], ...] | None:
        cells = shapes.get(issue.row) if issue.row is not None else None
        if cells is None:
            return None
        own = places.get(issue.column) if issue.column is not None else None
        found = []
        for place, shape in _kept(asked, cells, own):
            text = issue.value if place == own and issue.value is not None else shape
            pair = (headers[place], text)
            found.append(pairs.setdefault(pair, pair))
        return tuple(found)

    return [replace(issue, record=record(issue)) for issue in issues]


def _asked(count: int, own: Iterable[int | None]) -> list[int]:
    """The columns to fetch: the first ones, and those that issues are about."""
    return sorted({*range(min(count, COLUMNS_KEPT)), *(place for place in own if place is not None)})


def _kept(asked: Sequence[int], cells: Sequence[str], own: int | None) -> list[tuple[int, str]]:
    """The cells that one record keeps, with their columns."""
    found = [pair for pair in zip(asked, cells, strict=True) if pair[0] < COLUMNS_KEPT or pair[0] == own]
    return [*found[: COLUMNS_KEPT - 1], found[-1]] if len(found) > COLUMNS_KEPT else found


def _shapes(work: Work, source: Source, asked: Sequence[int], rows: Sequence[int]) -> Shapes:
    cells = "".join(f", {shape_sql(f'c{place}')}" for place in asked)
    known: dict[str, str] = {}
    found: Shapes = {}
    with work.sides_as_written():
        for relation in filter(None, (source.numbered, source.doubtful)):
            query = f'SELECT "row"{cells} FROM {relation} WHERE "row" IN (SELECT unnest(?))'
            _fetch(work.con.execute(query, [list(rows)]), found, known)
    return found


def _fetch(answer: duckdb.DuckDBPyConnection, found: Shapes, known: dict[str, str]) -> None:
    """Adds the rows of `answer`; a shape that comes again is the same object, since there are few."""
    while rows := answer.fetchmany(FETCHED_ROWS):
        for row, *shapes in rows:
            found[row] = tuple(known.setdefault(shape, shape) for shape in shapes)


def shape_sql(cell: str) -> str:
    r"""SQL for the shape of a cell: letters `x`, digits `9`, other signs of ASCII as they are, others `·`.

    `ada.lovelace@example.com` → `xxx.xxxx@xxxx.xxx`, `U0012345` → `x9999`, `2026-11-25` → `9999-99-99`.
    """
    shape = f"left({cell}, {SHAPE_CHARACTERS * RUN})"
    steps = (
        *((r"\pN", "9"), (r"[\pL\pM]", "x"), (r"[\pZ\pC]+", " "), (r"[^ -~]", "·")),
        *((f"{sign}{{{RUN + 1},}}", sign * RUN) for sign in "x9"),
    )
    for pattern, sign in steps:
        shape = f"regexp_replace({shape}, '{pattern}', '{sign}', 'g')"
    shape = f"coalesce(nullif(trim({shape}), ''), '{EMPTY}')"
    cut = f"left({shape}, {SHAPE_CHARACTERS - 1}) || '…'"
    return f"CASE WHEN length({shape}) > {SHAPE_CHARACTERS} THEN {cut} ELSE {shape} END"
