"""The matrix of roles on the members' page is the one that the rules use."""

from __future__ import annotations

from grantline.control.organizations.roles import Permission, Role, role_permissions
from grantline.web.settings.views import PERMISSION_WORDS, matrix


def test_every_permission_has_words_and_every_cell_is_the_rules() -> None:
    assert set(PERMISSION_WORDS) == set(Permission)
    lines = {line["code"]: dict(line["cells"]) for line in matrix()}  # type: ignore[call-overload]
    for permission in Permission:
        for role in Role:
            assert (lines[permission.value][role.label] != "no") is (permission in role_permissions(role))


def test_what_an_owner_may_do_for_their_own_applications_is_marked() -> None:
    lines = {line["code"]: dict(line["cells"]) for line in matrix()}  # type: ignore[call-overload]

    assert lines[Permission.RUN_DECIDE.value]["Application owner"] == "own"
    assert lines[Permission.IMPORT_READ.value]["Application owner"] == "yes"
