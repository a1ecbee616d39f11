"""The organization: what holds for all of its imports."""

from __future__ import annotations

from typing import Annotated

from ninja import Query, Router
from pydantic import Field, StrictFloat, StrictInt

from grantline.api.bearer import ApiRequest
from grantline.api.bodies import Body
from grantline.api.documents import Document
from grantline.api.openapi import answers
from grantline.api.retention import RetentionEffect, RetentionPreview, retention_preview
from grantline.control.organizations import settings
from grantline.control.organizations.models import Organization

router = Router(tags=["organization"])


class OrganizationDocument(Document):
    """The organization of the token, and what its imports take from it."""

    id: str
    name: str
    guard_share: float
    guard_count: int
    guard_growth_share: float | None = Field(description="Null: growth is not limited.")
    retention_days: int | None = Field(description="Null: every version is kept.")


class OrganizationChange(Body):
    """What may change."""

    guard_share: StrictFloat = Field(default=None, description="0 to 1.")  # type: ignore[assignment] # absent, never null
    guard_count: StrictInt = Field(default=None)  # type: ignore[assignment]
    guard_growth_share: StrictFloat | None = Field(default=None, description="Null: growth is not limited.")
    retention_days: StrictInt | None = Field(default=None, description="Null: every version is kept.")


@router.get("", response=answers(200, OrganizationDocument))
def read_organization(request: ApiRequest) -> OrganizationDocument:
    """Read the organization."""
    return _document(settings.read(request.scope))


@router.patch("", response=answers(200, OrganizationDocument, body=True))
def change_organization(request: ApiRequest, body: OrganizationChange) -> OrganizationDocument:
    """Change what holds for every import that has no value of its own."""
    return _document(settings.change(request.scope, body.model_dump(exclude_unset=True)))


@router.get("/retention", response=answers(200, RetentionPreview, 503))
def preview_retention(
    request: ApiRequest, days: Annotated[int, Query(0, ge=0, le=36525, description="0: everything is kept.")]
) -> RetentionPreview:
    """Say what keeping this many days would remove, before it is stored."""
    effects = settings.retention_effects(request.scope, days)
    return retention_preview(days, [RetentionEffect.model_validate(vars(effect)) for effect in effects])


def _document(organization: Organization) -> OrganizationDocument:
    return OrganizationDocument(
        id=organization.pk,
        name=organization.name,
        guard_share=organization.guard_share,
        guard_count=organization.guard_count,
        guard_growth_share=organization.guard_growth_share,
        retention_days=organization.retention_days,
    )
