"""Settings: where they are, who is a member and what each role may do, one's own profile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from grantline.control.organizations.models import Membership
from grantline.control.organizations.roles import Permission, Role, role_permissions
from grantline.control.tenancy import Scope
from grantline.web.requests import PageRequest
from grantline.web.trail import crumbs

PERMISSION_WORDS: Final = {
    Permission.SOURCE_READ: ("Data sources", "See data sources and their checks"),
    Permission.SOURCE_WRITE: ("Data sources", "Add, connect, change and delete data sources"),
    Permission.APPLICATION_READ: ("Applications", "See applications"),
    Permission.APPLICATION_CREATE: ("Applications", "Create applications"),
    Permission.APPLICATION_WRITE: ("Applications", "Change and delete applications"),
    Permission.IMPORT_READ: ("Imports", "See imports, runs and issues"),
    Permission.IMPORT_WRITE: ("Imports", "Create, change and delete imports"),
    Permission.IMPORT_RUN: ("Imports", "Sync, pause and resume imports"),
    Permission.RUN_DECIDE: ("Imports", "Approve or discard held runs"),
    Permission.CATALOG_READ: ("Catalog", "See accounts, entitlements and grants, now and on past days"),
    Permission.CATALOG_EXPORT: ("Catalog", "Download accounts, entitlements and grants"),
    Permission.TOKEN_OWN: ("Organization", "Make API tokens of one's own"),
    Permission.MEMBER_READ: ("Organization", "See members and roles"),
    Permission.MEMBER_WRITE: ("Organization", "Change members; see and revoke everybody's tokens"),
    Permission.AUDIT_READ: ("Organization", "Read the audit log"),
}
OWN_APPLICATIONS: Final = frozenset({Permission.IMPORT_WRITE, Permission.IMPORT_RUN, Permission.RUN_DECIDE})
"""What an application owner may do for the applications they own, and for no others."""


@require_GET
def index(request: PageRequest) -> HttpResponse:
    """Where the settings are."""
    context = {"page_title": "Settings", "may_see_members": request.scope.may(Permission.MEMBER_READ)}
    return render(request, "settings/index.html", context)


@require_GET
def members(request: PageRequest) -> HttpResponse:
    """The members with their roles, and what each role may do."""
    context = {
        "page_title": "Members",
        "breadcrumbs": crumbs(("Settings", "settings"), here="Members"),
        "members": _members(request.scope),
        "roles": [{"value": role.value, "label": role.label} for role in Role],
        "matrix": list(matrix()),
    }
    return render(request, "settings/members.html", context)


@require_GET
def profile(request: PageRequest) -> HttpResponse:
    """Who is signed in, as what."""
    context = {"page_title": "Your profile", "breadcrumbs": crumbs(("Settings", "settings"), here="Your profile")}
    return render(request, "settings/profile.html", context)


def _members(scope: Scope) -> list[dict[str, object]]:
    scope.require(Permission.MEMBER_READ)
    rows = Membership.objects.filter(organization_id=scope.organization_id).select_related("user")
    return [
        {"user": row.user, "role": Role(row.role).label, "since": row.created_at, "own": row.user_id == scope.actor_id}
        for row in rows.order_by("user__email")
    ]


def matrix() -> Iterator[dict[str, object]]:
    """One line a permission, grouped: what it allows in words, and for each role `yes`, `own` or `no`."""
    before = ""
    for permission in Permission:
        group, words = PERMISSION_WORDS[permission]
        yield {
            "group": group if group != before else "",
            "words": words,
            "code": permission.value,
            "cells": [(role.label, _cell(role, permission)) for role in Role],
        }
        before = group


def _cell(role: Role, permission: Permission) -> str:
    if permission not in role_permissions(role):
        return "no"
    return "own" if role is Role.APPLICATION_OWNER and permission in OWN_APPLICATIONS else "yes"
