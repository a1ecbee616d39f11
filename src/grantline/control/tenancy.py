"""Tenant scope: whose things a caller may see, and the one place where that is applied.

In: who is calling (a session, a token, the command line, the worker). Out: querysets that hold only
that organization's rows. Invariant: every query for a customer's things outside this module starts
with `scoped`; nothing else filters by organization. An id of another organization is answered exactly
like one that does not exist. Behind this wall stands a second one, in the database (`isolation`): a
request or task says whose things it is about with `acting_for` (or `enter`, within a request), and the
database shows nothing else; work across all organizations says why, with `system_scope`.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from django.db import models

from grantline.control import isolation
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


class OutsideTenant(RuntimeError):
    """A fault of ours: one organization's rows were asked for while the database shows none, or another's."""


def acting_for(owner: HasOrganization) -> AbstractContextManager[None]:
    """The database shows the rows of `owner`'s organization (a scope's, a run's), and no other."""
    return isolation.showing(owner.organization_id)


def system_scope(reason: str) -> AbstractContextManager[None]:
    """The database shows the rows of every organization, for work that is nobody's own.

    `reason` says why one organization's view is not enough. Keep the block short and read what it finds
    within it; every use is on the list of `tests/unit/test_tenancy_lint.py`.
    """
    if not reason.strip():
        raise ValueError("work across organizations needs a reason")
    return isolation.showing(isolation.EVERYBODY)


def request_boundary() -> AbstractContextManager[None]:
    """Around a request: at first nobody's rows are shown, and whoever `enter`s goes with its end."""
    return isolation.showing(isolation.NOBODY)


def enter(owner: HasOrganization) -> None:
    """From here to the end of the request the database shows the rows of `owner`'s organization."""
    isolation.show(owner.organization_id)


def scoped(model: type[Row], scope: HasOrganization) -> models.QuerySet[Row]:
    """The rows of `model` that belong to the scope's organization.

    Raises: `OutsideTenant` where the database shows other rows than these.
    """
    if isolation.shown() not in (scope.organization_id, isolation.EVERYBODY):
        raise OutsideTenant("say first whose things this is about: with tenancy.acting_for(scope): …")
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
