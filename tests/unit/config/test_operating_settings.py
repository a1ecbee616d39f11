"""Settings of the operator: mail, webhooks, and the point at which a test kills a worker."""

from __future__ import annotations

from pathlib import Path

import pytest

from grantline.config.settings import load
from grantline.errors import SettingInvalid


def loaded(tmp_path: Path, **given: str) -> object:
    return load({"GRANTLINE_DATA_DIR": str(tmp_path), **{f"GRANTLINE_{name}": value for name, value in given.items()}})


def test_a_crash_is_refused_outside_debug_mode(tmp_path: Path) -> None:
    with pytest.raises(SettingInvalid, match="for tests alone"):
        loaded(tmp_path, CRASH_AT="claimed")
    assert loaded(tmp_path, CRASH_AT="claimed", DEBUG="true").crash_at == "claimed"  # type: ignore[attr-defined]
    assert loaded(tmp_path).crash_at == ""  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "url", ["mail.example.com", "http://mail.example.com", "smtp://", "smtp://host:port", "smtp://h/x"]
)
def test_a_mail_server_that_cannot_be_used_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingInvalid, match="GRANTLINE_EMAIL_URL"):
        loaded(tmp_path, EMAIL_URL=url)


def test_a_mail_server_is_kept_out_of_the_repr(tmp_path: Path) -> None:
    settings = loaded(tmp_path, EMAIL_URL="smtps://user:secret-word@mail.example.com")
    assert "secret-word" not in repr(settings)
