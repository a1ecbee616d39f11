"""Signing in and out, as somebody at a browser does it."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.e2e.conftest import NewContext, sign_in
from tests.e2e.site import Site

WRONG = "The e-mail address or the password is not right."


def try_to_sign_in(page: Page, email: str, password: str) -> None:
    page.goto("/sign-in")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_wrong_password_and_unknown_address_read_the_same(new_context: NewContext, grantline: Site) -> None:
    page = new_context().new_page()
    for email in (grantline.email, "nobody@example.com"):
        try_to_sign_in(page, email, "not the password")
        expect(page.get_by_role("alert")).to_have_text(WRONG)
        expect(page.get_by_label("E-mail")).to_have_value(email)
        expect(page.get_by_label("Password")).to_have_value("")


def test_it_leads_to_where_one_wanted_to_go_and_out_again(new_context: NewContext, grantline: Site) -> None:
    page = new_context().new_page()
    page.goto("/applications")
    expect(page).to_have_url(f"{grantline.url}/sign-in?next=%2Fapplications")
    page.get_by_label("E-mail").fill(grantline.email)
    page.get_by_label("Password").fill(grantline.password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Applications")
    page.get_by_label(f"Your account, {grantline.email}").click()
    page.get_by_role("button", name="Sign out").click()
    page.goto("/applications")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_the_overview_comes_first(new_context: NewContext, grantline: Site) -> None:
    page = new_context().new_page()
    sign_in(page, grantline)
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    expect(page).to_have_title("Overview · Example Corp · Grantline")
