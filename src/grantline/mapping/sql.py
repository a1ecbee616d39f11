"""The few SQL expressions that every cell goes through.

In: SQL text of a cell. Out: SQL text. Headers and mapping words are hostile input: they enter a query
only through `literal`, columns of the file only as `c0`, `c1`, … by position.
"""

from __future__ import annotations

from collections.abc import Iterable

INVISIBLE = " \t\r\n\u00a0\u200b\ufeff\u2060"
"""What is removed at both ends of every cell: people paste from web pages and spreadsheets."""

_SPECIAL = {"\t": 9, "\r": 13, "\n": 10, "\u00a0": 160, "\u200b": 0x200B, "\ufeff": 0xFEFF, "\u2060": 0x2060}

INVISIBLE_SQL = "(" + " || ".join(["' '", *(f"chr({code})" for code in _SPECIAL.values())]) + ")"


def literal(text: str) -> str:
    """`text` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def literals(texts: Iterable[str]) -> str:
    """`texts` as the inside of an IN list."""
    return ", ".join(literal(text) for text in texts)


def trimmed(cell: str) -> str:
    """`cell` in NFC, without invisible characters at its ends; NULL where nothing is left."""
    return f"nullif(trim(nfc_normalize({cell}), {INVISIBLE_SQL}), '')"


def any_of(conditions: Iterable[str]) -> str:
    """Whether one of `conditions` holds; NULL counts as no."""
    joined = " OR ".join(f"coalesce({condition}, false)" for condition in conditions)
    return f"({joined})" if joined else "false"


def mask_of(conditions: Iterable[str]) -> str:
    """A BIGINT with bit i set where condition i holds."""
    bits = [f"(CASE WHEN {condition} THEN {1 << bit} ELSE 0 END)" for bit, condition in enumerate(conditions)]
    return f"({' + '.join(bits)})::BIGINT" if bits else "0::BIGINT"
