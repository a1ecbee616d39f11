"""Dates and times in the spellings of real exports, read by SQL.

In: SQL text of a trimmed cell. Out: SQL text in levels that build on each other (`parts`, `day`,
`value`), so that the database evaluates each once. The result is ISO 8601 text: `2026-01-07` a date,
`2026-01-07T15:30:00Z` an instant, without Z a local time whose zone nobody stated. Nothing depends on
the machine's zone. Invariant: where a column's day and month could be swapped, no cell is read; which
order holds is decided over all cells of the column (`Order`), never by one cell for itself.
"""

from __future__ import annotations

import re
from typing import Literal

from grantline.issues import Issue
from grantline.mapping.sql import literal

Order = Literal["dmy", "mdy", "unclear", "mixed"]
"""What comes first in `05/03/2026`. *unclear*: no cell tells; *mixed*: cells contradict each other."""

KINDS = ("serial", "epoch", "epoch_ms", "filetime")
"""What `date` can be beside a pattern: numbers that count days or seconds."""

SERIAL = r"^[0-9]{1,7}(\.[0-9]+)?$"
"""A plain number that may be a spreadsheet's day number."""

DIRECTIVES = "aAbBdfgHIjmMnpSyYzcxX%"
TIME_DIRECTIVES = ("%H", "%I", "%-H", "%-I", "%X", "%c")

_TIME = (
    r"^(?:[A-Za-z]{3,9}day,?\s+|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),?\s+)?(.+?)"
    r"(?:(?:[Tt]|,?\s+)(\d{1,2}:\d{2}(?::\d{2})?)([.,]\d{1,9})?\s*([AaPp]\.?[Mm]\.?)?"
    r"\s*(?:(Z|z|UTC|GMT)|([+-])(\d{2}):?(\d{2})?)?(?:\s+(?:UTC|GMT))?)?$"
)
_TIME_NAMES = "['d', 't', 'f', 'ap', 'utc', 'sign', 'oh', 'om']"

_YMD = r"^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})$"
_COMPACT = r"^(\d{4})(\d{2})(\d{2})$"
_DOTTED = r"^(\d{1,2})\.(\d{1,2})\.(\d{4})$"
_SLASHED = r"^(\d{1,2})[/-](\d{1,2})[/-](\d{4})$"
_DAY_NAME = r"^(\d{1,2})(?:st|nd|rd|th)?[- ./]*([A-Za-z]{3,9})[-,. /]*(\d{4})$"
_NAME_DAY = r"^([A-Za-z]{3,9})[-. /]*(\d{1,2})(?:st|nd|rd|th)?(?:,\s*|[-. /]+)(\d{4})$"
_GENERALIZED = r"^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(?:\.\d+)?Z$"

_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)


def format_problem(pattern: str) -> str | None:
    """What is wrong with a strptime pattern; None where nothing is."""
    found = re.findall(r"%-?(.?)", pattern)
    if not found:
        return f"{pattern!r} is not a date pattern; write one like '%d.%m.%Y', or {', '.join(KINDS)}."
    for letter in found:
        if not letter or letter not in DIRECTIVES:
            return f"%{letter} is not a known part of a date pattern; write one like '%d.%m.%Y %H:%M'."
    return None


def parts(cell: str) -> str:
    """The struct of a cell's date text and its time: d, t, f(raction), ap, utc, sign, oh, om."""
    return f"regexp_extract({cell}, {literal(_TIME)}, {_TIME_NAMES})"


def slashed(part: str) -> str:
    """Whether the date text of `part` has its day and month in an order that must be known."""
    return f"regexp_matches({part}.d, {literal(_SLASHED)})"


def first(part: str) -> str:
    """The first number of a slashed date."""
    return f"try_cast(regexp_extract({part}.d, {literal(_SLASHED)}, 1) AS INTEGER)"


def second(part: str) -> str:
    """The second number of a slashed date."""
    return f"try_cast(regexp_extract({part}.d, {literal(_SLASHED)}, 2) AS INTEGER)"


