"""Prefixes that exports put before cells so that no spreadsheet runs or reformats them.

In: a table, and what the mapping says about its prefix. Out: the same table whose SQL takes one such
prefix off each cell. `formulas` is the rule of our own CSV downloads (an apostrophe before a cell that
begins with a sign of a formula, more apostrophes before it or not), so that they come back unchanged;
any other single character is taken off wherever a cell begins with it. Headers stay as they are.
"""

from __future__ import annotations

from dataclasses import replace

from grantline.formats.relation import cell_names, literal
from grantline.formats.table import Table

FORMULAS = "formulas"
FORMULA_CELL = "^'+ *[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"
"""What a protected cell of our own downloads looks like."""


def without_prefix(table: Table, prefix: str | None) -> Table:
    """The table without the prefix; itself where there is none."""
    if prefix is None:
        return table

    def bare(name: str) -> str:
        if prefix == FORMULAS:
            test = f"regexp_matches({name}, {literal(FORMULA_CELL)})"
        else:
            test = f"starts_with({name}, {literal(prefix)})"
        return f"CASE WHEN {test} THEN nullif(substr({name}, 2), '') ELSE {name} END AS {name}"

    cells = ", ".join(bare(name) for name in cell_names(len(table.columns)))

    def over(relation: str, before: str = "") -> str:
        return f"(SELECT {before}{cells} FROM {relation})"

    return replace(
        table,
        rows=over(table.rows),
        numbered=over(table.numbered, "row, "),
        doubtful=over(table.doubtful, "row, ") if table.doubtful is not None else None,
    )
