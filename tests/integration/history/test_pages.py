"""The pages of all this: what a held run would do, versions, renames, limits and retention."""

from __future__ import annotations

import csv
import re

import pytest
from django.test import Client

from grantline.control.organizations import settings as organization
from grantline.control.organizations.models import User
from tests.integration.history.conftest import Desk, people, users_csv

pytestmark = pytest.mark.integration


@pytest.fixture
def browser(desk: Desk) -> Client:
    client = Client(raise_request_exception=True)
    client.force_login(User.objects.get(pk=desk.scope.actor_id))
    return client


def text(answer: object) -> str:
    content = getattr(answer, "content").decode()  # noqa: B009
    return " ".join(re.sub(r"<[^>]+>", " ", content).split())


def test_a_held_run_shows_each_change_and_who_is_affected(desk: Desk, browser: Client) -> None:
    desk.load(users_csv([*people(70), "=cmd"]))
    run = desk.load(users_csv(people(2)))
    page = browser.get(f"/runs/{run.pk}")
    assert page.status_code == 200
    assert "69 accounts would lose something" in text(page)
    listed = browser.get(f"/runs/{run.pk}/changes?kind=account")
    assert listed.status_code == 200
    following = re.search(r'href="(\?[^"]*cursor=[^"]*)"', listed.content.decode())
    assert following is not None
    rest = browser.get(f"/runs/{run.pk}/changes{following.group(1).replace('&amp;', '&')}")
    assert "U069" in text(rest)
    assert "U069" not in text(listed)
    download = browser.get(f"/runs/{run.pk}/changes.csv?kind=account")
    rows = list(csv.DictReader(b"".join(download).decode("utf-8-sig").splitlines()))
    assert len(rows) == 69
    assert "'=cmd" in {row["account"] for row in rows}
    assert {row["change"] for row in rows} == {"removed"}


def test_the_changes_of_a_published_run_are_on_its_application(desk: Desk, browser: Client) -> None:
    run = desk.load(users_csv(people(2)))
    answer = browser.get(f"/runs/{run.pk}/changes")
    assert answer.status_code == 302
    assert browser.get(answer["Location"]).status_code == 200


def test_going_back_needs_a_version_and_a_reason(desk: Desk, browser: Client) -> None:
    desk.load(users_csv(people(3)))
    desk.load(users_csv(people(4)))
    assert "Versions" in text(browser.get(f"/imports/{desk.item.pk}"))
    page = browser.get(f"/imports/{desk.item.pk}/versions")
    assert 'value="1"' in page.content.decode()
    assert 'value="2"' not in page.content.decode(), "the current one cannot come back"
    refused = browser.post(f"/imports/{desk.item.pk}/rollback", {"version": "1", "reason": ""})
    assert refused.status_code == 422
    assert "Say why this version is to come back" in text(refused)
    assert browser.post(f"/imports/{desk.item.pk}/rollback", {"reason": "It was wrong."}).status_code == 422
    answer = browser.post(f"/imports/{desk.item.pk}/rollback", {"version": "1", "reason": "It was wrong."})
    assert answer.status_code == 302
    run = desk.finish(desk.item.runs.get(state="queued"))
    assert run.state == "published"
    assert "“It was wrong.”" in text(browser.get(answer["Location"]))
    shown = text(browser.get(f"/imports/{desk.item.pk}"))
    assert "This import stands at a rollback" in shown
    assert "went back to version 1: “It was wrong.”" in shown


