"""The normalised file: rows that Python has read, written down for DuckDB to scan.

In: records one at a time with their number and place. Out: two UTF-8 files in `scratch` (accepted
rows, and the cells of refused ones), every cell quoted, each row with `row` and `line` before its
cells, and the `Table` over them. Owns the issues found on the way: it keeps the first `ISSUE_LIMIT`
and counts all. Invariant: a record is written exactly once, accepted or refused.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from uuid import uuid4

import duckdb

from grantline.errors import SourceTooLarge
from grantline.formats.census import scan
from grantline.formats.limits import Limits
from grantline.formats.relation import cell_names, csv_relation
from grantline.formats.table import Format, Place, Table
from grantline.formats.tokens import Dialect
from grantline.issues import Issue, shown

ISSUE_LIMIT = 10_000
"""Issues kept in full; all are counted."""

CellName = Callable[[int], str]
"""The name of the cell with this index in the current row, like `Users!C3`."""

Used = Callable[[Sequence[str]], Collection[int]]
"""Which columns, by index, the mapping reads; a fault in a cell of another one refuses no row."""

UNSTORABLE = re.compile("[\\0\ud800-\udfff]")
"""Characters that PostgreSQL or UTF-8 cannot hold."""

BETWEEN = '","'
PLACES = ("row", "BIGINT"), ("line", "BIGINT")


def _storable(cells: list[str]) -> tuple[list[str], frozenset[int]]:
    """The cells without unstorable characters, and which ones had any."""
    bad = frozenset(index for index, cell in enumerate(cells) if UNSTORABLE.search(cell))
    return ([UNSTORABLE.sub("", cell) for cell in cells] if bad else cells), bad


class NormalFile:
    """Writes one table of `columns`; use as a context manager, then call `table`."""

    def __init__(self, scratch: Path, columns: Sequence[str], limits: Limits, used: Used | None = None) -> None:
        self.columns, self.limits = tuple(columns), limits
        self.used = frozenset(range(len(self.columns)) if used is None else used(self.columns))
        stem = scratch / f"rows-{uuid4().hex}"
        self.accepted_path, self.refused_path = stem.with_suffix(".csv"), stem.with_suffix(".refused")
        self.issues: list[Issue] = []
        self.issue_counts: Counter[str] = Counter()
        self.row_count = self.refused_count = 0
        self._longest = 0

    def __enter__(self) -> NormalFile:
        self._accepted = self.accepted_path.open("w", encoding="utf-8", newline="")
        self._refused = self.refused_path.open("w", encoding="utf-8", newline="")
        self._write = csv.writer(self._accepted, quoting=csv.QUOTE_ALL, lineterminator="\n").writerow
        self._write_refused = csv.writer(self._refused, quoting=csv.QUOTE_ALL, lineterminator="\n").writerow
        return self

    def __exit__(self, *exception: object) -> None:
        self._accepted.close()
        self._refused.close()

    def accept(self, line: int, cells: Sequence[str | None]) -> None:
        """Writes the next record; it has as many cells as the table has columns."""
        self._count()
        self._longest = max(self._longest, self._write((self.row_count, line, *cells)))

    def refuse(self, line: int, cells: Sequence[str | None], issue: Issue) -> None:
        """Writes the next record among the refused, cut or filled to the table's width."""
        self._count()
        self.refused_count += 1
        width = len(self.columns)
        filled = [*cells[:width], *[""] * (width - len(cells))]
        self._longest = max(self._longest, self._write_refused((self.row_count, line, *filled)))
        self.report(issue)

    def report(self, issue: Issue) -> None:
        """Keeps an issue."""
        self.issue_counts[issue.code] += 1
        if len(self.issues) < ISSUE_LIMIT:
            self.issues.append(issue)

    def checked(self, line: int, cells: list[str], place: CellName | None = None) -> None:
        """Accepts a record of the right width after looking at its cells.

        A NUL character (or half of a surrogate pair, which JSON can spell) in a column that is used
        refuses the record, elsewhere it is left out; a cell over the limit becomes empty, with a warning.
        `place` gives a cell's name in a workbook.
        """
        joined = "".join(cells)
        if not joined.isascii() or "\0" in joined:
            cells, bad = _storable(cells)
            if bad & self.used:
                self._refuse_unstorable(line, cells, min(bad & self.used), place)
                return
        if len(joined) * 4 > self.limits.cell_bytes:
            cells = [self._within_limit(line, index, cell, place) for index, cell in enumerate(cells)]
        self.accept(line, cells)

    def accept_plain(self, rows: Sequence[tuple[int, Sequence[str]]]) -> bool:
        """Accepts records of the right width, each with its line, at once.

        False, and nothing is written, where a cell has to be looked at (`checked`) or a limit is near.
        """
        first = self.row_count + 1
        lines = [f'{row},{line},"{BETWEEN.join(cells)}"\n' for row, (line, cells) in enumerate(rows, first)]
        longest, whole = max(map(len, lines), default=0), "".join(lines)
        if (
            longest * 4 > self.limits.cell_bytes
            or self.row_count + len(rows) > self.limits.rows
            or "\0" in whole
            or not (whole.isascii() or UNSTORABLE.search(whole) is None)
        ):
            return False
        if whole.count('"') > 2 * len(self.columns) * len(rows):
            for line, cells in rows:
                self.accept(line, cells)
            return True
        self._accepted.write(whole)
        self.row_count += len(rows)
        self._longest = max(self._longest, longest)
        return True

    def _refuse_unstorable(self, line: int, cells: list[str], index: int, place: CellName | None) -> None:
        issue = Issue(
            "value_invalid",
            f"{self.columns[index]} holds a NUL character, which cannot be stored.",
            row=self.row_count + 1,
            line=None if place else line,
            cell=place(index) if place else None,
            column=self.columns[index],
            value=shown(cells[index]),
            remedy="Export the column as text, without control characters.",
        )
        self.refuse(line, cells, issue)

    def _within_limit(self, line: int, index: int, cell: str, place: CellName | None) -> str:
        size = len(cell.encode("utf-8", "replace"))
        if size <= self.limits.cell_bytes:
            return cell
        self.report(
            Issue(
                "value_invalid",
                f"{self.columns[index]} holds {size:,} bytes; the limit cell_bytes is "
                f"{self.limits.cell_bytes:,}. The cell is left empty.",
                severity="warning",
                row=self.row_count + 1,
                line=None if place else line,
                cell=place(index) if place else None,
                column=self.columns[index],
                value=shown(cell),
                remedy="Shorten the value, or leave the column out of the mapping.",
            )
        )
        return ""

    def _count(self) -> None:
        self.row_count += 1
        if self.row_count > self.limits.rows:
            raise self._too_many()

    def _too_many(self) -> SourceTooLarge:
        return self.limits.too_large("rows", f"The file has more than {self.limits.rows:,} records")

    def table(
        self,
        con: duckdb.DuckDBPyConnection,
        format: Format,
        place: Callable[[int], Place],
        notes: Iterable[str] = (),
        separators: Mapping[str, str] | None = None,
    ) -> Table:
        """The table; `place` turns the number kept as `line` into a place."""
        accepted = self._relation(self.accepted_path, self.row_count - self.refused_count)
        refused = self._relation(self.refused_path, self.refused_count)
        cells = ", ".join(cell_names(len(self.columns)))

        def places(rows: Iterable[int]) -> dict[int, Place]:
            wanted = ", ".join(str(int(row)) for row in rows)
            if not wanted:
                return {}
            found = con.execute(
                f"SELECT row, line FROM {accepted} WHERE row IN ({wanted}) "
                f"UNION ALL SELECT row, line FROM {refused} WHERE row IN ({wanted})"
            ).fetchall()
            return {row: place(line) for row, line in found}

        return Table(
            format=format,
            columns=self.columns,
            rows=f"(SELECT {cells} FROM {accepted})",
            numbered=f"(SELECT row, {cells} FROM {accepted})",
            places=places,
            doubtful=f"(SELECT row, {cells} FROM {refused})" if self.refused_count else None,
            issues=tuple(self.issues),
            issue_counts=dict(self.issue_counts),
            record_count=self.row_count,
            rejected_count=self.refused_count,
            separators=separators or {},
            notes=tuple(notes),
        )

    def _relation(self, path: Path, row_count: int) -> str:
        columns = [*PLACES, *((name, "VARCHAR") for name in cell_names(len(self.columns)))]
        return csv_relation(
            path,
            Dialect(),
            columns,
            record_bytes=max(64 * 1024, self._longest * 4 + 16),
            # Line ends inside cells could mislead threads that begin in the middle of the file.
            parallel=scan(path).line_ends == row_count,
            line_feeds=True,
        )
