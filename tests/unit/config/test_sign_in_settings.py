"""The settings of signing in: safe by default, refused where they are not understood."""

from __future__ import annotations

from pathlib import Path

import pytest

from grantline.config.settings import load
from grantline.errors import SettingInvalid


def test_by_default_super_administrators_need_a_second_step_and_providers_are_public(tmp_path: Path) -> None:
    found = load({"GRANTLINE_DATA_DIR": str(tmp_path)})

    assert found.require_mfa == "super_administrators"
    assert found.allow_private_issuers is False


@pytest.mark.parametrize("whose", ["super_administrators", "everybody", "nobody"])
def test_whose_sign_in_needs_a_second_step(tmp_path: Path, whose: str) -> None:
    assert load({"GRANTLINE_DATA_DIR": str(tmp_path), "GRANTLINE_REQUIRE_MFA": whose}).require_mfa == whose


@pytest.mark.parametrize("name", ["REQUIRE_MFA", "ALLOW_PRIVATE_ISSUERS"])
def test_a_word_that_is_not_understood_stops_the_start(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingInvalid, match=f"GRANTLINE_{name}"):
        load({"GRANTLINE_DATA_DIR": str(tmp_path), f"GRANTLINE_{name}": "maybe"})
