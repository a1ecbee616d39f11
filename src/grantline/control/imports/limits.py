"""What holds for one import: its own limits, or those of its organization.

In: an import. Out: the guard's limits and the retention, complete; and which of them are inherited.
"""

from __future__ import annotations

from grantline.catalog.guard import GuardLimits
from grantline.control.imports.models import Import

INHERITED = ("guard_share", "guard_count", "guard_growth_share", "retention_days")


def limits_of(item: Import) -> GuardLimits:
    """The guard's limits of an import."""
    own, default = item, item.organization
    return GuardLimits(
        share=default.guard_share if own.guard_share is None else own.guard_share,
        count=default.guard_count if own.guard_count is None else own.guard_count,
        growth_share=default.guard_growth_share if own.guard_growth_share is None else own.guard_growth_share,
    )


def retention_of(item: Import) -> int | None:
    """For how many days an import's past is kept; None: for good."""
    days = item.organization.retention_days if item.retention_days is None else item.retention_days
    return days or None


def inherited(item: Import) -> list[str]:
    """The names of the values that the import takes from its organization."""
    return [name for name in INHERITED if getattr(item, name) is None]
