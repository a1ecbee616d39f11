"""Tenant scope: whose things a caller may see, and the one place where that is applied.

In: who is calling (a session, a token, the command line, the worker). Out: querysets that hold only
that organization's rows. Invariant: every query for a customer's things outside this module starts
with `scoped`; nothing else filters by organization. An id of another organization is answered exactly
like one that does not exist.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from django.db import models

from grantline.control.organizations.roles import Permission, Role, role_permissions
from grantline.errors import NotAllowed, NotFound


class Owned(models.Model):
    """A thing that belongs to one organization. Every table that holds a customer's things has this."""

    organization = models.ForeignKey("control.Organization", on_delete=models.PROTECT, related_name="+")

    class Meta:
        abstract = True


@dataclass(frozen=True)
class Scope:
    """Who acts, for which organization, with which role, from where.

    `actor_name` is kept beside the id in the audit log, so that it still says who after the person is
    gone. `via` is `session`, `token`, `cli` or `worker`.
    """

    organization_id: str
    actor_id: str | None
    actor_name: str
    role: Role
    via: str = "session"
    address: str | None = None

    def may(self, permission: Permission) -> bool:
        """Whether the role allows `permission`."""
        return permission in role_permissions(self.role)

    def require(self, permission: Permission) -> None:
        """Raises: `NotAllowed` unless the role allows `permission`."""
        if not self.may(permission):
            raise NotAllowed(f"The role {self.role.label} does not allow this ({permission.value}).")


Row = TypeVar("Row", bound=Owned)


class HasOrganization(Protocol):
    """Anything that names an organization."""

    @property
    def organization_id(self) -> str: ...


def scoped(model: type[Row], scope: HasOrganization) -> models.QuerySet[Row]:
    """The rows of `model` that belong to the scope's organization."""
    return model._default_manager.filter(organization_id=scope.organization_id)


def get(
    model: type[Row],
    scope: HasOrganization,
    public_id: str,
    *,
    related: Iterable[str] = (),
    lock: bool = False,
) -> Row:
    """One row of the scope's organization by its public id, or by unique fields.

    `lock` takes the row's lock until the transaction ends. Raises: `NotFound`, whether the id does not
    exist or belongs to somebody else.
    """
    rows: Any = scoped(model, scope).select_related(*related) if related else scoped(model, scope)
    if lock:
        rows = rows.select_for_update(of=("self",))
    found = rows.filter(pk=str(public_id)[:64].replace("\x00", "")).first()
    if found is None:
        raise NotFound(f"There is no {model._meta.verbose_name} {str(public_id)[:64]!r} in your organization.")
    return found  # type: ignore[no-any-return]
