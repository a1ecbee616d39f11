"""The settings of an import as a form, and back.

Pure: a row in, texts out; texts in, values of `imports.rules.change` out. The rules check the values. A
limit that is left blank is the organization's: the form shows it blank, with what is inherited beside it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from grantline.control.imports.limits import inherited
from grantline.control.imports.models import Import
from grantline.control.imports.references import ReferenceMode
from grantline.errors import InputInvalid
from grantline.web import words

_SHARES = (("guard_percent", "guard_share", 100.0), ("guard_growth_percent", "guard_growth_share", 100_000.0))
_NUMBERS = (("guard_count", "number of records"), ("retention_days", "number of days"))


def settings_values(item: Import) -> dict[str, Any]:
    """The settings as the form shows them: the import's own; blank where it has the organization's."""
    return {
        "interval_seconds": item.interval_seconds,
        "guard_percent": _percent(item.guard_share),
        "guard_count": "" if item.guard_count is None else item.guard_count,
        "stale_after_seconds": item.stale_after_seconds or "",
        "guard_growth_percent": _percent(item.guard_growth_share),
        "allow_empty": item.allow_empty,
        "looks_in_others": item.references == ReferenceMode.AUTO,
        "retention_days": "" if item.retention_days is None else item.retention_days,
    }


def inherited_words(item: Import) -> dict[str, str]:
    """For each limit what holds where the import has none of its own, and whether that is so now."""
    default = item.organization
    growth, days = default.guard_growth_share, default.retention_days
    values = {
        "guard_share": words.percent(default.guard_share),
        "guard_count": words.thousands(default.guard_count),
        "guard_growth_share": "no limit" if growth is None else words.percent(growth),
        "retention_days": words.counted(days, "day") if days else "for good",
    }
    now = inherited(item)
    return {
        name: f"Inherited from the organization: {value}."
        if name in now
        else f"Its own. Blank: inherited from the organization ({value})."
        for name, value in values.items()
    }


def values_of(posted: Mapping[str, str]) -> dict[str, Any]:
    """The form as values of `imports.rules.change`; only fields that were sent.

    Raises: `InputInvalid` with a message per field that is not a number.
    """
    values: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    text = posted.get("interval_seconds", "")
    if text:
        values["interval_seconds"] = _whole(text, "interval_seconds", "interval", wrong)
    stale = posted.get("stale_after_seconds", "")
    values["stale_after_seconds"] = int(stale) if stale.isascii() and stale.isdigit() else None
    values |= dict(_limits(posted, wrong))
    if "has_switches" in posted:  # a switch that is off is not sent
        values["allow_empty"] = "allow_empty" in posted
        values["references"] = (ReferenceMode.AUTO if "looks_in_others" in posted else ReferenceMode.OWN).value
    if wrong:
        raise InputInvalid(next(iter(wrong.values())), fields=wrong)
    return values


def _limits(posted: Mapping[str, str], wrong: dict[str, str]) -> Iterator[tuple[str, Any]]:
    """The limits that were sent; None for a blank one: as the organization has it."""
    for field, name, high in _SHARES:
        if field in posted:
            yield name, _share(posted[field], field, high, wrong)
    for name, what in _NUMBERS:
        if name in posted:
            text = posted[name].replace(",", "").strip()
            yield name, _whole(text, name, what, wrong) if text else None


def _share(text: str, field: str, high: float, wrong: dict[str, str]) -> float | None:
    text = text.replace("%", "").strip()
    if not text:
        return None
    try:
        percent = float(text)
    except ValueError:
        percent = math.nan
    if not 0 <= percent <= high:  # nan is neither
        wrong[field] = f"The share must be a number of percent from 0 to {high:,.0f}, like 20, or blank."
        return None
    return percent / 100


def _whole(text: str, field: str, what: str, wrong: dict[str, str]) -> int | None:
    if text.isascii() and text.isdigit() and len(text) < 11:
        return int(text)
    wrong[field] = f"The {what} must be a whole number{'' if field == 'interval_seconds' else ', or blank'}."
    return None


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share * 100:g}"
