"""The hard limits under which a file is read.

Owns the frozen `Limits`. Files are hostile input: each limit is checked while bytes stream, before
they are held in memory or written to disk, and names itself in the error (`SourceTooLarge`), except
`cell_bytes`, which costs only the cell (`value_invalid`, its row is kept).
"""

from __future__ import annotations

from dataclasses import dataclass

from grantline.errors import SourceTooLarge

GIB = 1024**3


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a file may be; every field is an upper bound."""

    unpacked_bytes: int = 16 * GIB
    """Bytes after unpacking one layer of compression."""
    ratio: int = 500
    """Unpacked bytes for each packed byte; looked at from 16 MiB unpacked on."""
    rows: int = 50_000_000
    """Records in one file."""
    columns: int = 2_000
    """Columns of one file."""
    cell_bytes: int = 64 * 1024
    """UTF-8 bytes in one cell; a larger cell is refused, its row is not."""
    workbook_bytes: int = 2 * GIB
    """Bytes that the parts of one workbook unpack to; its sheets are held in memory."""
    workbook_cells: int = 50_000_000
    """Cells in the rectangle that the filled cells of a sheet span."""
    nesting: int = 64
    """Levels of a JSON document."""
    layers: int = 2
    """Compressions around a file (a gzip in a ZIP is two)."""
    seconds: float = 3600
    """Time for reading one file."""

    def too_large(self, name: str, what: str) -> SourceTooLarge:
        """The error for the limit `name`; `what` says what was found, like "The file has 2001 columns"."""
        return SourceTooLarge(f"{what}; the limit {name} is {getattr(self, name):,}.", limit=name)
