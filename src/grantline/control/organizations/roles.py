"""Roles and permissions: who may do what.

Each permission is one line of one enum, `scope:resource:action`; `PERMISSION_WORDS` says what it allows.
`reach` is the whole matrix: pages, API and the documentation are made from it. "Own" means applications
that the member owns or created, and no others; `applications.rules.require` applies that.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Final, Literal

Reach = Literal["yes", "own", "no"]


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
    SIGN_IN_WRITE = "organization:sign_in:write"
    AUDIT_READ = "organization:audit_event:read"


PERMISSION_WORDS: Final = {
    Permission.SOURCE_READ: ("Data sources", "See data sources, their checks, policies and files"),
    Permission.SOURCE_WRITE: ("Data sources", "Add, connect, change, check and delete data sources"),
    Permission.APPLICATION_READ: ("Applications", "See applications"),
    Permission.APPLICATION_CREATE: ("Applications", "Create applications"),
    Permission.APPLICATION_WRITE: ("Applications", "Change and delete applications"),
    Permission.IMPORT_READ: ("Imports", "See imports, runs and issues"),
    Permission.IMPORT_WRITE: ("Imports", "Create, change and delete imports, upload files, preview"),
    Permission.IMPORT_RUN: ("Imports", "Sync, pause and resume imports"),
    Permission.RUN_DECIDE: ("Imports", "Approve or discard held runs"),
    Permission.CATALOG_READ: ("Catalog", "See accounts, entitlements and grants, now and on past days"),
    Permission.CATALOG_EXPORT: ("Catalog", "Download accounts, entitlements and grants"),
    Permission.TOKEN_OWN: ("Organization", "Make and revoke API tokens of one's own"),
    Permission.MEMBER_READ: ("Organization", "See members and roles"),
    Permission.MEMBER_WRITE: ("Organization", "Add and remove members, change roles, revoke everybody's tokens"),
    Permission.SIGN_IN_WRITE: ("Organization", "Set up single sign-on"),
    Permission.AUDIT_READ: ("Organization", "Read the audit log"),
}
"""For each permission its group, and what it allows."""

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
_OWN: dict[Role, frozenset[Permission]] = {
    Role.APPLICATION_ADMINISTRATOR: _RUN_IMPORTS | {Permission.APPLICATION_WRITE},
    Role.APPLICATION_OWNER: _RUN_IMPORTS,
}
"""What a role allows for the member's own applications only."""


def role_permissions(role: Role) -> frozenset[Permission]:
    """The permissions of `role`."""
    return _MATRIX[role]


def reach(role: Role, permission: Permission) -> Reach:
    """How far `role` allows `permission`: everywhere, for the member's own applications, or not at all."""
    if permission not in _MATRIX[role]:
        return "no"
    return "own" if permission in _OWN.get(role, ()) else "yes"


def matrix_lines() -> Iterator[str]:
    """The matrix as the lines of a Markdown table; docs/reference/roles.md holds exactly these."""
    yield "| permission | what it allows | " + " | ".join(role.label for role in Role) + " |"
    yield "|---" * (2 + len(Role)) + "|"
    words = {"yes": "yes", "own": "own", "no": "–"}
    for permission, (_group, allows) in PERMISSION_WORDS.items():
        cells = " | ".join(words[reach(role, permission)] for role in Role)
        yield f"| `{permission.value}` | {allows[0].lower()}{allows[1:]} | {cells} |"
