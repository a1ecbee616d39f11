"""What an organization sets for all of its imports: the guard's limits and retention.

In: a scope and new values. Out: the organization. An import with a value of its own keeps that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from grantline.control.audit.rules import Action, record
from grantline.control.imports.models import Import
from grantline.control.imports.retention import Effect, effect
from grantline.control.imports.rules import LONGEST_RETENTION_DAYS, limits_from
from grantline.control.organizations.models import Organization
from grantline.control.organizations.roles import Permission
from grantline.control.tenancy import Scope, scoped
from grantline.errors import InputInvalid

FIELDS = ("guard_share", "guard_count", "guard_growth_share", "retention_days")


def read(scope: Scope) -> Organization:
    """The organization of who asks."""
    return Organization.objects.get(pk=scope.organization_id)


@transaction.atomic
def change(scope: Scope, values: Mapping[str, Any]) -> Organization:
    """Store new values of any of `FIELDS`. `guard_growth_share` null: growth is not limited;
    `retention_days` null: everything is kept. Raises: `InputInvalid`, `NotAllowed`."""
    scope.require(Permission.MEMBER_WRITE)
    unknown = [field for field in values if field not in FIELDS]
    if unknown:
        raise InputInvalid(f"An organization has no field {unknown[0]!r} that can be changed.", field=unknown[0])
    organization = Organization.objects.select_for_update().get(pk=scope.organization_id)
    before = _described(organization)
    for field, value in limits_from(values).items():
        if value is None and field != "guard_growth_share":
            raise InputInvalid(f"{field} needs a value: every import without its own takes it.", field=field)
        setattr(organization, field, value)
    if "retention_days" in values:
        organization.retention_days = valid_days(values["retention_days"])
    organization.save(update_fields=list(FIELDS))
    record(
        scope,
        Action.ORGANIZATION_CHANGE,
        organization,
        name=organization.name,
        before=before,
        after=_described(organization),
    )
    return organization


def valid_days(days: Any) -> int | None:
    """A number of days to keep, or None for good. Raises: `InputInvalid`."""
    if days is None or days == 0:
        return None
    if isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= LONGEST_RETENTION_DAYS:
        raise InputInvalid(
            f"retention_days must be a whole number of days from 1 to {LONGEST_RETENTION_DAYS:,}, or null.",
            field="retention_days",
        )
    return days


def retention_effects(scope: Scope, days: int | None) -> list[Effect]:
    """What a retention of `days` days would remove now, for each import that has none of its own."""
    scope.require(Permission.IMPORT_READ)
    rows = scoped(Import, scope).filter(retention_days__isnull=True, current_version__isnull=False)
    found = [effect(item, valid_days(days)) for item in rows.select_related("current_version").order_by("created_at")]
    return [one for one in found if one.version_count]


def _described(organization: Organization) -> dict[str, Any]:
    return {field: getattr(organization, field) for field in FIELDS}
