"""Without a mouse: from signing in to the wizard's last step, and every focus can be seen."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import NewContext
from tests.e2e.site import Site

MOST_TABS = 60
OUTLINE = "element => getComputedStyle(element).outlineStyle + getComputedStyle(element).outlineWidth"


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until `wanted` has the focus; whatever had it on the way showed it."""
    element = wanted.element_handle()
    for _ in range(MOST_TABS):
        if element.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
        assert page.locator(":focus").evaluate(OUTLINE) == "solid2px", page.locator(":focus").evaluate(
            "e => e.outerHTML"
        )
    raise AssertionError(f"not reached within {MOST_TABS} Tabs: {wanted}")


def press(page: Page, wanted: Locator, key: str = "Enter") -> None:
    """Go to `wanted` by Tab and press `key` on it."""
    tab_to(page, wanted)
    page.keyboard.press(key)


def fill(page: Page, wanted: Locator, text: str) -> None:
    """Go to a field by Tab, and type."""
    tab_to(page, wanted)
    page.keyboard.press("Control+a")
    page.keyboard.type(text)


def test_from_signing_in_to_the_wizard(new_context: NewContext, grantline: Site) -> None:
    page = new_context().new_page()
    page.goto("/sign-in")
    expect(page.get_by_label("E-mail")).to_be_focused()
    page.keyboard.type(grantline.email)
    fill(page, page.get_by_label("Password"), grantline.password)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    press(page, page.get_by_role("navigation", name="Main", exact=True).get_by_role("link", name="Integrations"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Data sources")
    opener = page.locator("[data-opens=add-source]")
    if opener.count():
        press(page, opener)
    form = page.locator("form[action='/integrations/data-sources']")
    fill(page, form.get_by_label("Name"), "By keyboard")
    page.keyboard.press("Enter")
    page.wait_for_url("**/setup/external-id")
    press(page, page.get_by_role("link", name="Next: role in AWS"))
    fill(page, page.locator("main [name=bucket]"), "keyboard-exports")
    page.keyboard.press("Enter")
    expect(page.locator("#policies")).to_contain_text("arn:aws:s3:::keyboard-exports")
    press(page, page.get_by_role("link", name="Next: connect"))
    fill(page, page.get_by_label("Role ARN"), "arn:aws:iam::222222222222:role/ByKeyboard")
    press(page, page.get_by_role("button", name="Save without checking"))
    expect(page.get_by_label("Role ARN")).to_have_value("arn:aws:iam::222222222222:role/ByKeyboard")


def test_menus_and_dialogs_close_with_escape_and_give_the_focus_back(page: Page) -> None:
    page.goto("/applications")
    summary = page.locator(".as-of__button")
    press(page, summary)
    expect(page.get_by_label("Show everything as of")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_label("Show everything as of")).to_be_hidden()
    expect(summary).to_be_focused()
    page.goto("/integrations/data-sources")
    opener = page.locator("[data-opens=add-source]")
    if opener.count():
        press(page, opener)
        expect(page.get_by_role("dialog")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_be_hidden()
        expect(opener).to_be_focused()


def test_slash_goes_to_the_search_but_not_while_typing(page: Page) -> None:
    page.goto("/applications/new")
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.type("a/b")
    expect(page.get_by_label("Name")).to_have_value("a/b")
    page.get_by_role("heading", level=1).click()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox").first).to_be_focused()
    expect(page.get_by_role("searchbox").first).to_have_value("")
