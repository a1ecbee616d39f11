"""Signing in and out, and what stands in front of every page."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from grantline.control.audit.models import AuditEvent
from grantline.control.organizations.models import User
from grantline.control.organizations.roles import Role
from tests.integration.web.people import PASSWORD, make_member

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


@pytest.fixture
def user() -> User:
    """Somebody who can sign in."""
    user, _scope = make_member("Example", Role.AUDITOR)
    user.set_password(PASSWORD)
    user.save()
    return user


def sign_in(client: Client, email: str, password: str, **more: str) -> Any:
    return client.post("/sign-in", {"email": email, "password": password, **more})


def test_sign_in_opens_the_overview_and_is_recorded(user: User) -> None:
    client = Client()

    answer = sign_in(client, user.email.upper(), PASSWORD)

    assert (answer.status_code, answer["Location"]) == (302, "/")
    event = AuditEvent.objects.get(action="session:sign_in")
    assert (event.actor_id, event.address, event.via) == (user.pk, "127.0.0.1", "session")


def test_sign_in_rotates_the_session_key(user: User) -> None:
    client = Client()
    session = client.session
    session["before"] = "yes"
    session.save()
    before = session.session_key

    sign_in(client, user.email, PASSWORD)

    assert client.session.session_key != before


def test_unknown_address_and_wrong_password_read_the_same(user: User) -> None:
    wrong = sign_in(Client(), user.email, "something else entirely")
    unknown = sign_in(Client(), "nobody@example.com", "something else entirely")

    assert wrong.status_code == unknown.status_code == 422
    said = "The e-mail address or the password is not right."
    assert said in wrong.content.decode()
    assert said in unknown.content.decode()


def test_ten_failures_make_even_the_right_password_wait(user: User) -> None:
    for _ in range(10):
        sign_in(Client(), user.email, "")

    answer = sign_in(Client(), user.email, PASSWORD)

    assert answer.status_code == 422
    assert "Wait 15 minutes" in answer.content.decode()
    assert sign_in(Client(REMOTE_ADDR="192.0.2.7"), user.email, PASSWORD).status_code == 302


@pytest.mark.parametrize(
    ("wanted", "goes_to"),
    [
        ("/settings/tokens?x=1", "/settings/tokens?x=1"),
        ("https://example.com/", "/"),
        ("//example.com/", "/"),
        ("/\\example.com", "/"),
        ("javascript:alert(1)", "/"),
        ("/sign-in?next=/", "/"),
    ],
)
def test_next_leads_to_own_paths_only(user: User, wanted: str, goes_to: str) -> None:
    assert sign_in(Client(), user.email, PASSWORD, next=wanted)["Location"] == goes_to


def test_sign_in_needs_the_csrf_token(user: User) -> None:
    client = Client(enforce_csrf_checks=True)

    assert sign_in(client, user.email, PASSWORD).status_code == 403


def test_somebody_without_a_membership_gets_no_session() -> None:
    User.objects.create_user("outsider@example.com", PASSWORD)
    client = Client()

    answer = sign_in(client, "outsider@example.com", PASSWORD)

    assert "not a member" in answer.content.decode()
    assert client.get("/")["Location"] == "/sign-in"


def test_a_membership_that_is_gone_ends_the_session(browser: Client) -> None:
    from grantline.control.organizations.models import Membership

    Membership.objects.all().delete()

    assert browser.get("/settings")["Location"] == "/sign-in?next=%2Fsettings"


def test_sign_out_ends_the_session_and_takes_post_only(browser: Client) -> None:
    assert browser.get("/sign-out").status_code == 405
    assert browser.post("/sign-out")["Location"] == "/sign-in"
    assert browser.get("/settings").status_code == 302


def test_htmx_is_told_to_open_the_sign_in_page() -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/settings/tokens"}

    answer = Client().get("/settings/members", headers=headers)

    assert answer.status_code == 401
    assert answer["HX-Redirect"] == "/sign-in?next=%2Fsettings%2Ftokens"


def test_every_answer_carries_the_security_headers(browser: Client) -> None:
    for path in ("/", "/sign-in", "/nothing-here"):
        answer = browser.get(path)
        assert answer["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'; ")
        assert answer["X-Frame-Options"] == "DENY"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Cache-Control"] == "no-store"


def test_a_page_that_does_not_exist_says_so(browser: Client) -> None:
    answer = browser.get("/nothing-here")

    assert answer.status_code == 404
    assert "There is no such page." in answer.content.decode()


def test_request_ids_are_kept_where_they_have_the_form_of_one(browser: Client) -> None:
    assert browser.get("/", headers={"X-Request-ID": "abc-12345678"})["X-Request-ID"] == "abc-12345678"
    assert browser.get("/", headers={"X-Request-ID": "a\tb"})["X-Request-ID"] != "a\tb"


def test_the_day_is_kept_until_it_is_set_back(browser: Client) -> None:
    browser.post("/as-of", {"as_of": "2025-03-01", "next": "/settings"})
    assert "1 Mar 2025" in browser.get("/settings").content.decode()

    browser.post("/as-of", {"as_of": "", "next": "/settings"})
    assert "1 Mar 2025" not in browser.get("/settings").content.decode()


def test_a_day_to_come_is_refused(browser: Client) -> None:
    answer = browser.post("/as-of", {"as_of": "2999-01-01"}, follow=True)

    assert "has not come yet" in answer.content.decode()
    assert "as_of" not in browser.session
