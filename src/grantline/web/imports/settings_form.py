"""The settings of an import as a form, and back.

Pure: a row in, texts out; texts in, values of `imports.rules.change` out. The rules check the values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grantline.control.imports.models import Import
from grantline.errors import InputInvalid


def settings_values(item: Import) -> dict[str, Any]:
    """The stored settings as the form shows them."""
    return {
        "interval_seconds": item.interval_seconds,
        "guard_percent": f"{item.guard_share * 100:g}",
        "guard_count": item.guard_count,
        "stale_after_seconds": item.stale_after_seconds or "",
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
    if wrong:
        raise InputInvalid(next(iter(wrong.values())), fields=wrong)
    return values
