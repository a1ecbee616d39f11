"""SQL text for DuckDB over delimited files, with nothing left to its guessing.

Owns how a file is named in SQL and which options `read_csv` gets. The relations are lazy: each use
scans the file again. Without `store_rejects` a row that does not fit raises, so a relation never
drops one in silence.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

from grantline.formats.tokens import Dialect

GLOB_CHARACTERS = "*?["
BUFFER_BYTES = 32_000_000
"""DuckDB's own default; it would shrink with a smaller `max_line_size`, which costs a fifth."""


def literal(text: str) -> str:
    """`text` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def safe_path(path: Path, scratch: Path) -> Path:
    """A path that DuckDB takes as one file: a link in `scratch` where the name holds a pattern."""
    path = path.absolute()
    if not any(character in str(path) for character in GLOB_CHARACTERS):
        return path
    link = scratch.absolute() / f"input-{uuid4().hex}"
    link.symlink_to(path)
    return link


def cell_names(count: int) -> list[str]:
    """`c0` … of `count` columns."""
    return [f"c{index}" for index in range(count)]


def csv_relation(
    path: Path,
    dialect: Dialect,
    columns: Sequence[tuple[str, str]],
    *,
    skip: int = 0,
    record_bytes: int,
    parallel: bool = True,
    line_feeds: bool = False,
) -> str:
    """`read_csv(…)` with everything declared; `columns` are names with their SQL types.

    `line_feeds` says that lines end in LF. Without it DuckDB takes the first line end that it meets,
    be it inside quotes; CR LF cannot be declared, DuckDB 2.0.1 then finds no rows at all.
    """
    types = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in columns)
    quote = literal(dialect.quote or "")
    new_line = r"new_line='\n', " if line_feeds else ""
    return (
        f"read_csv({literal(str(path))}, auto_detect=false, header=false, skip={skip}, "
        f"columns={{{types}}}, delim={literal(dialect.delimiter)}, quote={quote}, escape={quote}, "
        f"{new_line}strict_mode=true, null_padding=false, nullstr='', compression='none', "
        f"max_line_size={record_bytes}, buffer_size={max(BUFFER_BYTES, record_bytes * 2)}, "
        f"parallel={str(parallel).lower()})"
    )
