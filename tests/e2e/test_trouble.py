"""What a person sees when a file is broken, or takes too much away."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.site import Site, staff_file

MANY = tuple(f"t{number:02d}" for number in range(40))
REASON = "The warehouse team has moved to the new system."


@pytest.fixture(scope="module")
def source(grantline: Site) -> str:
    """A data source with a file of forty accounts."""
    return grantline.connected("Trouble exports", "trouble-exports", staff=staff_file(*MANY))


def test_a_broken_file_fails_in_words_and_the_old_data_stays(page: Page, grantline: Site, source: str) -> None:
    grantline.put("trouble-exports", "exports/broken.csv", staff_file("b1", "b2"))
    application = grantline.application("Broken")
    item = grantline.imported(application, source, "exports/broken.csv")
    grantline.put("trouble-exports", "exports/broken.csv", b'User ID,Full Name\nb1,"never closed\nb2,x\n')
    page.goto(f"/imports/{item}")
    page.get_by_role("button", name="Sync now").click()
    expect(page.locator("#run .page-header .chip")).to_have_text("Failed")
    expect(page.locator(".verdict")).to_contain_text("The last good data is kept")
    expect(page.locator(".notice", has_text="What to do")).to_contain_text(re.compile("Code file_|Line 2"))
    page.get_by_role("link", name="To the import").click()
    expect(page.locator("#state .page-header .chip")).to_have_text("Failing")
    expect(page.locator("#state")).to_contain_text("2 accounts, 4 grants, version 1")
    page.goto("/")
    expect(page.get_by_role("region", name="Needs you")).to_contain_text("Broken")


def test_a_held_run_waits_for_a_reason(page: Page, grantline: Site, source: str) -> None:
    application = grantline.application("Held")
    item = grantline.imported(application, source, "exports/staff.csv")
    grantline.put("trouble-exports", "exports/staff.csv", staff_file(*MANY[:10]))
    run = grantline.sync(item)
    assert run["state"] == "held"
    page.goto("/")
    page.get_by_role("region", name="Needs you").get_by_role("link", name=re.compile("ecide|ook")).last.click()
    page.goto(f"/runs/{run['id']}")
    expect(page.locator(".verdict")).to_contain_text("30 accounts")
    page.get_by_text(re.compile("that would go, by name")).click()
    expect(page.locator(".names").first).to_contain_text("Person t10")
    approve = page.get_by_role("button", name=re.compile("^Approve"))
    approve.click()
    expect(page.get_by_label("Why is this right?")).to_be_focused()
    page.get_by_label("Why is this right?").fill(REASON)
    approve.click()
    expect(page.locator("#run .page-header .chip")).to_have_text("Published")
    expect(page.locator("#run")).to_contain_text(REASON)
    page.goto(f"/applications/{application}/accounts")
    expect(page.get_by_role("region", name="Accounts").get_by_role("row")).to_have_count(11)


def test_issues_stand_row_by_row(page: Page, grantline: Site, source: str) -> None:
    grantline.put(
        "trouble-exports", "exports/rows.csv", staff_file("r1", "r2", extra=",x@example.com,No id,Active,A,1\n")
    )
    item = grantline.imported(grantline.application("Rows"), source, "exports/rows.csv")
    run = grantline.product.call("GET", f"/imports/{item}/runs")["items"][0]
    page.goto(f"/runs/{run['id']}")
    issues = page.locator("#issues")
    expect(issues).to_contain_text("Line 4")
    issues.get_by_text("Show row").focus()
    page.keyboard.press("Enter")
    row = issues.locator(".issue-row__cells")
    expect(row.locator("mark")).to_have_text("(empty)")
    expect(row).to_contain_text("x@xxxx.xxx")
    with page.expect_download() as download:
        issues.get_by_role("link", name="Download CSV").click()
    assert "row_key_missing" in download.value.path().read_text()
