"""Applications: what people have accounts in."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime

from ninja import Router, Status
from pydantic import Field, StrictStr

from grantline.api.bearer import ApiRequest
from grantline.api.bodies import Body
from grantline.api.documents import Counts, Document, text
from grantline.api.openapi import answers
from grantline.api.pages import Cursor, Limit, Page, page
from grantline.catalog.model import Counts as CatalogCounts
from grantline.control.applications import rules
from grantline.control.applications.models import Application

router = Router(tags=["applications"])


class ApplicationDocument(Document):
    """An application."""

    id: str
    name: str
    description: str | None
    owner_email: str | None
    created_at: datetime
    created_by: str
    import_count: int
    counts: Counts = Field(description="What its imports' current versions hold, added up.")


class NewApplication(Body):
    """What an application begins with."""

    name: StrictStr
    description: StrictStr = ""
    owner_email: StrictStr = Field(default="", description="A member of the organization.")


class ApplicationChange(Body):
    """What may change; an empty owner_email takes the owner away."""

    name: StrictStr = Field(default=None)  # type: ignore[assignment] # absent, never null
    description: StrictStr = Field(default=None)  # type: ignore[assignment]
    owner_email: StrictStr | None = None


@router.post("", response=answers(201, ApplicationDocument, body=True))
def create_application(request: ApiRequest, body: NewApplication) -> Status[ApplicationDocument]:
    """Make an application."""
    made = rules.create(request.scope, body.name, description=body.description, owner_email=body.owner_email)
    return Status(201, _document(made))


@router.get("", response=answers(200, Page[ApplicationDocument]))
def list_applications(request: ApiRequest, limit: Limit, cursor: Cursor) -> Page[ApplicationDocument]:
    """List applications by name."""
    rows = rules.list_applications(request.scope)
    return page(rows, ("name", "id"), _document, limit=limit, cursor=cursor)


@router.get("/{application_id}", response=answers(200, ApplicationDocument, 404))
def read_application(request: ApiRequest, application_id: str) -> ApplicationDocument:
    """Read an application."""
    return _document(rules.read(request.scope, application_id))


@router.patch("/{application_id}", response=answers(200, ApplicationDocument, 404, body=True))
def change_application(request: ApiRequest, application_id: str, body: ApplicationChange) -> ApplicationDocument:
    """Change an application."""
    return _document(rules.change(request.scope, application_id, body.model_dump(exclude_unset=True)))


@router.delete("/{application_id}", response=answers(204, None, 404, 409))
def delete_application(request: ApiRequest, application_id: str) -> Status[None]:
    """Delete an application that has no imports."""
    rules.delete(request.scope, application_id)
    return Status(204, None)


def _document(application: Application) -> ApplicationDocument:
    imports = list(application.imports.all())
    versions = [item.current_version.counts for item in imports if item.current_version]
    names = [field.name for field in fields(CatalogCounts)]
    return ApplicationDocument(
        id=application.pk,
        name=application.name,
        description=text(application.description),
        owner_email=application.owner.email if application.owner else None,
        created_at=application.created_at,
        created_by=application.created_by,
        import_count=len(imports),
        counts=Counts(**{name: sum(counts.get(name, 0) for counts in versions) for name in names}),
    )