def swappable(part: str) -> str:
    """Whether day and month could be swapped: both at most 12, and different."""
    return (
        f"({slashed(part)} AND {first(part)} BETWEEN 1 AND 12 AND {second(part)} BETWEEN 1 AND 12"
        f" AND {first(part)} <> {second(part)})"
    )


def order_of(day_first: bool, month_first: bool, swappable_count: int) -> Order:
    """The order of a column, from what its cells show."""
    if day_first and month_first:
        return "mixed"
    if day_first:
        return "dmy"
    if month_first:
        return "mdy"
    return "unclear" if swappable_count else "mdy"


def unsettled(header: str, order: Order, count: int, sample: str | None) -> Issue:
    """What is said about a column whose day and month cannot be told apart."""
    if order == "mixed":
        reason = "some of its cells put the day first, others the month"
    else:
        reason = f"{count} of its cells could be day/month or month/day, and no other cell tells"
    return Issue(
        "value_invalid",
        f"{header}: the dates are ambiguous ({reason}), so cells like {sample!r} are left empty.",
        severity="warning",
        column=header,
        value=sample,
        remedy="Declare the pattern in the mapping: date: '%d/%m/%Y' or date: '%m/%d/%Y'.",
    )


def day(part: str, order: Order) -> str:
    """The ISO date of `part`, not yet checked against the calendar; NULL where it is no known form."""
    text = f"{part}.d"

    def pick(pattern: str, group: int) -> str:
        return f"regexp_extract({text}, {literal(pattern)}, {group})"

    def joined(pattern: str, year: int, month: int, day: int) -> str:
        return (
            f"({pick(pattern, year)} || '-' || lpad({pick(pattern, month)}, 2, '0')"
            f" || '-' || lpad({pick(pattern, day)}, 2, '0'))"
        )

    def named(pattern: str, year: int, month: int, day: int) -> str:
        return (
            f"({pick(pattern, year)} || '-' || {_month(pick(pattern, month))}"
            f" || '-' || lpad({pick(pattern, day)}, 2, '0'))"
        )

    slash = {"dmy": joined(_SLASHED, 3, 2, 1), "mdy": joined(_SLASHED, 3, 1, 2)}.get(order, "NULL")
    forms = (
        (_YMD, joined(_YMD, 1, 2, 3)),
        (_COMPACT, joined(_COMPACT, 1, 2, 3)),
        (_DOTTED, joined(_DOTTED, 3, 2, 1)),
        (_SLASHED, slash),
        (_DAY_NAME, named(_DAY_NAME, 3, 2, 1)),
        (_NAME_DAY, named(_NAME_DAY, 3, 1, 2)),
    )
    cases = " ".join(f"WHEN regexp_matches({text}, {literal(form)}) THEN {iso}" for form, iso in forms)
    return f"CASE {cases} END"


def value(cell: str, part: str, iso: str, zone: str | None) -> str:
    """The ISO text of a cell from its `parts` and `day`; NULL where it is not a date."""
    clock = f"try_cast({iso} || ' ' || {part}.t AS TIMESTAMP)"
    noon = (
        f"try_strptime({iso} || ' ' || {part}.t || ' ' || upper(replace({part}.ap, '.', '')),"
        " ['%Y-%m-%d %I:%M:%S %p', '%Y-%m-%d %I:%M %p'])"
    )
    time = f"CASE WHEN {part}.ap = '' THEN {clock} ELSE {noon} END"
    offset = (
        f"to_minutes((try_cast({part}.oh AS INTEGER) * 60 + coalesce(try_cast(nullif({part}.om, '') AS"
        f" INTEGER), 0)) * CASE WHEN {part}.sign = '-' THEN -1 ELSE 1 END)"
    )
    fraction = f"rtrim(rtrim(replace({part}.f, ',', '.'), '0'), '.')"
    local = _in_zone(f"({time})", zone, fraction)
    stamped = (
        f"CASE WHEN {part}.utc <> '' THEN {_stamp(f'({time})', fraction)} || 'Z'"
        f" WHEN {part}.sign <> '' THEN {_stamp(f'(({time}) - {offset})', fraction)} || 'Z' ELSE {local} END"
    )
    generalized = f"try_strptime(left({cell}, 14), '%Y%m%d%H%M%S')"
    return (
        f"CASE WHEN {cell} IS NULL THEN NULL"
        f" WHEN regexp_matches({cell}, {literal(_GENERALIZED)}) THEN {_stamp(generalized, literal(''))} || 'Z'"
        f" WHEN try_cast({iso} AS DATE) IS NULL THEN NULL"
        f" WHEN {part}.t = '' THEN {iso} ELSE {stamped} END"
    )


