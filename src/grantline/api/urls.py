"""The REST API, `api`, mounted under /api/v1: every noun's routes in one place."""

from __future__ import annotations

from typing import Final

from ninja import Router

from grantline.api import (
    aliases,
    applications,
    audit_events,
    catalog,
    data_sources,
    imports,
    mapping_schema,
    notifications,
    objects,
    organization,
    people,
    runs,
    tokens,
    uploads,
)
from grantline.api.interface import GrantlineApi

ROUTERS: Final[tuple[tuple[str, Router], ...]] = (
    ("/data-sources", data_sources.router),
    ("/data-sources", objects.router),
    ("/applications", applications.router),
    ("/applications", uploads.router),
    ("/applications", catalog.router),
    ("/applications", aliases.router),
    ("", imports.router),
    ("", mapping_schema.router),
    ("/people", people.router),
    ("/runs", runs.router),
    ("/organization", organization.router),
    ("/audit-events", audit_events.router),
    ("", notifications.router),
    ("/tokens", tokens.router),
)

api: Final = GrantlineApi()
for prefix, router in ROUTERS:
    api.add_router(prefix, router)
