"""The pictures of README and documentation: `make screenshots`.

In: nothing, then a demo is started, photographed and stopped; or `--url`, `--email` and `--password` of
one that runs. Out: `docs/assets/*.png`, the same window, theme and motion each time, once the fonts and
the parts that load by themselves are there.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, expect, sync_playwright

from grantline.demo.cloud import free_port
from grantline.demo.story import CHANGED_KEY
from tests.e2e import chromium

ASSETS = Path(__file__).parents[2] / "docs" / "assets"
DESK = {"width": 1280, "height": 960}
TELEPHONE = {"width": 390, "height": 844}
START_SECONDS = 240
APPLICATION = "Payments"
Theme = Literal["light", "dark"]


class Photographer:
    """A signed-in browser that writes pictures."""

    def __init__(self, browser: Browser, url: str, email: str, password: str) -> None:
        self.browser, self.url = browser, url
        page = self.page(None)
        page.goto("/sign-in")
        page.get_by_label("E-mail").fill(email)
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
        self.session = page.context.storage_state()
        self.desk = self.page(self.session)

    def page(self, session: object, size: dict[str, int] = DESK, theme: Theme = "light") -> Page:
        """A page of its own."""
        context = self.browser.new_context(
            base_url=self.url,
            storage_state=session,  # type: ignore[arg-type]
            viewport=size,  # type: ignore[arg-type]
            color_scheme=theme,
            reduced_motion="reduce",
            device_scale_factor=2,
        )
        return context.new_page()

    def take(self, name: str, page: Page | None = None) -> None:
        """Write what the page shows as `docs/assets/<name>.png`."""
        page = page or self.desk
        expect(page.locator(".skeleton, [hx-trigger=load] .bucket__wait, .htmx-request")).to_have_count(0)
        page.evaluate("document.fonts.ready")
        page.mouse.move(0, 0)
        page.screenshot(path=ASSETS / f"{name}.png", animations="disabled", caret="hide")
        print(f"docs/assets/{name}.png")  # noqa: T201 - said to whoever takes pictures


def main() -> int:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    for name in ("url", "email", "password"):
        parser.add_argument(f"--{name}")
    given = parser.parse_args()
    path = chromium.program()
    if path is None:
        words = f"There is no Chromium on this machine (looked for {', '.join(chromium.PROGRAMS)})."
        print(words, file=sys.stderr)  # noqa: T201
        return 1
    ASSETS.mkdir(parents=True, exist_ok=True)
    running = contextlib.nullcontext((given.url, given.email, given.password)) if given.url else demo()
    with running as (url, email, password), sync_playwright() as playwright:
        browser = chromium.launch(playwright, path)
        take_all(Photographer(browser, url, email, password))
        browser.close()
    return 0


@contextlib.contextmanager
def demo() -> Iterator[tuple[str, str, str]]:
    """A demo of its own: address, e-mail and password."""
    with tempfile.TemporaryDirectory(prefix="grantline-pictures-") as folder:
        said = Path(folder) / "demo-sign-in.json"
        command = [sys.executable, "-m", "grantline.cli.main", "demo", "--data-dir", folder, "--port", str(free_port())]
        (Path(folder) / ".grantline-demo").touch()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + START_SECONDS
            while not said.exists() and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.2)
            found = json.loads(said.read_text())
            yield found["url"], found["email"], found["password"]
        finally:
            process.terminate()
            process.wait(90)


def take_all(photographer: Photographer) -> None:
    """Every picture, from the pages that need nothing to those that make something."""
    page = photographer.desk
    page.goto("/")
    photographer.take("overview")
    for name, size, theme in (("overview-dark", DESK, "dark"), ("overview-mobile", TELEPHONE, "light")):
        other = photographer.page(photographer.session, size, theme)  # type: ignore[arg-type]
        other.goto("/")
        photographer.take(name, other)
    data_source(photographer, page)
    application(photographer, page)
    runs(photographer, page)
    import_data(photographer, page)
    wizard(photographer, page)


def data_source(photographer: Photographer, page: Page) -> None:
    """The data source with its check and its files."""
    page.goto("/integrations/data-sources")
    page.locator(".source-card .card__cover").first.click()
    photographer.take("source")


def application(photographer: Photographer, page: Page) -> None:
    """An application's accounts and one account."""
    page.goto("/applications")
    page.get_by_role("link", name=APPLICATION).click()
    expect(page.get_by_role("region", name="Accounts")).to_be_visible()
    photographer.take("application")
    page.get_by_role("region", name="Accounts").get_by_role("link").nth(1).click()
    photographer.take("account")


def runs(photographer: Photographer, page: Page) -> None:
    """The import that changed, the run that brought the change, and the change itself."""
    page.goto("/applications")
    page.get_by_role("link", name=APPLICATION).click()
    page.get_by_role("navigation", name="Views of this application").get_by_role("link", name="Imports").click()
    page.get_by_role("link", name=CHANGED_KEY).click()
    photographer.take("import")
    page.goto("/runs?state=published")
    page.get_by_role("row").filter(has_text=APPLICATION).first.get_by_role("link").first.click()
    photographer.take("run")
    page.get_by_role("link", name="Show each").click()
    page.get_by_role("link", name="Grants", exact=True).click()
    photographer.take("changes")


def import_data(photographer: Photographer, page: Page) -> None:
    """The mapping of a file that is about to be imported; the draft is discarded."""
    page.goto("/applications")
    page.get_by_role("link", name=APPLICATION).click()
    page.get_by_role("link", name="Import app data").first.click()
    page.get_by_role("button", name="Choose a file in a bucket").click()
    page.get_by_label("File in the bucket").fill("access/wiki/users.xlsx")
    page.get_by_role("button", name="Look at this file").click()
    expect(page.get_by_role("button", name=re.compile("^Import [0-9]"))).to_be_visible(timeout=60_000)
    photographer.take("import-data")
    page.get_by_role("button", name="Discard").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Discard").click()


def wizard(photographer: Photographer, page: Page) -> None:
    """The second step of a new data source, which is deleted again."""
    page.goto("/integrations/data-sources")
    page.locator("[data-opens=add-source]").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Name").fill("Payroll exports")
    form.get_by_role("button", name="Add data source").click()
    page.get_by_role("link", name="Next: role in AWS").click()
    page.get_by_label(re.compile("^Bucket")).fill("example-corp-payroll")
    page.get_by_label("Prefix").fill("exports/")
    page.get_by_role("button", name="Update the policies").click()
    page.evaluate("window.scrollTo(0, 0)")
    photographer.take("wizard")
    page.goto(page.url.split("/setup")[0])
    page.get_by_role("button", name="Delete this data source").click()
    page.get_by_label("Name of the data source").fill("Payroll exports")
    page.get_by_role("button", name="Delete the data source").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Data sources")


if __name__ == "__main__":
    raise SystemExit(main())
