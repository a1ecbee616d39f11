"""The settings of an import as a form, and back.

Pure: a row in, texts out; texts in, values of `imports.rules.change` out. The rules check the values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from grantline.control.imports.limits import inherited, limits_of
from grantline.control.imports.models import Import
from grantline.errors import InputInvalid


def settings_values(item: Import) -> dict[str, Any]:
    """The settings as the form shows them: the import's own, or the organization's that hold for it."""
    limits = limits_of(item)
    return {
        "interval_seconds": item.interval_seconds,
        "guard_percent": f"{limits.share * 100:g}",
        "guard_count": limits.count,
        "stale_after_seconds": item.stale_after_seconds or "",
        "guard_growth_percent": "" if limits.growth_share is None else f"{limits.growth_share * 100:g}",
        "allow_empty": item.allow_empty,
        "retention_days": "" if item.retention_days is None else item.retention_days,
    }


def values_of(posted: Mapping[str, str]) -> dict[str, Any]:
    """The form as values of `imports.rules.change`.

    Raises: `InputInvalid` with a message per field that is not a number.
    """
    values: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for name, words in (("interval_seconds", "interval"), ("guard_count", "number of records")):
        text = posted.get(name, "").replace(",", "").strip()
        if not text and name == "interval_seconds":
            continue
        if text.isascii() and text.isdigit():
            values[name] = int(text)
        else:
            wrong[name] = f"The {words} must be a whole number."
    try:
        values["guard_share"] = float(posted.get("guard_percent", "")) / 100
    except ValueError:
        wrong["guard_percent"] = "The share must be a number of percent, like 20."
    else:
        if not 0 <= values["guard_share"] <= 1:
            wrong["guard_percent"] = "The share must be from 0 to 100 percent."
    stale = posted.get("stale_after_seconds", "")
    values["stale_after_seconds"] = int(stale) if stale.isascii() and stale.isdigit() else None
    for name, value in _optional(posted, wrong):
        values[name] = value
    if wrong:
        raise InputInvalid(next(iter(wrong.values())), fields=wrong)
    return values


def _optional(posted: Mapping[str, str], wrong: dict[str, str]) -> Iterator[tuple[str, Any]]:
    """Fields that may be left blank, which says: as the organization has it. `has_switches` says that the
    form had a switch, because one that is off is not sent."""
    if "guard_growth_percent" in posted:
        text = posted["guard_growth_percent"].strip()
        try:
            yield "guard_growth_share", float(text) / 100 if text else None
        except ValueError:
            wrong["guard_growth_percent"] = "The share must be a number of percent, like 200, or blank."
    if "retention_days" in posted:
        text = posted["retention_days"].replace(",", "").strip()
        if text and not (text.isascii() and text.isdigit() and len(text) < 7):
            wrong["retention_days"] = "The number of days must be a whole number, or blank."
        else:
            yield "retention_days", int(text) if text else None
    if "has_switches" in posted:
        yield "allow_empty", "allow_empty" in posted


def own_values(item: Import, values: dict[str, Any]) -> dict[str, Any]:
    """`values` without limits that the import inherits and the person left as they were: it goes on
    inheriting them."""
    limits, shared = limits_of(item), inherited(item)
    left = {"guard_share": limits.share, "guard_count": limits.count, "guard_growth_share": limits.growth_share}
    return {
        name: value for name, value in values.items() if not (name in shared and name in left and value == left[name])
    }
