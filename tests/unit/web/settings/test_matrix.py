"""The matrix of roles on the roles' page is the one that the rules use."""

from __future__ import annotations

from grantline.control.organizations.roles import PERMISSION_WORDS, Permission, Role, reach
from grantline.web.settings.views import matrix


def test_every_permission_is_one_line_and_every_cell_is_the_rules() -> None:
    lines = {line["code"]: dict(line["cells"]) for line in matrix()}  # type: ignore[call-overload]
    assert list(lines) == [permission.value for permission in Permission]
    for permission in Permission:
        for role in Role:
            assert lines[permission.value][role.label] == reach(role, permission)


def test_a_group_is_named_once() -> None:
    groups = [line["group"] for line in matrix() if line["group"]]
    assert groups == list(dict.fromkeys(group for group, _words in PERMISSION_WORDS.values()))
