"""The browser that the tests and the pictures use: a Chromium that is on this machine.

Nothing is downloaded. Out: the path of the program, or None; and the arguments that keep it quiet.
"""

from __future__ import annotations

import shutil

from playwright.sync_api import Browser, Playwright

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def program() -> str | None:
    """The path of a Chromium, if there is one."""
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


def launch(playwright: Playwright, path: str) -> Browser:
    """Start it without a window."""
    return playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
