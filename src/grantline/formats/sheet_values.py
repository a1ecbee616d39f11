"""What a workbook's cell says, as text: numbers as a person would type them, dates ISO 8601.

In: a value as calamine gives it. Out: its text; an empty cell is an empty text.
"""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

DIGITS = 15
"""Digits of a number that a workbook keeps."""

EXACT = 10**DIGITS
"""Whole numbers from here on have more."""


def text(value: Any) -> str:
    """A cell's value as text."""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        seconds = int(value.total_seconds())
        return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return "" if value is None else str(value)


def _number(value: float) -> str:
    """Whole numbers without a decimal point, others with the 15 digits that a workbook keeps."""
    if value.is_integer():
        return str(int(value))
    return format(Decimal(format(value, f".{DIGITS}g")), "f")