def test_a_likely_rename_is_declared_from_where_it_is_shown(desk: Desk, browser: Client) -> None:
    desk.load(users_csv({"U1": ["admins", "staff"], "U2": ["admins"], "U3": ["staff"]}))
    run = desk.load(users_csv({"U1": ["Administrators", "staff"], "U2": ["Administrators"], "U3": ["staff"]}))
    for address in (f"/runs/{run.pk}", f"/applications/{desk.application.pk}/changes?run={run.pk}"):
        page = browser.get(address)
        assert "Likely renames" in text(page), address
    fields = dict(re.findall(r'name="(kind|old|new|run)" value="([^"]*)"', page.content.decode()))
    answer = browser.post(f"/applications/{desk.application.pk}/aliases", fields)
    assert answer.status_code == 302
    alias = desk.application.aliases.get()
    assert (alias.kind, alias.old, alias.new) == (fields["kind"], fields["old"], fields["new"])
    again = browser.post(f"/applications/{desk.application.pk}/aliases", fields, follow=True)
    assert "declared to be the same as another one already" in text(again)


def test_keys_are_declared_the_same_by_hand_and_withdrawn(desk: Desk, browser: Client) -> None:
    desk.load(users_csv({"jdoe": ["admins"], "U2": ["admins", "staff"]}))
    desk.load(users_csv({"john.doe": ["admins"], "U2": ["Administrators", "staff"]}))
    address = f"/applications/{desk.application.pk}/aliases"
    assert "Nothing was declared the same" in text(browser.get(address))
    assert f'href="{address}"' in browser.get(f"/applications/{desk.application.pk}/changes").content.decode()
    form = {"kind": "account", "old": " jdoe ", "new": "john.doe", "reason": "New user ids."}
    assert browser.post(address, form).status_code == 302
    form = {"kind": "entitlement", "old": "admins", "new": "group / Administrators / Administrators", "reason": ""}
    assert browser.post(address, form).status_code == 302
    page = text(browser.get(address))
    assert "New user ids." in page
    assert "group / admins / admins" in page
    for alias in desk.application.aliases.all():
        assert browser.post(f"{address}/{alias.pk}/withdraw").status_code == 302
    assert "Nothing was declared the same" in text(browser.get(address))


@pytest.mark.parametrize(
    ("kind", "old", "new", "said"),
    [
        ("account", "nobody", "U2", "There never was an account with the id nobody"),
        ("account", "U2", "nobody", "There never was an account with the id nobody"),
        ("account", "U2", "U2", "Both keys are the same."),
        ("account", "U2", "U1", "the other way round"),
        ("account", "U1", "U3", "the same as another one already"),
        ("entitlement", "nothing", "admin", "There never was an entitlement called nothing"),
        ("entitlement", "", "admin", "Say which entitlement is meant."),
        ("grant", "U1", "U2", "Choose account or entitlement."),
    ],
)
def test_what_cannot_be_the_same_is_said_at_its_field(
    desk: Desk, browser: Client, kind: str, old: str, new: str, said: str
) -> None:
    desk.load(users_csv({"U1": ["admin"], "U2": ["staff"], "U3": ["staff"]}))
    address = f"/applications/{desk.application.pk}/aliases"
    assert browser.post(address, {"kind": "account", "old": "U1", "new": "U2", "reason": ""}).status_code == 302
    answer = browser.post(address, {"kind": kind, "old": old, "new": new, "reason": "kept"})
    assert answer.status_code == 422
    assert said in text(answer)
    assert "kept" in answer.content.decode(), "what was typed stays"
    assert desk.application.aliases.count() == 1


def test_a_key_that_no_file_has_said_yet_can_be_declared(desk: Desk, browser: Client) -> None:
    desk.load(users_csv({"U1": ["admin"], "U2": ["staff"]}))
    address = f"/applications/{desk.application.pk}/aliases"
    form = {"kind": "entitlement", "old": "admin", "new": "Owner", "reason": "", "not_yet": "on"}
    assert "has to be named in full" in text(browser.post(address, form))
    assert browser.post(address, {**form, "new": "group / Owner / Owner"}).status_code == 302
    run = desk.load(users_csv({"U1": ["Owner"], "U2": ["staff"]}))
    assert run.changes is not None
    assert run.changes["grants"] == {"added": 0, "removed": 0, "changed": 0}


