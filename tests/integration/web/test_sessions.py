"""The list of one's own sessions, ending them, and changing one's own password."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from grantline.control.audit.models import AuditEvent
from grantline.control.organizations.models import User
from grantline.control.organizations.roles import Role
from tests.integration.web.people import PASSWORD, make_member

pytestmark = [pytest.mark.integration, pytest.mark.django_db]
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def user() -> User:
    user, _scope = make_member("Example", Role.AUDITOR)
    user.set_password(PASSWORD)
    user.save()
    return user


def open_session(user: User, address: str = "192.0.2.1", agent: str = FIREFOX) -> Client:
    client = Client(REMOTE_ADDR=address, headers={"user-agent": agent})
    assert client.post("/sign-in", {"email": user.email, "password": PASSWORD}).status_code == 302
    return client


def is_signed_in(client: Client) -> bool:
    return client.get("/settings").status_code == 200


def test_sessions_are_listed_with_device_and_address(user: User) -> None:
    first = open_session(user)
    open_session(user, "198.51.100.7", "curl/8")

    page = first.get("/settings/security").content.decode()

    assert "Firefox on Windows" in page
    assert "192.0.2.1" in page
    assert "198.51.100.7" in page
    assert "Unknown device" in page


def test_a_session_that_was_not_opened_by_our_page_is_listed_too(user: User) -> None:
    client = Client(REMOTE_ADDR="203.0.113.5")
    client.force_login(user)

    assert "203.0.113.5" in client.get("/settings/security").content.decode()


def test_one_session_is_ended(user: User) -> None:
    first, second = open_session(user), open_session(user, "198.51.100.7")
    page = first.get("/settings/security").content.decode()
    found = re.search(r'sessions/(\d+)/end"(?:(?!</form>).)*198\.51\.100\.7', page, re.S)
    assert found

    first.post(f"/settings/security/sessions/{found.group(1)}/end")

    assert is_signed_in(first)
    assert not is_signed_in(second)
    assert AuditEvent.objects.filter(action="session:end").count() == 1


def test_a_session_of_somebody_else_cannot_be_ended(user: User) -> None:
    mine = open_session(user)
    page = mine.get("/settings/security").content.decode()
    number = re.search(r"sessions/(\d+)/end", page)
    assert number
    other = Client()
    other.force_login(make_member("Example", Role.SUPER_ADMINISTRATOR)[0])

    assert other.post(f"/settings/security/sessions/{number.group(1)}/end").status_code == 404
    assert is_signed_in(mine)


def test_all_others_end(user: User) -> None:
    first, second, third = (open_session(user) for _ in range(3))

    first.post("/settings/security/sessions/end", {"keep": "this"})

    assert [is_signed_in(client) for client in (first, second, third)] == [True, False, False]


def test_sign_out_everywhere_ends_this_one_too(user: User) -> None:
    first, second = open_session(user), open_session(user)

    assert first.post("/settings/security/sessions/end")["Location"] == "/sign-in"
    assert not is_signed_in(first)
    assert not is_signed_in(second)


def test_a_new_password_ends_the_other_sessions_and_keeps_this_one(user: User) -> None:
    first, second = open_session(user), open_session(user)

    weak = first.post("/settings/security/password", {"password": "short"})
    done = first.post("/settings/security/password", {"password": "another unlikely sentence"})

    assert (weak.status_code, done.status_code) == (422, 302)
    assert is_signed_in(first)
    assert not is_signed_in(second)
    user.refresh_from_db()
    assert user.check_password("another unlikely sentence")
    assert user.password.startswith("argon2")
