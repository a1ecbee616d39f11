"""Secrets are sealed: unreadable in the database, opened by this installation for the same purpose alone."""

from __future__ import annotations

import pytest
from django.conf import settings

from grantline.control.sealing import seal, unseal
from grantline.errors import SettingInvalid


def test_what_is_sealed_opens_again_and_says_nothing_by_itself() -> None:
    sealed = seal("a client secret", "single sign-on")

    assert "secret" not in sealed
    assert unseal(sealed, "single sign-on") == "a client secret"
    assert seal("a client secret", "single sign-on") != sealed


def test_another_purpose_does_not_open_it() -> None:
    with pytest.raises(SettingInvalid):
        unseal(seal("a client secret", "single sign-on"), "second step")


def test_another_secret_key_does_not_open_it_and_the_remedy_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed = seal("a client secret", "single sign-on")
    monkeypatch.setattr(settings, "SECRET_KEY", "another key, just as long as the other one")

    with pytest.raises(SettingInvalid) as caught:
        unseal(sealed, "single sign-on")

    assert "GRANTLINE_SECRET_KEY" in caught.value.remedy
