"""What the frame around every page needs: places, organization, person.

In: a request. Out: the context of `base.html`. Nobody signed in: no places and no query.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from grantline.control.organizations.models import Organization
from grantline.control.organizations.roles import Permission, Role
from grantline.control.tenancy import Scope
from grantline.web.requests import chosen_day, found_scope


@dataclass(frozen=True)
class Place:
    """One place of the sidebar."""

    label: str
    href: str
    icon: str
    current: bool


PLACES: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    # label, name of the address, icon, beginnings of the addresses that belong to it
    ("Overview", "overview", "overview", ()),
    ("Applications", "applications", "application", ("/applications", "/imports")),
    ("People", "people", "people", ("/people",)),
    ("Integrations", "sources", "integration", ("/integrations",)),
    ("Runs", "runs", "runs", ("/runs",)),
    ("Audit log", "audit_log", "audit", ("/audit-log",)),
    ("Settings", "settings", "settings", ("/settings",)),
)
PAST_PAGES = frozenset(
    {
        "overview",
        "application",
        "application_accounts",
        "application_account",
        "application_entitlements",
        "application_entitlement",
        "application_changes",
        "people",
        "person",
        "audit_log",
    }
)
"""Names of the addresses that show the day set; all others know only now, and say so."""
NEEDED = {"audit_log": Permission.AUDIT_READ}
"""Places that only somebody with a permission is shown."""


def frame(request: HttpRequest) -> dict[str, Any]:
    """The frame's values. Leaves `page_title` and `breadcrumbs` to the views."""
    scope, request_id = found_scope(request), getattr(request, "request_id", "")
    if scope is None:
        return {"scope": None, "navigation": (), "organization": None, "request_id": request_id}
    return {
        "scope": scope,
        "request_id": request_id,
        "navigation": tuple(_places(request.path, scope)),
        "organization": SimpleLazyObject(lambda: Organization.objects.get(pk=scope.organization_id)),
        "role_name": scope.role.label,
        "search_query": request.GET.get("q", "") if request.path == reverse("search") else "",
        "as_of": chosen_day(request),
        "knows_past": bool(request.resolver_match and request.resolver_match.url_name in PAST_PAGES),
        "second_step_off": scope.role is Role.SUPER_ADMINISTRATOR and settings.GRANTLINE.require_mfa == "nobody",
    }


def _places(path: str, scope: Scope) -> Iterable[Place]:
    for label, name, icon, beginnings in PLACES:
        if name in NEEDED and not scope.may(NEEDED[name]):
            continue
        href = reverse(name)
        current = path == href or any(path == start or path.startswith(f"{start}/") for start in beginnings)
        yield Place(label, href, icon, current)
