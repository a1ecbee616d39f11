"""Browser tests: one Grantline, one local AWS and one Chromium for all of them.

Without a Chromium on the machine they are skipped, unless `REQUIRE_BROWSER_TESTS=1` says that they must
run. Everything lives as long as this folder's tests, not longer: while Playwright runs, Django takes its
thread for an asynchronous one. Every page is watched: an error in the console, or something that the
content security policy refused, fails the test it happened in.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    StorageState,
    WebError,
    expect,
    sync_playwright,
)

from tests.e2e import chromium, site

NewContext = Callable[..., BrowserContext]
FOLDER = os.path.dirname(__file__)
TIMEOUT_MS = 10_000
expect.set_options(timeout=TIMEOUT_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder."""
    for item in items:
        if str(item.path).startswith(FOLDER):
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """A Chromium."""
    path = chromium.program()
    if path is None:
        words = f"There is no Chromium on this machine (looked for {', '.join(chromium.PROGRAMS)})."
        if os.environ.get("REQUIRE_BROWSER_TESTS") == "1":
            pytest.fail(words)
        pytest.skip(words)
    with sync_playwright() as playwright:
        started = chromium.launch(playwright, path)
        yield started
        started.close()


@pytest.fixture(scope="package")
def grantline(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[site.Site]:
    """A running Grantline; it is not started where there is no browser to look at it."""
    with site.running(tmp_path_factory.mktemp("e2e")) as running:
        yield running


@pytest.fixture(scope="package")
def session(browser: Browser, grantline: site.Site) -> StorageState:
    """The cookies of the administrator, signed in once."""
    context = browser.new_context(base_url=grantline.url)
    page = context.new_page()
    sign_in(page, grantline)
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def new_context(browser: Browser, grantline: site.Site) -> Iterator[NewContext]:
    """Makes browsers with nothing in them but what is given; what their consoles complain of fails the test."""
    opened: list[BrowserContext] = []
    complaints: list[str] = []

    def make(**options: Any) -> BrowserContext:
        shown = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce", **options}
        context = browser.new_context(base_url=grantline.url, **shown)
        context.set_default_timeout(TIMEOUT_MS)
        watch(context, complaints)
        opened.append(context)
        return context

    yield make
    for context in opened:
        context.close()
    assert complaints == []


@pytest.fixture
def page(new_context: NewContext, session: StorageState) -> Page:
    """A page of the administrator."""
    return new_context(storage_state=session).new_page()


def sign_in(page: Page, grantline: site.Site) -> None:
    """Sign in as the administrator."""
    page.goto("/sign-in")
    page.get_by_label("E-mail").fill(grantline.email)
    page.get_by_label("Password").fill(grantline.password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/")


def watch(context: BrowserContext, complaints: list[str]) -> None:
    """Collect what the consoles of a context complain of."""

    def console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not _is_the_answer_itself(message):
            complaints.append(f"{message.page.url if message.page else '?'}: {message.text}")

    def weberror(error: WebError) -> None:
        complaints.append(str(error.error))

    context.on("console", console)
    context.on("weberror", weberror)


def _is_the_answer_itself(message: ConsoleMessage) -> bool:
    """Chromium notes a page that is answered with 404 or 422; such pages are meant to be seen."""
    refused = "Failed to load resource" in message.text and ("404" in message.text or "422" in message.text)
    return refused and message.page is not None and message.location["url"] == message.page.url
