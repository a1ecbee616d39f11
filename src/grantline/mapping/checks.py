"""What can be wrong with a cell, as SQL conditions over the levels of `levels`.

In: the plan and the orders of its dates. Out: `Check`s, each with the condition under which it fails,
and the words for the issue. The same condition is tried first on distinct cells, to learn whether there
is anything to report, and only then on numbered rows, to learn where. An *error* refuses its row; a
*warning* leaves the cell empty and keeps the row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from grantline.issues import Severity
from grantline.mapping import dates
from grantline.mapping.levels import TEXT_LIMIT, Orders, is_date
from grantline.mapping.plan import Cell, Plan
from grantline.mapping.sql import any_of, literal, literals
from grantline.mapping.words import ENTITLEMENT_ROWS, GRANT_ROWS, KEEPING_WORDS, REMOVAL_WORDS

KEY_LIMIT = 1024
"""Bytes of a key; longer ones are texts that were mapped by mistake, and do not fit an index."""

EMAIL = r"^[^@\s<>(),;:\\\"\[\]\x00-\x1f]{1,64}@([^@\s<>(),;:\\\"\[\]\x00-\x1f.]+\.)+[^@\s<>(),;:\\\"\[\]\x00-\x1f.]+$"
EMAIL_LIMIT = 254
"""Octets of an address, RFC 5321 section 4.5.3.1.3 less its brackets."""

ROUNDED = r"^\d(\.\d+)?[eE]\+\d{2,3}$"
"""A long number that a spreadsheet saved as `1.23457E+14`."""


@dataclass(frozen=True)
class Check:
    """One way in which a row can be wrong. `words` makes the message of the shown value."""

    code: str
    severity: Severity
    cell: Cell
    condition: str
    words: Callable[[str], str]
    remedy: str | None = None


def account_checks(plan: Plan, orders: Orders) -> list[Check]:
    """Checks of the account's part of a row."""
    checks: list[Check] = []
    if plan.id is not None:
        checks.append(_missing_key(plan, plan.id))
        checks += cell_checks(plan.id, orders)
    for cell in (*plan.attributes, *plan.lists):
        checks += cell_checks(cell, orders)
    if plan.op is not None:
        checks.append(_unknown_word(plan.op, (*REMOVAL_WORDS, *KEEPING_WORDS), "add, update or delete"))
    return checks


def entitlement_checks(plan: Plan, orders: Orders) -> list[Check]:
    """Checks of the entitlement's part of a row."""
    checks: list[Check] = []
    if plan.kind is not None:
        words = (*ENTITLEMENT_ROWS, *GRANT_ROWS)
        checks.append(_unknown_word(plan.kind, words, "Entitlement or Grant"))
    cells = [cell for cell in plan.identity if cell.column is not None]
    filled = [f"{cell.text} IS NOT NULL" for cell in (*cells, *plan.details)]
    named = any_of([*filled, defines_entitlement(plan)])
    earlier: list[str] = []
    for cell in cells:
        checks.append(_missing_part(cell, " AND ".join([f"{cell.text} IS NULL", named, *earlier])))
        earlier.append(f"{cell.text} IS NOT NULL")
        checks += cell_checks(cell, orders)
    for cell in plan.details:
        checks += cell_checks(cell, orders)
    return checks


def defines(plan: Plan) -> str:
    """Whether a row defines an entitlement and gives it to nobody."""
    if plan.id is None:
        return "true"
    if plan.by_members:
        return f"({plan.id.text} IS NULL)"
    if plan.kind is None:
        return "false"
    return f"coalesce(lower({plan.kind.text}) IN ({literals(ENTITLEMENT_ROWS)}), false)"


def defines_entitlement(plan: Plan) -> str:
    """The same, where the row's entitlement cells alone are at hand."""
    return "true" if plan.by_members else defines(plan)


def removes(plan: Plan) -> str:
    """Whether a row removes what it names."""
    if plan.op is None:
        return "false"
    return f"coalesce(lower({plan.op.text}) IN ({literals(REMOVAL_WORDS)}), false)"


BLANK = "/*blank*/"
"""Stands in a condition for "the whole row is blank", which only a whole row can tell."""


def _unless_blank(condition: str) -> str:
    """A CASE, so that the whole row is only looked at where the condition holds."""
    return f"CASE WHEN {condition} THEN NOT {BLANK} ELSE false END"


def _missing_key(plan: Plan, cell: Cell) -> Check:
    kind = f" AND NOT {defines(plan)}" if plan.kind is not None or plan.by_members else ""
    return Check(
        "row_key_missing",
        "error",
        cell,
        _unless_blank(f"{cell.text} IS NULL{kind}"),
        lambda value: f"{cell.header} is empty, so nobody can tell whose row this is.",
        "Give the row its key, or leave the row out.",
    )


def _missing_part(cell: Cell, condition: str) -> Check:
    return Check(
        "row_key_missing",
        "error",
        cell,
        _unless_blank(condition),
        lambda value: f"{cell.header} is empty, though the row names an entitlement.",
        "Fill all columns that identify the entitlement, or none of them.",
    )


def _unknown_word(cell: Cell, words: tuple[str, ...], allowed: str) -> Check:
    return Check(
        "value_invalid",
        "error",
        cell,
        f"{cell.text} IS NOT NULL AND lower({cell.text}) NOT IN ({literals(words)})",
        lambda value: f"{cell.header} holds {value!r}; it can be {allowed}.",
        "Correct the word, or replace it in the mapping (map).",
    )


