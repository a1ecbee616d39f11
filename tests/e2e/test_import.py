"""Importing an application's file in the browser, and what can be looked up afterwards."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.site import Site, staff_file

PEOPLE = ("u1", "u2", "u3")


def publish(page: Page) -> None:
    """Wait, without loading the page anew, until the run on it is published."""
    expect(page.locator("#run .page-header .chip")).to_have_text("Published")


def count(page: Page, kind: str) -> str:
    """What the head of an application says of one kind."""
    return page.locator(".figure", has_text=re.compile(f"^\\s*{kind}")).locator(".figure__value").inner_text()


def test_from_the_bucket_to_the_catalog_and_on_with_the_next_file(page: Page, grantline: Site) -> None:
    source = grantline.connected("Flow exports", "flow-exports", staff=staff_file(*PEOPLE))
    application = grantline.application("Flow")
    page.goto(f"/applications/{application}")
    page.get_by_role("link", name="Import app data").first.click()
    page.get_by_role("button", name="Choose a file in a bucket").click()
    page.get_by_label("Data source").select_option(source)
    page.locator("#listing").get_by_role("button", name=re.compile("staff.csv")).click()

    # What it means: the columns with samples, and what comes out of them.
    expect(page.get_by_label("What User ID becomes").locator("option:checked")).to_have_text("Account id")
    record = page.locator(".record").first
    expect(record).to_contain_text("u1@example.com")
    expect(record.locator(".record__grants")).to_contain_text("Approvers")
    expect(page.locator("#step-3").locator("..")).to_contain_text("3 rows read")
    page.get_by_text("The first 3 rows of the file").click()
    expect(page.get_by_role("region", name="First rows")).to_contain_text("Person u2")
    expect(page.get_by_role("button", name="Import 6 grants")).to_be_visible()

    # A column that was left out is kept as an attribute, and the preview follows.
    expect(record).not_to_contain_text("42")
    page.get_by_label("What Shoe size becomes").select_option("profile.Shoe size")
    expect(record).to_contain_text("42")
    page.get_by_role("button", name="Import 6 grants").click()
    publish(page)
    expect(page.locator(".verdict")).to_contain_text("3 accounts added, 2 entitlements added, 6 grants added")

    # The next file has one person less and one more; Sync now takes it over.
    grantline.put("flow-exports", "exports/staff.csv", staff_file("u1", "u2", "u4"))
    page.get_by_role("link", name="To the import").click()
    expect(page.locator("#state .lead")).to_contain_text("Healthy")
    page.get_by_role("button", name="Sync now").click()
    publish(page)
    expect(page.locator(".verdict")).to_contain_text("1 account added, 1 account removed")
    page.get_by_role("link", name="Show each").click()
    rows = page.get_by_role("region", name="Changes").get_by_role("row")
    expect(rows.filter(has_text="Person u3").filter(has_text="Removed").first).to_be_visible()
    expect(rows.filter(has_text="Person u4").filter(has_text="Added").first).to_be_visible()
    page.goto(f"/applications/{application}/changes")
    expect(page.locator(".rows__title").first).to_contain_text("1 account added, 1 account removed")


def test_the_mapping_of_an_import_is_edited_and_used_by_the_next_sync(page: Page, grantline: Site) -> None:
    source = grantline.connected("Edit exports", "edit-exports", staff=staff_file(*PEOPLE))
    item = grantline.imported(grantline.application("Edited"), source, "exports/staff.csv")
    page.goto(f"/imports/{item}")
    page.get_by_role("link", name="Edit mapping").click()
    page.get_by_label("What Shoe size becomes").select_option("profile.Shoe size")
    column = page.locator(".column", has_text="Shoe size")
    column.get_by_text("Options").click()
    column.get_by_label("The word in the file").fill("42")
    column.get_by_label("What replaces it").fill("large")
    # What comes out follows while one types; what was typed, and what is open, stays.
    expect(page.locator(".record").first).to_contain_text("large")
    expect(column.get_by_label("What replaces it").first).to_have_value("large")
    expect(column.get_by_label("What replaces it").first).to_be_focused()
    expect(column.get_by_label("The word in the file")).to_have_count(2)
    expect(page.locator("#step-3").locator("..")).to_contain_text("compared with version 1")
    page.get_by_role("button", name="Save mapping").click()
    expect(page.get_by_text("The mapping is saved.")).to_be_visible()
    page.get_by_role("button", name="Sync now").click()
    publish(page)
    expect(page.locator(".verdict")).to_contain_text("3 accounts changed")


@pytest.fixture(scope="module")
def library(grantline: Site) -> str:
    """An application with three accounts, two entitlements and six grants."""
    source = grantline.connected("Library exports", "library-exports", staff=staff_file("l1", "l2", "l3"))
    application = grantline.application("Library")
    grantline.imported(application, source, "exports/staff.csv")
    return application


def test_accounts_and_entitlements_can_be_looked_up(page: Page, library: str) -> None:
    page.goto(f"/applications/{library}")
    assert [count(page, kind) for kind in ("Accounts", "Entitlements", "Grants")] == ["3", "2", "6"]
    page.get_by_role("searchbox", name="Search", exact=True).fill("person l2")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("region", name="Accounts").get_by_role("row")).to_have_count(2)
    page.get_by_role("link", name="Person l2").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Person l2")
    page.get_by_role("link", name="Approvers", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Approvers")
    expect(page.get_by_role("link", name=re.compile("Person l"))).to_have_count(3)


def test_the_search_of_the_frame_finds_an_account(page: Page, library: str) -> None:
    page.goto("/")
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.type("l3@example")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="l3", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Person l3")


def test_a_file_by_hand(page: Page, grantline: Site) -> None:
    application = grantline.application("By hand")
    page.goto(f"/applications/{application}/imports/new")
    file = {"name": "staff.csv", "mimeType": "text/csv", "buffer": staff_file("h1", "h2")}
    page.get_by_label("Choose a file").set_input_files([file])
    expect(page.locator("[data-drop-chosen]")).to_contain_text("staff.csv")
    page.get_by_role("button", name="Upload and look at it").click()
    page.get_by_role("button", name="Import 4 grants").click()
    publish(page)
    page.get_by_role("link", name="To the import").click()
    file["buffer"] = staff_file("h1", "h2", "h3")
    page.get_by_label("Choose the new file").set_input_files([file])
    page.get_by_role("button", name="Upload and run").click()
    publish(page)
    expect(page.locator(".verdict")).to_contain_text("1 account added, 2 grants added")


def test_pause_and_resume(page: Page, grantline: Site) -> None:
    source = grantline.connected("Pause exports", "pause-exports", staff=staff_file("p1"))
    item = grantline.imported(grantline.application("Paused"), source, "exports/staff.csv")
    page.goto(f"/imports/{item}")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#state .page-header .chip")).to_have_text("Paused")
    expect(page.locator("#state")).to_contain_text("Not before it is resumed")
    page.get_by_role("button", name="Resume").click()
    expect(page.locator("#state .page-header .chip")).to_have_text("Healthy")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()


def test_a_draft_is_found_again(page: Page, grantline: Site) -> None:
    source = grantline.connected("Draft exports", "draft-exports", staff=staff_file("d1"))
    application = grantline.application("Drafted")
    page.goto(f"/applications/{application}/imports/new")
    page.get_by_role("button", name="Choose a file in a bucket").click()
    page.get_by_label("Data source").select_option(source)
    page.get_by_label("File in the bucket").fill("exports/staff.csv")
    page.get_by_role("button", name="Look at this file").click()
    page.get_by_label("What Shoe size becomes").select_option("profile.Shoe size")
    expect(page.locator(".record").first).to_contain_text("42")
    page.goto(f"/applications/{application}/imports/new")
    page.get_by_role("link", name="exports/staff.csv").click()
    expect(page.get_by_label("What Shoe size becomes")).to_have_value("profile.Shoe size")
