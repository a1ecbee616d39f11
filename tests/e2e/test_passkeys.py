"""A new member from link to passkey: set a password, make a passkey, sign in with it and with it alone.

The authenticator is Chromium's own virtual one; the pages, the script and the server's checks are real.
Browsers take passkeys for localhost, not for 127.0.0.1.
"""

from __future__ import annotations

import itertools
import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import NewContext
from tests.e2e.site import Site

NEW_PASSWORD = "four words nobody says"
_numbers = itertools.count()


@pytest.fixture
def address(grantline: Site) -> str:
    """The address under which browsers take passkeys."""
    return grantline.url.replace("127.0.0.1", "localhost")


@pytest.fixture
def email(page: Page) -> str:
    """The address of a new member who has followed their link."""
    found = f"member{next(_numbers)}@example.com"
    page.goto("/settings/members")
    page.get_by_label("E-mail").fill(found)
    page.get_by_role("button", name="Add the member").click()
    link = page.locator(".new-token .copy-value__text").inner_text()
    page.goto("/settings/members")
    assert link not in page.content()
    page.context.clear_cookies()
    page.goto(link)
    page.get_by_label("New password").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_text("Your password is set")).to_be_visible()
    return found


@pytest.fixture
def visitor(new_context: NewContext) -> Page:
    """A browser with an authenticator of its own."""
    page = new_context().new_page()
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    options |= {"isUserVerified": True, "automaticPresenceSimulation": True}
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return page


def first_step(page: Page, address: str, email: str) -> None:
    page.goto(f"{address}/sign-in")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def sign_out(page: Page) -> None:
    page.get_by_label(re.compile("^Your account")).click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_a_passkey_is_the_second_step_and_signs_in_alone(visitor: Page, address: str, email: str) -> None:
    first_step(visitor, address, email)
    expect(visitor.get_by_role("heading", level=1)).to_have_text("Overview")
    visitor.goto(f"{address}/settings/security/set-up")
    visitor.get_by_label("Name of the passkey").fill("Laptop")
    visitor.get_by_role("button", name="Make a passkey").click()
    expect(visitor.get_by_role("heading", level=1)).to_have_text("Keep these recovery codes")
    visitor.get_by_role("link", name="I have kept them").click()
    visitor.goto(f"{address}/settings/security")
    expect(visitor.get_by_role("button", name="Remove Laptop")).to_be_visible()

    sign_out(visitor)
    first_step(visitor, address, email)
    expect(visitor.get_by_role("heading", level=1)).to_have_text("Second step")
    visitor.get_by_role("button", name="Use a passkey").click()
    expect(visitor.get_by_role("heading", level=1)).to_have_text("Overview")

    sign_out(visitor)
    visitor.get_by_role("button", name="Use a passkey").click()
    expect(visitor.get_by_role("heading", level=1)).to_have_text("Overview")
    visitor.goto(f"{address}/settings/profile")
    expect(visitor.locator("dd", has_text=email)).to_be_visible()


def test_a_passkey_that_nobody_has_here_is_refused(visitor: Page, address: str, email: str) -> None:
    """The authenticator keeps a passkey that was removed here."""
    first_step(visitor, address, email)
    expect(visitor.get_by_role("heading", level=1)).to_have_text("Overview")
    visitor.goto(f"{address}/settings/security/set-up")
    visitor.get_by_role("button", name="Make a passkey").click()
    visitor.get_by_role("link", name="I have kept them").click()
    visitor.goto(f"{address}/settings/security")
    visitor.get_by_role("button", name="Remove Passkey").click()
    sign_out(visitor)

    visitor.get_by_role("button", name="Use a passkey").click()

    expect(visitor.get_by_text("The passkey was not accepted")).to_be_visible()


def test_passkeys_are_not_offered_for_a_bare_address(page: Page, grantline: Site) -> None:
    page.goto("/settings/security/set-up")

    expect(page.get_by_text("http://localhost")).to_be_visible()
    expect(page.get_by_role("button", name="Make a passkey")).to_have_count(0)
