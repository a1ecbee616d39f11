"""Settings of the operator: mail, webhooks, the template, and the point at which a test kills a worker."""

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


@pytest.mark.parametrize(
    "url",
    [
        "https://acme-public.s3.eu-west-1.amazonaws.com/grantline-role.yaml",
        "https://s3.eu-west-1.amazonaws.com/acme-public/grantline/role.yaml",
        "https://acme-public.s3.cn-north-1.amazonaws.com.cn/grantline-role.yaml",
    ],
)
def test_the_template_is_an_object_in_s3(tmp_path: Path, url: str) -> None:
    assert loaded(tmp_path, TEMPLATE_URL=url).template_url == url  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "url",
    [
        "http://acme-public.s3.amazonaws.com/role.yaml",
        "https://acme-public.s3.amazonaws.com/",
        "https://s3.amazonaws.com/role.yaml",
        "https://acme-public.s3.amazonaws.com.example.com/role.yaml",
        "https://acme-public.s3.amazonaws.com/role.yaml?versionId=1",
        "https://acme-public.s3.amazonaws.com/role.yaml#x",
        "https://user@acme-public.s3.amazonaws.com/role.yaml",
        "s3://acme-public/role.yaml",
    ],
)
def test_another_template_url_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingInvalid, match="GRANTLINE_TEMPLATE_URL"):
        loaded(tmp_path, TEMPLATE_URL=url)


def test_without_a_template_url_there_is_none(tmp_path: Path) -> None:
    assert loaded(tmp_path).template_url is None  # type: ignore[attr-defined]
