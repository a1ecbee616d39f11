"""Importing from a bucket by page, against a local AWS: browse, pick, look, import, sync."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from grantline.control.applications import rules as applications
from grantline.control.imports.models import Draft, Import
from grantline.control.organizations.models import User
from grantline.control.runs.models import Run
from grantline.jobs import drafts
from grantline.jobs.run import carry_out
from tests.integration.jobs.conftest import World, grants_csv, stack, world

__all__ = ["stack", "world"]

pytestmark = pytest.mark.integration

PART: dict[str, Any] = {"HTTP_HX_REQUEST": "true"}
FILE = grants_csv(("ann", "Books", "read"), ("bob", "Books", "write"))


@pytest.fixture
def browser(world: World) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.get(pk=world.scope.actor_id))
    return client


@pytest.fixture
def draft(world: World) -> Draft:
    return drafts.start(world.scope, applications.create(world.scope, "Payments").pk)


def listed(browser: Client, world: World, draft: Draft, prefix: str = "") -> str:
    query = {"data_source_id": world.source.pk, "prefix": prefix}
    return browser.get(f"/imports/drafts/{draft.pk}/listing", query, **PART).content.decode()


def test_listing_shows_folders_and_files(browser: Client, world: World, draft: Draft) -> None:
    world.put("access/2026/<b>odd.csv", FILE)
    top = listed(browser, world, draft)
    assert "first.csv" in top
    assert "2026/" in top
    inside = listed(browser, world, draft, "access/2026/")
    assert "&lt;b&gt;odd.csv" in inside
    assert "<b>odd" not in inside


def test_listing_outside_the_prefix_says_no(browser: Client, world: World, draft: Draft) -> None:
    world.put("secret/x.csv", FILE)
    html = listed(browser, world, draft, "secret/")
    assert "x.csv" not in html
    assert "notice--red" in html


def test_picked_file_is_looked_at_imported_and_synced(browser: Client, world: World, draft: Draft) -> None:
    world.put("access/hr.csv", FILE)
    form = {"data_source_id": world.source.pk, "key": "access/hr.csv"}
    assert browser.post(f"/imports/drafts/{draft.pk}/source", form).status_code == 302
    html = browser.get(f"/imports/drafts/{draft.pk}/preview", **PART).content.decode()
    assert "Import 2 grants" in html
    browser.post(f"/imports/drafts/{draft.pk}/import", {"interval_seconds": "900"})
    item, run = Import.objects.get(), Run.objects.get()
    assert (item.key, item.interval_seconds) == ("access/hr.csv", 900)
    carry_out(run.pk)
    html = browser.get(f"/runs/{run.pk}").content.decode()
    assert "2 grants added" in html
    assert "role/GrantlineIntegration" in html
    second = browser.post(f"/imports/{item.pk}/sync")["Location"].rsplit("/", 1)[-1]
    carry_out(second)
    assert "so nothing was read and nothing changed" in browser.get(f"/runs/{second}").content.decode()


def test_pattern_is_kept_as_one(browser: Client, world: World, draft: Draft) -> None:
    form = {"data_source_id": world.source.pk, "key": "access/hr-*.csv", "is_pattern": "on"}
    browser.post(f"/imports/drafts/{draft.pk}/source", form)
    draft.refresh_from_db()
    assert (draft.key, draft.pattern) == ("", "access/hr-*.csv")
    html = browser.get(f"/imports/drafts/{draft.pk}/preview", **PART).content.decode()
    assert "matches access/hr-*.csv" in html


def test_pattern_without_a_star_is_refused_at_its_field(browser: Client, world: World, draft: Draft) -> None:
    form = {"data_source_id": world.source.pk, "key": "access/hr.csv", "is_pattern": "on"}
    response = browser.post(f"/imports/drafts/{draft.pk}/source", form)
    assert response.status_code == 422
    assert 'aria-invalid="true"' in response.content.decode()


def test_missing_object_is_told_and_nothing_is_offered(browser: Client, world: World, draft: Draft) -> None:
    form = {"data_source_id": world.source.pk, "key": "access/none.csv"}
    browser.post(f"/imports/drafts/{draft.pk}/source", form)
    html = browser.get(f"/imports/drafts/{draft.pk}/preview", **PART).content.decode()
    assert "There is no object access/none.csv" in html
    assert "fact-delimiter" not in html


def test_pause_and_resume(browser: Client, world: World) -> None:
    item = world.make_import("access/first.csv")
    browser.post(f"/imports/{item.pk}/pause")
    html = browser.get(f"/imports/{item.pk}").content.decode()
    assert "Paused" in html
    assert "Resume" in html
    browser.post(f"/imports/{item.pk}/resume")
    item.refresh_from_db()
    assert item.paused_at is None
    assert item.next_run_at is not None
