"""The second step: setting it up, being asked for it, losing it, being forced to have it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.test import Client

from grantline.control.audit.models import AuditEvent
from grantline.control.organizations.models import User
from grantline.control.organizations.roles import Role
from tests.integration.web.codes import code_of, give_app, give_codes
from tests.integration.web.people import PASSWORD, make_member

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


@pytest.fixture
def user() -> User:
    """A Super Administrator with a password."""
    user, _scope = make_member("Example", Role.SUPER_ADMINISTRATOR)
    user.set_password(PASSWORD)
    user.save()
    return user


@pytest.fixture
def required(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation as it is by default."""
    monkeypatch.setattr(settings, "GRANTLINE", replace(settings.GRANTLINE, require_mfa="super_administrators"))


def first_step(client: Client, user: User, **more: str) -> Any:
    return client.post("/sign-in", {"email": user.email, "password": PASSWORD, **more})


def is_signed_in(client: Client) -> bool:
    return client.get("/settings").status_code == 200


def test_the_password_alone_is_not_enough_for_somebody_with_an_app(user: User) -> None:
    give_app(user)
    client = Client()

    assert first_step(client, user)["Location"] == "/sign-in/second-step"
    assert not is_signed_in(client)
    assert not AuditEvent.objects.filter(action="session:sign_in").exists()


def test_the_code_of_the_app_signs_in_and_leads_on(user: User) -> None:
    secret = give_app(user)
    client = Client()
    first_step(client, user, next="/settings/tokens")

    answer = client.post("/sign-in/second-step", {"code": code_of(secret)})

    assert (answer.status_code, answer["Location"]) == (302, "/settings/tokens")
    assert is_signed_in(client)
    assert AuditEvent.objects.get(action="session:sign_in").actor_id == user.pk


def test_a_code_signs_in_once(user: User) -> None:
    code = code_of(give_app(user))
    for expected in (True, False):
        client = Client()
        first_step(client, user)
        client.post("/sign-in/second-step", {"code": code})
        assert is_signed_in(client) is expected


def test_a_recovery_code_signs_in_once(user: User) -> None:
    give_app(user)
    code = give_codes(user)[3]
    for expected in (True, False):
        client = Client()
        first_step(client, user)
        client.post("/sign-in/second-step", {"code": f" {code} "})
        assert is_signed_in(client) is expected


def test_ten_wrong_codes_make_even_the_right_one_wait(user: User) -> None:
    secret = give_app(user)
    client = Client()
    first_step(client, user)
    for _ in range(10):
        assert client.post("/sign-in/second-step", {"code": "000000"}).status_code == 422

    answer = client.post("/sign-in/second-step", {"code": code_of(secret)}, REMOTE_ADDR="192.0.2.9")

    assert "Wait 15 minutes" in answer.content.decode()
    assert not is_signed_in(client)


def test_the_second_step_alone_leads_to_the_sign_in_page(user: User) -> None:
    secret = give_app(user)

    assert Client().post("/sign-in/second-step", {"code": code_of(secret)})["Location"] == "/sign-in"


@pytest.mark.parametrize("body", [{"credential": "no json"}, {"credential": "[]"}, {"credential": "{}"}, {"code": "é"}])
def test_what_is_no_proof_is_refused(user: User, body: dict[str, str]) -> None:
    give_app(user)
    client = Client()
    first_step(client, user)

    assert client.post("/sign-in/second-step", body).status_code == 422


def test_an_app_is_set_up_with_a_code_of_it_and_recovery_codes_are_shown_once(user: User) -> None:
    client, other = Client(), Client()
    for browser in (client, other):
        first_step(browser, user)
    assert is_signed_in(other)
    page = client.get("/settings/security/set-up/app").content.decode()
    secret = re.search(r"data-copy-text>([A-Z2-7 ]+)<", page)
    assert secret
    assert "<svg" in page

    wrong = client.post("/settings/security/set-up/app", {"code": "000000"})
    answer = client.post("/settings/security/set-up/app", {"code": code_of(secret.group(1).replace(" ", ""))})

    assert wrong.status_code == 422
    assert len(re.findall(r"\b\d{8}\b", answer.content.decode())) == 10
    assert set(Authenticator.objects.filter(user=user).values_list("type", flat=True)) == {"totp", "recovery_codes"}
    assert secret.group(1).replace(" ", "") not in str(Authenticator.objects.get(user=user, type="totp").data)
    assert not is_signed_in(other), "a session that was opened with less has ended"
    assert AuditEvent.objects.filter(action="second_step:add").count() == 1


def test_a_super_administrator_without_a_second_step_can_only_set_one_up(user: User, required: None) -> None:
    client = Client()
    first_step(client, user)

    for path in ("/", "/settings/tokens", "/settings/members", "/integrations/data-sources"):
        assert client.get(path)["Location"] == "/settings/security/set-up"
        assert client.post(path, {"name": "x"})["Location"] == "/settings/security/set-up"
    assert client.get("/settings", headers={"HX-Request": "true"})["HX-Redirect"] == "/settings/security/set-up"
    assert client.get("/settings/security/set-up").status_code == 200
    assert client.get("/settings/security/set-up/app").status_code == 200

    give_app(user)
    assert is_signed_in(client)


def test_others_are_not_forced_unless_everybody_is(required: None, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client()
    client.force_login(make_member("Example", Role.AUDITOR)[0])
    assert is_signed_in(client)

    monkeypatch.setattr(settings, "GRANTLINE", replace(settings.GRANTLINE, require_mfa="everybody"))
    assert client.get("/settings")["Location"] == "/settings/security/set-up"


def test_the_last_second_step_stays_where_one_is_required(user: User, required: None) -> None:
    give_app(user)
    client = Client()
    client.force_login(user)
    step = Authenticator.objects.get(user=user)

    client.post(f"/settings/security/second-steps/{step.pk}/remove")

    assert Authenticator.objects.filter(pk=step.pk).exists()


def test_without_the_last_second_step_recovery_codes_go_too(user: User) -> None:
    give_app(user)
    give_codes(user)
    client = Client()
    client.force_login(user)
    step = Authenticator.objects.get(user=user, type="totp")

    client.post(f"/settings/security/second-steps/{step.pk}/remove")

    assert not Authenticator.objects.filter(user=user).exists()
    assert AuditEvent.objects.filter(action="second_step:remove").count() == 1


def test_a_second_step_of_somebody_else_cannot_be_removed(user: User) -> None:
    give_app(user)
    other = Client()
    other.force_login(make_member("Example", Role.AUDITOR)[0])

    answer = other.post(f"/settings/security/second-steps/{Authenticator.objects.get().pk}/remove")

    assert answer.status_code == 404
    assert Authenticator.objects.exists()


def test_new_recovery_codes_replace_the_old_ones(user: User) -> None:
    give_app(user)
    old = give_codes(user)
    client = Client()
    client.force_login(user)

    shown = client.post("/settings/security/recovery-codes").content.decode()

    assert len(re.findall(r"\b\d{8}\b", shown)) == 10
    assert not [code for code in old if code in shown]


def test_the_sign_in_page_says_where_no_second_step_is_required(
    required: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "GRANTLINE_REQUIRE_MFA=nobody" not in Client().get("/sign-in").content.decode()

    monkeypatch.setattr(settings, "GRANTLINE", replace(settings.GRANTLINE, require_mfa="nobody"))
    assert "GRANTLINE_REQUIRE_MFA=nobody" in Client().get("/sign-in").content.decode()
