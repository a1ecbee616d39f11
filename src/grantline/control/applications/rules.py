"""Rules of applications: their names, their owners, and what an owner may do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import models, transaction

from grantline.control.applications.models import Application
from grantline.control.audit.rules import Action, record
from grantline.control.organizations.models import User
from grantline.control.organizations.roles import Permission, Role, reach
from grantline.control.tenancy import Scope, get, scoped
from grantline.errors import Conflict, InputInvalid, NotAllowed

FIELDS = ("name", "description", "owner_email")


@transaction.atomic
def create(scope: Scope, name: str, *, description: str = "", owner_email: str = "") -> Application:
    """A new application. Raises: `InputInvalid` naming the field."""
    scope.require(Permission.APPLICATION_CREATE)
    application = Application(
        organization_id=scope.organization_id,
        name=_valid_name(scope, name),
        description=_valid_description(description),
        owner=_valid_owner(scope, owner_email),
        created_by=scope.actor_name,
    )
    application.save(force_insert=True)
    record(scope, Action.APPLICATION_CREATE, application, name=application.name)
    return application


def list_applications(scope: Scope) -> models.QuerySet[Application]:
    """The organization's applications by name, with their imports and current versions."""
    scope.require(Permission.APPLICATION_READ)
    rows = scoped(Application, scope).select_related("owner")
    return rows.prefetch_related("imports__current_version").order_by("name", "id")


def read(scope: Scope, application_id: str) -> Application:
    """One application. Raises: `NotFound`."""
    scope.require(Permission.APPLICATION_READ)
    return get(Application, scope, application_id, related=["owner"])


def require(scope: Scope, application: Application, permission: Permission) -> None:
    """Raises: `NotAllowed` unless the scope's role allows `permission` for this application.

    Where the role reaches the member's own applications only, these are the ones they own; an
    Application Administrator's also the ones they created.
    """
    scope.require(permission)
    if reach(scope.role, permission) == "own" and not _is_own(scope, application):
        raise NotAllowed(f"The application {application.name} has another owner.")


def _is_own(scope: Scope, application: Application) -> bool:
    if application.owner_id is not None and application.owner_id == scope.actor_id:
        return True
    return scope.role is Role.APPLICATION_ADMINISTRATOR and application.created_by == scope.actor_name


def may(scope: Scope, application: Application, permission: Permission) -> bool:
    """Whether `require` would pass; for pages that leave out what is not allowed."""
    try:
        require(scope, application, permission)
    except NotAllowed:
        return False
    return True


@transaction.atomic
def change(scope: Scope, application_id: str, values: Mapping[str, Any]) -> Application:
    """Store new values of any of `FIELDS`. Raises: `InputInvalid`, `NotFound`, `NotAllowed`."""
    application = get(Application, scope, application_id, lock=True)
    require(scope, application, Permission.APPLICATION_WRITE)
    before = {"name": application.name, "owner": application.owner.email if application.owner else None}
    for field, value in values.items():
        if field == "name":
            application.name = _valid_name(scope, value, besides=application)
        elif field == "description":
            application.description = _valid_description(value)
        elif field == "owner_email":
            application.owner = _valid_owner(scope, value)
        else:
            raise InputInvalid(f"An application has no field {field!r} that can be changed.", field=field)
    application.save()
    after = {"name": application.name, "owner": application.owner.email if application.owner else None}
    record(scope, Action.APPLICATION_CHANGE, application, name=application.name, before=before, after=after)
    return application


@transaction.atomic
def delete(scope: Scope, application_id: str) -> None:
    """Remove an application. Raises: `Conflict` while it has imports."""
    application = get(Application, scope, application_id, lock=True)
    require(scope, application, Permission.APPLICATION_WRITE)
    count = application.imports.count()
    if count:
        raise Conflict(
            f"The application {application.name} still has {count} import{'s' if count > 1 else ''}.",
            remedy="Delete its imports first; that removes their history too.",
        )
    record(scope, Action.APPLICATION_DELETE, application, name=application.name)
    application.delete()


def _valid_name(scope: Scope, name: Any, *, besides: Application | None = None) -> str:
    text = name.strip() if isinstance(name, str) else ""
    if not 1 <= len(text) <= 200 or any(not character.isprintable() for character in text):
        raise InputInvalid("The name must have 1 to 200 printable characters.", field="name")
    if scoped(Application, scope).filter(name=text).exclude(pk=besides.pk if besides else "").exists():
        raise InputInvalid(f"There is already an application named {text!r}.", field="name")
    return text


def _valid_description(text: Any) -> str:
    if not isinstance(text, str) or len(text) > 2000 or "\x00" in text:
        raise InputInvalid("The description must be text of at most 2,000 characters.", field="description")
    return text.strip()


def _valid_owner(scope: Scope, email: Any) -> User | None:
    if not email:
        return None
    owner = User.objects.filter(
        email__iexact=str(email).strip(), memberships__organization_id=scope.organization_id
    ).first()
    if owner is None:
        raise InputInvalid(f"Nobody with the e-mail address {email} is a member here.", field="owner_email")
    return owner
