"""How many cells an ODS sheet spans, before calamine holds them in memory.

ODS says "this cell, a million times" in one attribute, so a small file can ask for any amount of
memory. The repeats count only up to the last filled cell: spreadsheet programs themselves write empty
rows and cells up to the end of the sheet in that way.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

from grantline.formats.limits import Limits
from grantline.formats.sheet_xml import feed, inflated, new_parser


@dataclass
class _Extent:
    """Walks the rows of all sheets; `area` is the largest rectangle of filled cells."""

    area: int = 0
    row: int = 0
    last_row: int = 0
    column: int = 0
    last_column: int = 0
    filled: bool = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Counts an element."""
        if name == "table:table":
            self.row = self.last_row = self.last_column = 0
        elif name == "table:table-row":
            self.column, self.filled = 0, False
            self.row += _repeats(attributes.get("table:number-rows-repeated"))
        elif name in ("table:table-cell", "table:covered-table-cell"):
            self.column += _repeats(attributes.get("table:number-columns-repeated"))
            if "office:value-type" in attributes or "table:formula" in attributes:
                self.filled = True
                self.last_column = max(self.last_column, self.column)
                self.last_row = self.row
                self.area = max(self.area, self.last_row * self.last_column)


def _repeats(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 12 else 1


def refuse_wide(path: Path, limits: Limits) -> None:
    """Raises: `SourceTooLarge` where filled cells span more than `limits.workbook_cells`."""
    extent = _Extent()
    parser = new_parser()
    parser.StartElementHandler = extent.start
    with zipfile.ZipFile(path) as archive:
        feed(parser, inflated(archive, archive.getinfo("content.xml")))
    if extent.area > limits.workbook_cells:
        raise limits.too_large("workbook_cells", f"A sheet spans {extent.area:,} cells")
