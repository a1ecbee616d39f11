"""API tokens in the browser: shown once, used, revoked."""

from __future__ import annotations

import urllib.error
import urllib.request

from playwright.sync_api import Page, expect

from tests.e2e.site import Site


def answered(grantline: Site, token: str) -> int:
    """The status that the API answers a token with."""
    request = urllib.request.Request(
        f"{grantline.url}/api/v1/applications", headers={"Authorization": f"Bearer {token}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_a_token_is_shown_once_works_and_can_be_revoked(page: Page, grantline: Site) -> None:
    page.goto("/settings/tokens")
    form = page.locator("form[action='/settings/tokens']")
    form.get_by_label("Name").fill("Nightly report")
    form.get_by_role("button", name="Make token").click()
    token = page.locator(".new-token .copy-value__text").inner_text()
    assert token.startswith("glt_")
    assert answered(grantline, token) == 200
    page.goto("/settings/tokens")
    expect(page.locator(".new-token")).to_have_count(0)
    assert token not in page.content()
    row = page.get_by_role("row", name="Nightly report")
    row.get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke the token").click()
    expect(page.get_by_role("row", name="Nightly report")).to_contain_text("Revoked")
    assert answered(grantline, token) == 401


def test_the_theme_can_be_chosen_and_stays(page: Page, grantline: Site) -> None:
    page.goto("/")
    page.get_by_label(f"Your account, {grantline.email}").click()
    page.get_by_role("button", name="Dark").first.click()
    page.goto("/settings")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
