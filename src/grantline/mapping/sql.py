"""The few SQL expressions that every cell goes through.

In: SQL text of a cell. Out: SQL text. Headers and mapping words are hostile input: they enter a query
only through `literal`, columns of the file only as `c0`, `c1`, … by position.
"""

from __future__ import annotations

from collections.abc import Iterable

INVISIBLE = " \t\r\n\u00a0\u200b\ufeff\u2060"
"""What is removed at both ends of every cell: people paste from web pages and spreadsheets."""

_CODES = (32, 9, 13, 10, 0xA0, 0x200B, 0xFEFF, 0x2060)
_CHARACTERS = [f"chr({code})" for code in _CODES]
INVISIBLE_SQL = " || ".join(_CHARACTERS)
"""`INVISIBLE` as SQL."""


def literal(text: str) -> str:
    """`text` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def literals(texts: Iterable[str]) -> str:
    """`texts` as the inside of an IN list."""
    return ", ".join(literal(text) for text in texts)


def trimmed(cell: str) -> str:
    """`cell` in NFC, without invisible characters at its ends; NULL where nothing is left.

    Looking at the first and last character is eight times faster than trimming each cell.
    """
    first = f"ascii({cell}) IN (0, {', '.join(map(str, _CODES))})"
    last = f"right({cell}, 1) IN ({', '.join(_CHARACTERS)})"
    whole = f"nullif(trim(nfc_normalize({cell}), {INVISIBLE_SQL}), '')"
    return f"CASE WHEN {first} OR {last} THEN {whole} ELSE nfc_normalize({cell}) END"


def any_of(conditions: Iterable[str]) -> str:
    """Whether one of `conditions` holds; NULL counts as no."""
    joined = " OR ".join(f"coalesce({condition}, false)" for condition in conditions)
    return f"({joined})" if joined else "false"
