"""Which of many conditions hold in a row: one bit for each, in as many numbers as it takes.

In: conditions, or checks, in an order that stays. Out: pieces of SQL over the columns `mask0` (of the first
`MASK_BITS`), `mask1` (of the next), …, and their bits as one whole number, in which bit i is condition i.
"""

from __future__ import annotations

from collections.abc import Sequence

from grantline.mapping.checks import Check
from grantline.mapping.work import Work

MASK_BITS = 62
"""Conditions that one mask can tell apart: a BIGINT without its sign, and without the bit before it."""


def names(count: int) -> list[str]:
    """The columns that hold the bits of `count` conditions; at least one."""
    return [f"mask{first // MASK_BITS}" for first in range(0, max(count, 1), MASK_BITS)]


def columns(conditions: Sequence[str]) -> str:
    """The columns, as a SELECT lists them."""
    parts = [conditions[first : first + MASK_BITS] for first in range(0, len(conditions), MASK_BITS)] or [()]
    return ", ".join(f"{_mask(part)} AS {name}" for part, name in zip(parts, names(len(conditions)), strict=True))


def any_holds(count: int) -> str:
    """Whether one of `count` conditions holds."""
    return " OR ".join(f"{name} <> 0" for name in names(count))


def holds(number: int) -> str:
    """Whether the condition with this number holds."""
    return f"(mask{number // MASK_BITS} >> {number % MASK_BITS}) & 1 = 1"


def is_refused(checks: Sequence[Check]) -> str:
    """Whether a check of severity *error* fails."""
    bits = dict.fromkeys(names(len(checks)), 0)
    for number, check in enumerate(checks):
        bits[f"mask{number // MASK_BITS}"] |= (check.severity == "error") << number % MASK_BITS
    return "(" + " OR ".join(f"({name} & {errors}) <> 0" for name, errors in bits.items()) + ")"


def as_one(values: Sequence[int]) -> int:
    """The bits of a row's masks as one number."""
    return sum(bits << MASK_BITS * place for place, bits in enumerate(values))


def anywhere(work: Work, relation: str, count: int) -> int:
    """The bits that are set in some row of `relation`."""
    united = ", ".join(f"coalesce(bit_or({name}), 0)" for name in names(count))
    return as_one(work.one(f"SELECT {united} FROM {relation}"))


def _mask(conditions: Sequence[str]) -> str:
    bits = [f"(CASE WHEN {condition} THEN {1 << bit} ELSE 0 END)" for bit, condition in enumerate(conditions)]
    return f"({' + '.join(bits)})::BIGINT" if bits else "0::BIGINT"
