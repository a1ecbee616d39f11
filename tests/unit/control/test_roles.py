"""The matrix of roles is one source: the rules, the page and the documentation say the same."""

from __future__ import annotations

from pathlib import Path

from grantline.control.organizations.roles import (
    PERMISSION_WORDS,
    Permission,
    Role,
    matrix_lines,
    reach,
    role_permissions,
)

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "roles.md"


def test_every_permission_has_words_and_every_cell_is_the_rules() -> None:
    assert list(PERMISSION_WORDS) == list(Permission)
    for permission in Permission:
        for role in Role:
            assert (reach(role, permission) != "no") is (permission in role_permissions(role))


def test_the_documentation_holds_the_matrix_line_by_line() -> None:
    said = [
        line
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith(("| permission", "| `o", "| `a"))
    ]
    said = [line for line in said if line.count("|") == 7]

    assert said == [line for line in matrix_lines() if not line.startswith("|---")]


def test_an_auditor_reads_everything_and_changes_nothing() -> None:
    allowed = {permission.value.rsplit(":", 1)[1] for permission in role_permissions(Role.AUDITOR)}

    assert allowed <= {"read", "export", "own"}
    assert {p for p in Permission if p.value.endswith(":read")} <= role_permissions(Role.AUDITOR)


def test_administrators_and_owners_reach_their_own_applications_only() -> None:
    changes = (Permission.IMPORT_WRITE, Permission.IMPORT_RUN, Permission.RUN_DECIDE)
    for permission in changes:
        assert reach(Role.APPLICATION_ADMINISTRATOR, permission) == "own"
        assert reach(Role.APPLICATION_OWNER, permission) == "own"
    assert reach(Role.APPLICATION_ADMINISTRATOR, Permission.APPLICATION_WRITE) == "own"
    assert reach(Role.SUPER_ADMINISTRATOR, Permission.APPLICATION_WRITE) == "yes"
