"""Every page, looked at by a machine: accessible, within its width, and quiet in the console.

In: one organization with something of everything in it. Each page is opened once and measured in both
themes, at the width of a desk and of a telephone.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, StorageState, expect

from tests.e2e.conftest import NewContext
from tests.e2e.site import Site, staff_file

BAD = ("serious", "critical")
RULES = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
DESK, TABLET, TELEPHONE = 1280, 820, 390
WIDTHS = (DESK, TABLET, TELEPHONE)
MANY = tuple(f"person-{number:02d}" for number in range(40))
LONG = "a-name-without-a-space-" * 6
SCRIPT = Axe().axe_script


@pytest.fixture(scope="module")
def addresses(grantline: Site, session: StorageState, browser: Any) -> dict[str, str]:
    """A page of every kind and its address; what is behind them is made here."""
    bucket = "every-page-exports"
    extra = f',x@example.com,No id,Active,A,1\n{LONG},,"{LONG}",Disabled,"{LONG}",1\n'
    source = grantline.connected("Every page exports", bucket, staff=staff_file(*MANY, extra=extra))
    application = grantline.application("Every page")
    item = grantline.imported(application, source, "exports/staff.csv")
    published = runs(grantline, item)[0]["id"]
    unchanged = grantline.sync(item)["id"]
    grantline.put(bucket, "exports/staff.csv", b'User ID,Full Name\nu1,"never closed\n')
    failed = grantline.sync(item)["id"]
    grantline.put(bucket, "exports/staff.csv", staff_file(*MANY[:10]))
    held = grantline.sync(item)["id"]
    fresh = grantline.product.call("POST", "/data-sources", {"name": f"Just begun {LONG}"})["id"]
    empty = grantline.application(f"Empty {LONG}")
    one, two = f"/applications/{application}", f"/applications/{empty}"
    setup = f"/integrations/data-sources/{fresh}/setup"
    drafts = draft_addresses(browser, grantline, session, f"{two}/imports/new", source)
    return {
        "overview": "/",
        "sources": "/integrations/data-sources",
        "source": f"/integrations/data-sources/{source}",
        "source, begun": f"/integrations/data-sources/{fresh}",
        "source, change": f"/integrations/data-sources/{source}/edit",
        **{f"wizard, {step}": f"{setup}/{step}" for step in ("external-id", "role", "connect", "first-import")},
        "applications": "/applications",
        "new application": "/applications/new",
        **{f"application, {tab}": f"{one}/{tab}" for tab in TABS},
        **{f"empty application, {tab}": f"{two}/{tab}" for tab in TABS},
        "account": f"{one}/accounts/person-01",
        "long account": f"{one}/accounts/{LONG}",
        "entitlement": first_link(browser, grantline, session, f"{one}/entitlements"),
        "changes of a run": f"{one}/changes?run={published}",
        "same names": f"{one}/aliases",
        "import": f"/imports/{item}",
        "versions": f"/imports/{item}/versions",
        "edit mapping": f"/imports/{item}/mapping",
        "people": "/people",
        "people, nobody": "/people?search=zzzz",
        "person": f"/people/{grantline.product.call('GET', '/people?limit=1')['items'][0]['id']}",
        "choose an application": "/imports/new",
        "new import": f"{two}/imports/new",
        **drafts,
        "runs": "/runs",
        "run, published": f"/runs/{published}",
        "run, unchanged": f"/runs/{unchanged}",
        "run, failed": f"/runs/{failed}",
        "run, held": f"/runs/{held}",
        "changes of a held run": f"/runs/{held}/changes",
        "audit log": "/audit-log",
        "search": "/search?q=person-0",
        "search, nothing": "/search?q=zzzz",
        "settings": "/settings",
        "tokens": "/settings/tokens",
        "members": "/settings/members",
        "profile": "/settings/profile",
        "limits": "/settings/limits",
        "notifications": "/settings/notifications",
        "roles": "/settings/roles",
        "sign-on": "/settings/sign-on",
        "security": "/settings/security",
        "second step": "/settings/security/set-up",
        "not found": "/nothing-here",
    }


TABS = ("accounts", "entitlements", "changes", "imports", "settings")
PAGES = (
    "overview", "sources", "source", "source, begun", "source, change",
    "wizard, external-id", "wizard, role", "wizard, connect", "wizard, first-import",
    "applications", "new application",
    *(f"application, {tab}" for tab in TABS), *(f"empty application, {tab}" for tab in TABS),
    "account", "long account", "entitlement", "changes of a run",
    "people", "people, nobody", "person", "same names",
    "import", "versions", "edit mapping", "choose an application", "new import", "draft, where from", "draft, preview",
    "runs", "run, published", "run, unchanged", "run, failed", "run, held",
    "changes of a held run", "audit log", "limits", "notifications", "roles", "sign-on", "security", "second step",
    "search", "search, nothing", "settings", "tokens", "members", "profile", "not found",
)  # fmt: skip


@pytest.mark.parametrize("name", PAGES)
def test_page(name: str, page: Page, addresses: dict[str, str]) -> None:
    answer = page.goto(addresses[name])
    assert answer is not None
    assert answer.status == (404 if name == "not found" else 200)
    settle(page)
    assert found(page) == []


def test_sign_in_page(new_context: NewContext) -> None:
    page = new_context().new_page()
    page.goto("/sign-in")
    assert found(page) == []


def test_the_past(new_context: NewContext, session: StorageState, addresses: dict[str, str]) -> None:
    page = new_context(storage_state=session).new_page()
    page.goto("/")
    page.locator(".as-of__button").click()
    page.get_by_label("Show everything as of").fill("2026-01-02")
    page.get_by_role("button", name="Show this day").click()
    try:
        for address in ("/", addresses["application, accounts"], addresses["tokens"]):
            page.goto(address)
            assert found(page) == []
    finally:
        page.get_by_role("button", name="Back to now").first.click()
    page.goto("/")
    assert page.locator(".past").count() == 0


def found(page: Page) -> list[str]:
    """What is wrong with the page as it stands: at a desk in both themes, on a telephone in the dark, whose
    light colors are those of the desk."""
    page.evaluate(SCRIPT)
    wrong = [f"{width} px: {text}" for width in WIDTHS for text in sideways(page, width)]
    look(page, DESK, "light")
    wrong += [f"desk, light: {text}" for text in violations(page, RULES)]
    look(page, DESK, "dark")
    wrong += [f"desk, dark: {text}" for text in violations(page, ["color-contrast"])]
    look(page, TELEPHONE, "dark")
    return wrong + [f"telephone, dark: {text}" for text in violations(page, RULES)]


def look(page: Page, width: int, theme: Literal["light", "dark"]) -> None:
    """Show the page at a width and in a theme."""
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=theme)


def sideways(page: Page, width: int) -> list[str]:
    """Whether the page is wider than its window."""
    look(page, width, "light")
    wide = page.evaluate("document.documentElement.scrollWidth")
    return [f"{wide} px wide"] if wide > width else []


def violations(page: Page, rules: object) -> list[str]:
    """Serious and critical ones: the rule and where."""
    options = {"resultTypes": ["violations"], "runOnly": rules, "iframes": False}
    results = page.evaluate("options => axe.run(options)", options)["violations"]
    return [
        f"{item['id']}: {node['target']} {node['html'][:120]}"
        for item in results
        if item["impact"] in BAD
        for node in item["nodes"]
    ]


def settle(page: Page) -> None:
    """Wait until the parts that load by themselves are there."""
    expect(page.locator(".skeleton, [hx-trigger=load] .bucket__wait")).to_have_count(0)


def runs(grantline: Site, import_id: str) -> list[dict[str, Any]]:
    """The runs of an import, newest first."""
    return list(grantline.product.call("GET", f"/imports/{import_id}/runs")["items"])


def first_link(browser: Any, grantline: Site, session: StorageState, address: str) -> str:
    """Where the first link of a list leads."""
    return visit(browser, grantline, session, lambda page: page.goto(address) and href(page))


def href(page: Page) -> str:
    """The address of the first link of a list."""
    return page.locator("td.primary a").first.get_attribute("href") or ""


def draft_addresses(browser: Any, grantline: Site, session: StorageState, address: str, source: str) -> dict[str, str]:
    """A draft with its file, and the choice of another one."""

    def make(page: Page) -> str:
        page.goto(address)
        page.get_by_role("button", name="Choose a file in a bucket").click()
        page.get_by_label("Data source").select_option(source)
        page.get_by_label("File in the bucket").fill("exports/staff.csv")
        page.get_by_role("button", name="Look at this file").click()
        page.wait_for_url(re.compile("/drafts/[a-z0-9_]+$"))
        return page.url.removeprefix(grantline.url)

    draft = visit(browser, grantline, session, make)
    return {"draft, where from": f"{draft}?choose=1", "draft, preview": draft}


def visit(browser: Any, grantline: Site, session: StorageState, look: Callable[[Page], Any]) -> str:
    """What `look` finds on a page of its own."""
    context = browser.new_context(base_url=grantline.url, storage_state=session)
    try:
        return str(look(context.new_page()))
    finally:
        context.close()
