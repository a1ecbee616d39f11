"""The overview, search and settings."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from grantline.control.accounts.models import AccountIndex
from grantline.control.applications import rules as applications
from grantline.control.imports import rules as imports
from grantline.control.imports.models import Import
from grantline.control.organizations.roles import Role
from grantline.control.runs.models import Run, RunState, Version
from grantline.control.sources import rules as sources
from grantline.control.tenancy import Scope
from grantline.control.tokens.models import ApiToken
from grantline.control.tokens.rules import scope_of_token
from grantline.web.overview.figures import daily_changes, figures
from tests.integration.web.people import make_member

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


@pytest.fixture
def item(scope: Scope) -> Import:
    source = sources.create(scope, "Exports")
    application = applications.create(scope, "Payroll")
    return imports.create(scope, application.pk, {"data_source_id": source.pk, "key": "hr.csv"})


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def publish(item: Import, number: int, days_ago: int, grants: int, added: int, removed: int) -> Version:
    changes = {"added": added, "removed": removed, "changed": 0}
    return Version.objects.create(
        organization_id=item.organization_id,
        of_import=item,
        number=number,
        published_at=timezone.now() - timedelta(days=days_ago),
        counts={"accounts": 10, "resources": 1, "entitlements": 5, "grants": grants},
        changes={"accounts": changes, "entitlements": changes, "grants": changes},
    )


def test_an_empty_organization_sees_the_first_steps(browser: Client) -> None:
    page = text_of(browser.get("/"))

    assert "First steps" in page
    assert "Connect a bucket" in page
    assert "Needs you" not in page


def test_first_steps_link_only_to_what_the_role_allows(browser: Client, auditor: Client) -> None:
    assert 'href="/applications/new"' in text_of(browser.get("/"))
    assert 'href="/applications/new"' not in text_of(auditor.get("/"))


def test_first_steps_end_with_the_first_data(browser: Client, item: Import) -> None:
    item.current_version = publish(item, 1, 0, 12431, 12431, 0)
    item.looked_at = timezone.now()
    item.save()

    page = text_of(browser.get("/"))

    assert "First steps" not in page
    assert "Nothing needs you" in page
    assert "12,431" in page


def test_figures_compare_with_what_was_current_a_week_ago(scope: Scope, item: Import) -> None:
    publish(item, 1, 20, 100, 100, 0)
    publish(item, 2, 8, 90, 0, 10)
    item.current_version = publish(item, 3, 1, 120, 30, 0)
    item.save()

    shown = {figure.label: (figure.value, figure.change) for figure in figures(scope, [item], timezone.now())}

    assert shown["Grants"] == (120, 30)
    assert shown["Applications"] == (1, None)


def test_a_past_day_shows_what_was_current_then_and_nothing_to_do(browser: Client, item: Import) -> None:
    publish(item, 1, 20, 7654, 7654, 0)
    item.current_version = publish(item, 2, 1, 9321, 1667, 0)
    item.failing_since = timezone.now()
    item.save()
    day = (timezone.now() - timedelta(days=5)).date()

    browser.post("/as-of", {"as_of": day.isoformat()})

    page = text_of(browser.get("/"))
    assert "7,654" in page
    assert "9,321" not in page
    assert "Needs you" not in page


def test_daily_changes_add_up_the_versions_of_a_day(scope: Scope, item: Import) -> None:
    publish(item, 1, 40, 100, 100, 0)
    publish(item, 2, 2, 90, 1, 10)
    publish(item, 3, 2, 95, 5, 3)

    days = daily_changes(scope, timezone.now())

    assert len(days) == 30
    assert [(day.added, day.removed) for day in days if day.added or day.removed] == [(6, 13)]


def test_what_needs_a_person_comes_with_its_action(browser: Client, item: Import) -> None:
    reason = "2,310 of 11,904 grants would go."
    run = Run.objects.create(
        organization_id=item.organization_id,
        of_import=item,
        number=1,
        state=RunState.HELD,
        trigger="schedule",
        guard={"code": "removal_guard", "reasons": [reason]},
    )

    page = text_of(browser.get("/"))

    assert reason in page
    assert f'href="/runs/{run.pk}"' in page


def test_a_neighbours_things_are_nowhere(neighbour: Client, item: Import) -> None:
    AccountIndex.objects.create(
        organization_id=item.organization_id, application=item.application, import_id=item.pk, key="hr-7@payroll"
    )

    for address in ("/", "/search?q=payroll", "/search?q=exports", "/integrations/data-sources"):
        page = text_of(neighbour.get(address))
        assert "hr-7@" not in page
        assert item.application_id not in page
        assert str(item.data_source_id) not in page


def test_search_finds_applications_sources_and_accounts(browser: Client, item: Import) -> None:
    AccountIndex.objects.create(
        organization_id=item.organization_id,
        application=item.application,
        import_id=item.pk,
        key="a/b payroll é",
        display_name="Kim \u202eExample",
    )

    page = text_of(browser.get("/search", {"q": "PAYROLL"}))

    assert f"/applications/{item.application_id}" in page
    assert f"/applications/{item.application_id}/accounts/" in page
    assert "\u202e" not in page
    assert "Nothing found" in text_of(browser.get("/search", {"q": "zzz\x00zzz"}))


def test_a_token_is_shown_once_and_works(browser: Client) -> None:
    made = browser.post("/settings/tokens", {"name": "Nightly", "days": "7", "role": "auditor"})

    text = next(
        word
        for word in text_of(made).replace("<", " ").replace(">", " ").split()
        if word.startswith("glt_") and len(word) > 20
    )
    assert scope_of_token(text).role is Role.AUDITOR
    assert text not in text_of(browser.get("/settings/tokens"))


@pytest.mark.parametrize("values", [{"days": "soon"}, {"days": "0"}, {"name": ""}, {"role": "emperor"}])
def test_a_token_with_a_wrong_value_is_not_made(browser: Client, values: dict[str, str]) -> None:
    answer = browser.post("/settings/tokens", {"name": "Nightly", "days": "7", "role": "", **values})

    assert answer.status_code == 422
    assert 'aria-invalid="true"' in text_of(answer)
    assert not ApiToken.objects.exists()


def test_revoking_is_for_ones_own_tokens_or_administrators(browser: Client, auditor: Client) -> None:
    browser.post("/settings/tokens", {"name": "Nightly", "days": "7", "role": ""})
    token = ApiToken.objects.get()

    assert auditor.post(f"/settings/tokens/{token.pk}/revoke").status_code == 403
    assert "was revoked" in text_of(browser.post(f"/settings/tokens/{token.pk}/revoke", follow=True))
    token.refresh_from_db()
    assert token.revoked_at is not None


def test_members_lists_the_organization_s_people_alone(browser: Client, neighbour: Client) -> None:
    make_member("Example", Role.APPLICATION_OWNER)

    page = text_of(browser.get("/settings/members"))

    assert "application_owner@example.example.com" in page
    assert "neighbour.example.com" not in page


@pytest.mark.parametrize(
    "address",
    [
        "/settings",
        "/settings/profile",
        "/settings/security",
        "/settings/members",
        "/settings/roles",
        "/settings/tokens",
    ],
)
def test_settings_open_for_every_role(auditor: Client, address: str) -> None:
    assert auditor.get(address).status_code == 200