def cell_checks(cell: Cell, orders: Orders) -> list[Check]:
    """Checks of one cell, by the kind of its target."""
    if cell.column is None:
        return []
    checks = [_nul(cell)]
    if cell.rule.pattern is not None:
        checks.append(_unlike(cell, cell.rule.pattern))
    if is_date(cell):
        return [*checks, _date(cell, orders)]
    match cell.target.kind:
        case "key":
            checks += _key(cell)
        case "email":
            checks.append(_email(cell))
        case "status":
            checks.append(_status(cell))
        case "text":
            checks.append(_long_text(cell))
    return checks


def _nul(cell: Cell) -> Check:
    return Check(
        "value_invalid",
        "error",
        cell,
        f"contains({cell.raw}, chr(0))",
        lambda value: f"{cell.header} holds a NUL character.",
        "Remove the character in the system that writes the file.",
    )


def _unlike(cell: Cell, pattern: str) -> Check:
    return Check(
        "value_invalid",
        "error",
        cell,
        f"{cell.text} IS NOT NULL AND NOT regexp_full_match({cell.text}, {literal(pattern)})",
        lambda value: f"{cell.header} holds {value!r}, which does not match the pattern {pattern}.",
        "Correct the value, or the pattern in the mapping.",
    )


def _key(cell: Cell) -> list[Check]:
    checks = [
        Check(
            "value_invalid",
            "error",
            cell,
            f"strlen({cell.text}) > {KEY_LIMIT}",
            lambda value: f"{cell.header} has more than {KEY_LIMIT} bytes, too many for a key.",
            "Map a column with shorter values to this target.",
        ),
        Check(
            "value_invalid",
            "error",
            cell,
            f"contains({cell.text}, chr(65279))",
            lambda value: f"{cell.header} holds a byte order mark inside the value.",
            "Remove the invisible character; files that are put together must lose their marks.",
        ),
    ]
    if cell.target.name == "account.id":
        checks.append(
            Check(
                "value_invalid",
                "warning",
                cell,
                f"contains({cell.raw}, chr(65279)) AND NOT contains({cell.text}, chr(65279))",
                lambda value: f"{cell.header} begins or ends with a byte order mark, which was taken off.",
                "Files that are put together must lose their marks.",
            )
        )
    if cell.target.name.startswith("account."):
        checks.append(
            Check(
                "value_invalid",
                "error",
                cell,
                f"regexp_matches({cell.text}, {literal(ROUNDED)}) AND contains({cell.text}, '.')",
                lambda value: f"{cell.header} holds {value!r}, a number that a spreadsheet has rounded.",
                "Write the column as text, with all its digits.",
            )
        )
    return checks


def _email(cell: Cell) -> Check:
    text = cell.text
    return Check(
        "value_invalid",
        "error",
        cell,
        f"{text} IS NOT NULL AND (strlen({text}) > {EMAIL_LIMIT} OR NOT regexp_matches({text}, {literal(EMAIL)}))",
        lambda value: (
            f"{cell.header} holds {value!r}, which is not an e-mail address"
            + (f" (longer than {EMAIL_LIMIT} characters)." if len(value) > 150 else ".")
        ),
        "Correct the address, or name the words that mean 'none' in the mapping (nulls).",
    )


def _status(cell: Cell) -> Check:
    return Check(
        "value_invalid",
        "error",
        cell,
        f"{cell.text} IS NOT NULL AND {cell.value} IS NULL",
        lambda value: f"{cell.header} holds {value!r}, which is not a known status.",
        "Say in the mapping what the word means: map: {<word>: enabled} or disabled.",
    )


def _long_text(cell: Cell) -> Check:
    return Check(
        "value_invalid",
        "warning",
        cell,
        f"length({cell.text}) > {TEXT_LIMIT}",
        lambda value: f"{cell.header} has more than {TEXT_LIMIT} characters; the cell is left empty.",
        "Shorten the text, or leave the column out of the mapping.",
    )


def _date(cell: Cell, orders: Orders) -> Check:
    unread = f"{cell.text} IS NOT NULL AND {cell.value} IS NULL"
    pattern = cell.rule.date
    if pattern == "filetime":
        unread += f" AND {cell.text} NOT IN ('0', '9223372036854775807')"
    if pattern is None and orders.get(cell.index) in ("unclear", "mixed"):
        part = f"p{cell.index}"
        both = f"{dates.first(part)} <= 31 AND {dates.second(part)} <= 31"
        least = f"least({dates.first(part)}, {dates.second(part)}) <= 12"
        unread += f" AND NOT ({dates.slashed(part)} AND {both} AND {least})"
    fits = f"that fits {pattern!r}" if pattern else "in a spelling we know"
    if cell.rule.zone is not None:
        fits += f" (or a time that the clocks of {cell.rule.zone} skip)"
    numbers = "" if cell.rule.serials else "; a spreadsheet's day number needs serials: true"
    return Check(
        "value_invalid",
        "warning",
        cell,
        unread,
        lambda value: f"{cell.header} holds {value!r}, which is not a date {fits}; the cell is left empty.",
        f"Declare the pattern (date) or the words that mean 'none' (nulls) in the mapping{numbers}.",
    )