def test_pages_show_the_day_that_is_set(desk: Desk, browser: Client) -> None:
    desk.age(0)
    desk.load(users_csv({"U1": ["staff"], "U2": ["audit"]}))
    desk.age(3)
    desk.load(users_csv({"U1": ["staff"], "U9": ["staff"]}))
    root = f"/applications/{desk.application.pk}"
    day = (desk.version(2).published_at).date().isoformat()
    key = desk.catalog(1).entitlements(search="audit").items[0]["key"]
    assert "U9" in text(browser.get(f"{root}/accounts"))
    browser.post("/as-of", {"as_of": day, "next": root})
    accounts = text(browser.get(f"{root}/accounts"))
    assert "U2" in accounts
    assert "U9" not in accounts
    assert "was not there on that day" in text(browser.get(f"{root}/accounts/U9")) or (
        browser.get(f"{root}/accounts/U9").status_code == 404
    )
    assert "audit" in text(browser.get(f"{root}/entitlements"))
    assert "U2" in text(browser.get(f"{root}/entitlements/{key}"))


def test_settings_of_an_import_say_what_retention_takes_before_it_is_stored(desk: Desk, browser: Client) -> None:
    for number in (3, 4, 5):
        desk.age(10)
        desk.load(users_csv(people(number)))
    form = {
        "guard_percent": "50",
        "guard_count": "5",
        "guard_growth_percent": "300",
        "retention_days": "5",
        "stale_after_seconds": "",
        "has_switches": "1",
        "allow_empty": "on",
    }
    page = browser.post(f"/imports/{desk.item.pk}/settings", form)
    assert page.status_code == 200
    assert "Versions 1 to 1, up to" in text(page)
    desk.item.refresh_from_db()
    assert (desk.item.retention_days, desk.item.allow_empty) == (None, False)
    assert 'name="seen_days" value="5"' in page.content.decode()
    assert browser.post(f"/imports/{desk.item.pk}/settings", {**form, "seen_days": "5"}).status_code == 302
    desk.item.refresh_from_db()
    stored = (desk.item.retention_days, desk.item.allow_empty, desk.item.guard_share, desk.item.guard_growth_share)
    assert stored == (5, True, 0.5, 3.0)


def test_settings_of_an_import_say_what_an_inherited_retention_takes(desk: Desk, browser: Client) -> None:
    for number in (3, 4, 5):
        desk.age(10)
        desk.load(users_csv(people(number)))
    desk.change(retention_days=0)
    organization.change(desk.scope, {"retention_days": 5})
    form = {"retention_days": "", "stale_after_seconds": ""}
    page = browser.post(f"/imports/{desk.item.pk}/settings", form)
    assert "Versions 1 to 1, up to" in text(page)
    assert 'name="seen_days" value="5"' in page.content.decode()
    assert browser.post(f"/imports/{desk.item.pk}/settings", {**form, "seen_days": "5"}).status_code == 302
    desk.item.refresh_from_db()
    assert desk.item.retention_days is None


def test_settings_of_the_organization(desk: Desk, browser: Client) -> None:
    for number in (3, 4, 5):
        desk.age(10)
        desk.load(users_csv(people(number)))
    form = {"guard_percent": "30", "guard_count": "20", "guard_growth_percent": "", "retention_days": "5"}
    page = browser.post("/settings/limits", form)
    assert "This takes away what can be asked about 1 version" in text(page)
    assert organization.read(desk.scope).retention_days is None
    assert browser.post("/settings/limits", {**form, "seen_days": "5"}).status_code == 302
    stored = organization.read(desk.scope)
    assert (stored.guard_share, stored.guard_count, stored.retention_days) == (0.3, 20, 5)
    wrong = browser.post("/settings/limits", {**form, "guard_percent": "many"})
    assert wrong.status_code == 422
    assert "number of percent" in text(wrong)
    assert "Guard and retention" in text(browser.get("/settings"))
