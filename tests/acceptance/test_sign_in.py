"""A Grantline as it is started by default leads its first Super Administrator to a second step."""

from __future__ import annotations

import http.cookiejar
import re
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from tests.acceptance.processes import Serve, grantline

pytestmark = pytest.mark.acceptance
PASSWORD = "an unlikely sentence 17"


def test_the_first_administrator_is_led_to_a_second_step(tmp_path: Path) -> None:
    folder, settings = tmp_path / "data", {"GRANTLINE_REQUIRE_MFA": ""}
    serve = Serve(folder, **settings)
    try:
        serve.wait_until_ready()
        made = grantline(
            *("create-admin", "--organization", "Example", "--email", "admin@example.com", "--password-stdin"),
            data_dir=folder,
            given=PASSWORD + "\n",
        )
        assert made.returncode == 0, made.stderr
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        page = browser.open(f"{serve.url}/sign-in", timeout=10).read().decode()
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert token
        form = {"email": "admin@example.com", "password": PASSWORD, "csrfmiddlewaretoken": token.group(1)}
        with browser.open(f"{serve.url}/sign-in", urllib.parse.urlencode(form).encode(), timeout=10) as answer:
            assert answer.url == f"{serve.url}/settings/security/set-up"
        with browser.open(f"{serve.url}/settings/tokens", timeout=10) as answer:
            assert answer.url == f"{serve.url}/settings/security/set-up"
    finally:
        serve.stop()
