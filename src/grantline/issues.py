"""Issues: findings about single rows, as data.

Owns the shape in which `formats` and `mapping` report a refused or doubtful row, and the row codes of
the public contract. An issue never stops a file; a row with an issue of severity *error* is refused,
one with a *warning* is imported. Leaves the storing and showing of issues to the rooms above.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

Severity = Literal["error", "warning"]

ROW_CODES = ("row_width", "row_key_missing", "row_key_duplicate", "value_invalid", "reference_unknown")
"""Every code an issue can have."""

VALUE_LIMIT = 200
"""Characters of a value that an issue keeps; the rest is cut and marked with an ellipsis."""


@dataclass(frozen=True, slots=True)
class Issue:
    """One finding about one row.

    `row` counts data records from 1; `line` is the physical line where the record starts (the first
    line of the file is 1); `cell` is for workbooks (`Users!C3`). `column` is the header as the file
    spells it. `file` names the file where an import reads several.
    `value` is the cell's text, cut to `VALUE_LIMIT` characters.
    """

    code: str
    message: str
    severity: Severity = "error"
    row: int | None = None
    line: int | None = None
    cell: str | None = None
    column: str | None = None
    value: str | None = None
    file: str | None = None
    remedy: str | None = None
    record: tuple[tuple[str, str], ...] | None = None
    """The row as it stands in the file: headers with texts, all masked but that of the cell in question."""

    def document(self, *, record: bool = False) -> dict[str, Any]:
        """The issue as `grantline check --json` and the API print it; the masked row only where asked for."""
        found = asdict(replace(self, record=None))
        del found["record"]
        if record:
            cells = self.record or ()
            found["record"] = [{"column": column, "text": text} for column, text in cells] or None
        return found


def shown(value: str | None) -> str | None:
    """`value` cut to what an issue keeps."""
    if value is None or len(value) <= VALUE_LIMIT:
        return value
    return value[: VALUE_LIMIT - 1] + "…"
