"""Roles and permissions: who may do what.

Each permission is one line of one enum, `scope:resource:action`, with its rule as the comment beside
it. `role_permissions` is the whole matrix; pages, API and the documentation are made from it.
"""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What a member of an organization is, from most to least."""

    SUPER_ADMINISTRATOR = "super_administrator"
    APPLICATION_ADMINISTRATOR = "application_administrator"
    APPLICATION_OWNER = "application_owner"
    AUDITOR = "auditor"

    @property
    def label(self) -> str:
        """The role in words."""
        return self.value.replace("_", " ").capitalize()


class Permission(StrEnum):
    """What can be allowed."""

    SOURCE_READ = "organization:data_source:read"
    SOURCE_WRITE = "organization:data_source:write"
    APPLICATION_READ = "organization:application:read"
    APPLICATION_CREATE = "organization:application:create"
    APPLICATION_WRITE = "organization:application:write"
    IMPORT_READ = "application:import:read"
    IMPORT_WRITE = "application:import:write"
    IMPORT_RUN = "application:import:run"
    RUN_DECIDE = "application:run:decide"
    CATALOG_READ = "application:catalog:read"
    CATALOG_EXPORT = "application:catalog:export"
    TOKEN_OWN = "organization:token:own"
    MEMBER_READ = "organization:member:read"
    MEMBER_WRITE = "organization:member:write"
    AUDIT_READ = "organization:audit_event:read"


_READ = frozenset(
    {
        Permission.SOURCE_READ,
        Permission.APPLICATION_READ,
        Permission.IMPORT_READ,
        Permission.CATALOG_READ,
        Permission.CATALOG_EXPORT,
        Permission.MEMBER_READ,
        Permission.TOKEN_OWN,
    }
)
_RUN_IMPORTS = frozenset({Permission.IMPORT_WRITE, Permission.IMPORT_RUN, Permission.RUN_DECIDE})

_MATRIX: dict[Role, frozenset[Permission]] = {
    Role.SUPER_ADMINISTRATOR: frozenset(Permission),
    Role.APPLICATION_ADMINISTRATOR: _READ
    | _RUN_IMPORTS
    | {Permission.APPLICATION_CREATE, Permission.APPLICATION_WRITE},
    Role.APPLICATION_OWNER: _READ | _RUN_IMPORTS,
    Role.AUDITOR: _READ | {Permission.AUDIT_READ},
}


def role_permissions(role: Role) -> frozenset[Permission]:
    """The permissions of `role`."""
    return _MATRIX[role]