def declared(cell: str, pattern: str, zone: str | None) -> str:
    """The ISO text of a cell whose spelling the mapping declares; NULL where it does not fit."""
    if pattern in KINDS:
        return _counted(cell, pattern, zone)
    moment = f"try_strptime({cell}, {literal(pattern)})"
    if "%z" in pattern:
        utc = f"({moment} AT TIME ZONE 'UTC')"
        return f"{_stamp(utc)} || 'Z'"
    if any(directive in pattern for directive in TIME_DIRECTIVES):
        return _in_zone(moment, zone)
    return f"strftime({moment}, '%Y-%m-%d')"


def _counted(cell: str, kind: str, zone: str | None) -> str:
    number = f"try_cast({cell} AS DOUBLE)"
    if kind == "serial":
        moment = f"(TIMESTAMP '1899-12-30' + to_seconds(round({number} * 86400)))"
        sane = f"{number} BETWEEN 1 AND 2958465"
        date_only = f"CASE WHEN {number} = floor({number}) THEN strftime({moment}, '%Y-%m-%d')"
        return f"CASE WHEN {sane} THEN {date_only} ELSE {_in_zone(moment, zone)} END END"
    whole = f"try_cast({cell} AS BIGINT)"
    seconds = {
        "epoch": number,
        "epoch_ms": f"({number} / 1000)",
        "filetime": f"({whole} / 10000000 - 11644473600)",
    }[kind]
    moment = f"(TIMESTAMP '1970-01-01' + to_seconds(floor({seconds})))"
    return f"CASE WHEN {seconds} BETWEEN -62135596800 AND 253402300799 THEN {_stamp(moment)} || 'Z' END"


def _in_zone(moment: str, zone: str | None, fraction: str = "''") -> str:
    if zone is None:
        return _stamp(moment, fraction)
    instant = f"(({moment}) AT TIME ZONE {literal(zone)} AT TIME ZONE 'UTC')"
    if zone == "UTC":
        return f"{_stamp(instant, fraction)} || 'Z'"
    # A local time that the clocks skip in spring is no moment; one that they repeat in autumn is read as
    # the first of the two (before they are set back).
    local, earlier = _local(instant, zone), f"({instant} - INTERVAL 1 HOUR)"
    chosen = f"(CASE WHEN {_local(earlier, zone)} = ({moment}) THEN {earlier} ELSE {instant} END)"
    return f"CASE WHEN {local} = ({moment}) THEN {_stamp(chosen, fraction)} || 'Z' END"


def _local(instant: str, zone: str) -> str:
    """The wall clock of `zone` at `instant`, a time in UTC."""
    return f"({instant} AT TIME ZONE 'UTC' AT TIME ZONE {literal(zone)})"


def _stamp(moment: str, fraction: str = "''") -> str:
    return f"(strftime({moment}, '%Y-%m-%dT%H:%M:%S') || {fraction})"


def _month(name: str) -> str:
    """A month's English name or its first letters as two digits; NULL for another word."""
    words = "[" + ", ".join(literal(month) for month in _MONTHS) + "]"
    found = f"list_position(list_transform({words}, lambda month: starts_with(month, lower({name}))), true)"
    return f"lpad(nullif({found}, 0)::VARCHAR, 2, '0')"
