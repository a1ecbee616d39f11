"""Confirming who one is, ten minutes after the last proof, before what matters is changed."""

from __future__ import annotations

import re
import time

import pytest
from django.test import Client
from django.urls import get_resolver

from grantline.control.organizations.models import User
from grantline.control.organizations.roles import Role
from grantline.control.sources.models import DataSource
from grantline.control.tokens.models import ApiToken
from grantline.web.session.confirm import GUARDED
from grantline.web.session.identity import PROVED_AT
from tests.integration.web.codes import code_of, give_app
from tests.integration.web.people import PASSWORD, make_member

pytestmark = [pytest.mark.integration, pytest.mark.django_db]
TOKEN = {"name": "Nightly", "days": "5", "role": "auditor", "networks": ""}


@pytest.fixture
def user() -> User:
    user, _scope = make_member("Example", Role.SUPER_ADMINISTRATOR)
    user.set_password(PASSWORD)
    user.save()
    return user


@pytest.fixture
def stale(user: User) -> Client:
    """A browser whose last proof is eleven minutes old."""
    client = Client()
    client.force_login(user)
    session = client.session
    session[PROVED_AT] = time.time() - 660
    session.save()
    return client


def test_a_form_that_matters_asks_first_and_keeps_what_was_typed(stale: Client) -> None:
    answer = stale.post("/settings/tokens", TOKEN)

    page = answer.content.decode()
    assert answer.status_code == 403
    assert "Confirm that it is you" in page
    assert re.search(r'name="name" value="Nightly"', page)
    assert "csrfmiddlewaretoken" in page
    assert not ApiToken.objects.exists()


def test_the_password_lets_the_form_through_and_the_next_ones_too(stale: Client) -> None:
    assert stale.post("/settings/tokens", {**TOKEN, "confirm_password": PASSWORD}).status_code == 200
    assert stale.post("/settings/tokens", {**TOKEN, "name": "Second"}).status_code == 200
    assert ApiToken.objects.count() == 2


def test_a_wrong_password_asks_again_and_ten_of_them_make_wait(stale: Client) -> None:
    for _ in range(10):
        answer = stale.post("/settings/tokens", {**TOKEN, "confirm_password": "wrong"})
        assert "That is not right" in answer.content.decode()

    answer = stale.post("/settings/tokens", {**TOKEN, "confirm_password": PASSWORD})

    assert "Wait 15 minutes" in answer.content.decode()
    assert not ApiToken.objects.exists()


def test_a_code_of_the_app_lets_it_through(user: User, stale: Client) -> None:
    secret = give_app(user)

    assert 'name="confirm_code"' in stale.post("/settings/tokens", TOKEN).content.decode()
    assert stale.post("/settings/tokens", {**TOKEN, "confirm_code": code_of(secret)}).status_code == 200


def test_a_data_source_is_neither_added_nor_changed_without_it(stale: Client) -> None:
    assert stale.post("/integrations/data-sources", {"name": "Bucket"}).status_code == 403
    assert not DataSource.objects.exists()


def test_reading_asks_nothing(stale: Client) -> None:
    assert stale.get("/settings/tokens").status_code == 200


def test_somebody_fresh_is_not_asked(user: User) -> None:
    client = Client()
    client.force_login(user)

    assert client.post("/settings/tokens", TOKEN).status_code == 200


def test_htmx_loads_the_page_again(stale: Client) -> None:
    answer = stale.post("/settings/tokens", TOKEN, headers={"HX-Request": "true"})

    assert (answer.status_code, answer["HX-Refresh"]) == (401, "true")


def test_every_guarded_name_is_an_address() -> None:
    """A renamed address must not lose its guard unseen."""
    assert {name for name in get_resolver().reverse_dict if isinstance(name, str)} >= GUARDED


def test_every_change_of_a_data_source_asks_for_a_fresh_proof() -> None:
    rotation = {"source_rotate", "source_rotation_cancel"}
    assert {"sources", "source_setup_step", "source_edit", "source_delete"} | rotation <= GUARDED
