"""Connecting a bucket in the browser, from an External ID to a role that is proven to refuse everybody else."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import NewContext, sign_in
from tests.e2e.site import Site

BUCKET = "wizard-exports"
ROLE = "WizardRole"
BUCKET_FIELD = re.compile("^Bucket( optional)?$")


def add_source(page: Page, name: str) -> str:
    """Add a data source; the address of its first step."""
    page.goto("/integrations/data-sources")
    opener = page.locator("[data-opens=add-source]")
    if opener.count():
        opener.click()
    form = page.locator("form[action='/integrations/data-sources']")
    form.get_by_label("Name").fill(name)
    form.get_by_role("button", name="Add data source").click()
    page.wait_for_url("**/setup/external-id")
    return page.url


def external_id(page: Page) -> str:
    """The External ID that the first step shows."""
    return page.locator(".copy-value--large code").inner_text()


def copied(page: Page, button: Locator) -> str:
    """What a copy button puts into the clipboard."""
    button.click()
    expect(page.locator("#spoken")).to_have_text("Copied")
    text: str = page.evaluate("navigator.clipboard.readText()")
    return text


def copied_policies(page: Page) -> tuple[dict[str, Any], dict[str, Any]]:
    """Trust policy and permission policy as an engineer copies them from the second step."""
    texts = [copied(page, page.get_by_role("button", name=f"Copy {name} policy")) for name in ("Trust", "Permission")]
    return json.loads(texts[0]), json.loads(texts[1])


def connect(page: Page, arn: str) -> Locator:
    """Paste the ARN on the third step and begin the check; its lines."""
    page.get_by_label("Role ARN").fill(arn)
    page.get_by_role("button", name="Check connection").click()
    return page.locator("#check-panel .checks__line")


def test_closing_the_window_loses_nothing(new_context: NewContext, grantline: Site) -> None:
    first = new_context()
    page = first.new_page()
    sign_in(page, grantline)
    address = add_source(page, "Left in the middle")
    issued = external_id(page)
    page.get_by_role("link", name="Next: role in AWS").click()
    page.get_by_label(BUCKET_FIELD).fill("acme-exports")
    page.get_by_label("Prefix").fill("hr/")
    page.get_by_role("button", name="Update the policies").click()
    page.get_by_role("link", name="Next: connect").click()
    page.get_by_label("Role ARN").fill("arn:aws:iam::222222222222:role/NotMadeYet")
    page.get_by_role("button", name="Save without checking").click()
    expect(page.get_by_label("Role ARN")).to_have_value("arn:aws:iam::222222222222:role/NotMadeYet")
    first.close()

    page = new_context().new_page()
    sign_in(page, grantline)
    page.goto("/integrations/data-sources")
    page.get_by_role("link", name="Left in the middle").click()
    expect(page.get_by_label(BUCKET_FIELD)).to_have_value("acme-exports")
    expect(page.get_by_label("Prefix")).to_have_value("hr/")
    expect(page.get_by_label("Role ARN")).to_have_value("arn:aws:iam::222222222222:role/NotMadeYet")
    page.goto(address)
    assert external_id(page) == issued
    assert issued.startswith("gl_")


@pytest.mark.parametrize("form", ["CloudFormation", "Terraform", "CLI"])
def test_every_form_holds_the_real_id(page: Page, form: str) -> None:
    add_source(page, f"Form {form}")
    issued = external_id(page)
    page.get_by_role("link", name="Next: role in AWS").click()
    page.get_by_label(BUCKET_FIELD).fill("acme-exports")
    page.get_by_role("button", name="Update the policies").click()
    tab = page.get_by_role("navigation", name="Ways to make the role").get_by_role("link", name=form)
    tab.click()
    expect(tab).to_have_attribute("aria-current", "page")
    expect(page.locator("#policies")).to_contain_text(issued)
    expect(page.locator("#policies")).to_contain_text("arn:aws:s3:::acme-exports")


def test_a_role_that_trusts_everybody_is_refused_until_it_is_right(
    new_context: NewContext, session: Any, grantline: Site
) -> None:
    grantline.cloud.make_bucket(BUCKET)
    grantline.put(BUCKET, "exports/people.csv", b"User ID\nu1\n")
    page = new_context(storage_state=session, permissions=["clipboard-read", "clipboard-write"]).new_page()
    add_source(page, "Wizard exports")
    issued = external_id(page)
    assert copied(page, page.get_by_role("button", name="Copy External ID")) == issued
    page.get_by_role("link", name="Next: role in AWS").click()
    page.get_by_label(BUCKET_FIELD).fill(BUCKET)
    page.get_by_label("Prefix").fill("exports/")
    page.get_by_role("button", name="Update the policies").click()

    trust, permissions = copied_policies(page)
    assert trust["Statement"][0]["Condition"] == {"StringEquals": {"sts:ExternalId": issued}}
    assert f"arn:aws:s3:::{BUCKET}" in json.dumps(permissions)
    careless = json.loads(json.dumps(trust))
    del careless["Statement"][0]["Condition"]
    arn = grantline.make_role(ROLE, careless, permissions)

    page.get_by_role("link", name="Next: connect").click()
    lines = connect(page, arn)
    failed = page.locator(".checks__line--fail")
    expect(failed.first).to_contain_text("Try the role without an External ID")
    expect(failed.first.get_by_label("Statement", exact=True)).to_contain_text(issued)
    expect(lines.last).to_contain_text("nothing is read with it")
    expect(page.locator("#setup-head")).not_to_contain_text("Connected")

    grantline.change_trust(ROLE, trust)
    page.get_by_role("button", name="Check connection").click()
    expect(page.locator("#setup-head")).to_contain_text("Connected")
    expect(page.locator(".checks__line--pass")).to_have_count(lines.count())
    expect(lines.last).to_contain_text("exports/people.csv was read")
    page.get_by_role("link", name="Next: first import").click()
    page.get_by_role("link", name="See what is in the bucket").click()
    expect(page.locator("#bucket")).to_contain_text("people.csv")


def test_the_lines_of_a_check_come_one_by_one(page: Page, grantline: Site) -> None:
    # A role that is not there: the check waits for AWS to notice it, and says so, before it gives up.
    add_source(page, "Not there yet")
    page.get_by_role("link", name="Next: role in AWS").click()
    page.get_by_label(BUCKET_FIELD).fill("never-reached")
    page.get_by_role("button", name="Update the policies").click()
    page.get_by_role("link", name="Next: connect").click()
    lines = connect(page, "arn:aws:iam::222222222222:role/NeverMade")
    running = page.locator(".checks__line--running")
    expect(running).to_contain_text(re.compile("Waiting for|Asking AWS"))
    expect(lines).to_have_count(1)
    expect(lines.last).to_contain_text("Not tried")
    expect(running).to_have_count(0)
    expect(lines.first).to_have_class(re.compile("checks__line--fail"))
    expect(page.locator("#check-spoken")).to_have_text("The check has ended; 1 step failed.")


def test_what_was_typed_wrong_is_said_beside_it(page: Page) -> None:
    add_source(page, "Typed wrong")
    page.get_by_role("link", name="Connect").click()
    page.get_by_label(BUCKET_FIELD).fill("Not a bucket")
    page.get_by_label("Role ARN").fill("arn:aws:iam::2222:role/X")
    page.get_by_role("button", name="Check connection").click()
    arn = page.get_by_label("Role ARN")
    expect(arn).to_have_attribute("aria-invalid", "true")
    expect(arn).to_be_focused()
    expect(arn).to_have_value("arn:aws:iam::2222:role/X")
    expect(page.get_by_label(BUCKET_FIELD)).to_have_value("Not a bucket")
    described = arn.get_attribute("aria-describedby") or ""
    for identity in described.split():
        expect(page.locator(f"#{identity}")).not_to_be_empty()
