"""Single sign-on: setting it up, signing in, who becomes a member as what, and providers that lie."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.test import Client

from grantline.control.audit.models import AuditEvent
from grantline.control.organizations.models import Membership, User
from grantline.control.organizations.roles import Role
from grantline.control.single_sign_on.models import SingleSignOn
from grantline.web.session.identity import PROVED_AT
from tests.integration.web import provider as providers
from tests.integration.web.codes import code_of, give_app
from tests.integration.web.people import make_member
from tests.integration.web.provider import CLIENT_ID, CLIENT_SECRET, Provider

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    """A provider on loopback that the operator allows."""
    monkeypatch.setattr(settings, "GRANTLINE", replace(settings.GRANTLINE, allow_private_issuers=True))
    with providers.running() as running:
        yield running


def form(provider: Provider, **more: str) -> dict[str, str]:
    return {
        "issuer_url": provider.issuer,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "email_domains": "example.com, example.org",
        "role_claim": "",
        "role_map": "",
        "default_role": "auditor",
        **more,
    }


@pytest.fixture
def sign_on(browser: Client, provider: Provider) -> SingleSignOn:
    """Single sign-on of "Example", set up on its page."""
    assert browser.post("/settings/sign-on", form(provider)).status_code == 302
    return SingleSignOn.objects.get()


def configure(row: SingleSignOn, **values: Any) -> None:
    SingleSignOn.objects.filter(pk=row.pk).update(**values)


def go(provider: Provider, row: SingleSignOn, client: Client | None = None, next_path: str = "") -> tuple[Client, Any]:
    """Sign in through the provider; the browser, and the last answer."""
    client = client or Client()
    start = client.get(f"/sign-in/sso/{row.pk}", {"next": next_path})
    assert start.status_code == 302, start.content.decode()
    back = provider.authorize(start["Location"])
    return client, client.get(back.removeprefix("http://testserver"))


def is_signed_in(client: Client) -> bool:
    return client.get("/settings").status_code == 200


def test_setting_it_up_seals_the_secret_and_shows_the_addresses(browser: Client, sign_on: SingleSignOn) -> None:
    page = browser.get("/settings/sign-on").content.decode()

    assert CLIENT_SECRET not in page
    assert CLIENT_SECRET not in sign_on.sealed_secret
    assert f"http://testserver/sign-in/sso/{sign_on.pk}/callback" in page
    assert CLIENT_SECRET not in str(list(AuditEvent.objects.values()))
    assert AuditEvent.objects.filter(action="single_sign_on:change").count() == 1


def test_whoever_is_new_becomes_a_member_with_the_default_role(provider: Provider, sign_on: SingleSignOn) -> None:
    client, answer = go(provider, sign_on, next_path="/settings/tokens")

    assert (answer.status_code, answer["Location"]) == (302, "/settings/tokens")
    assert is_signed_in(client)
    member = Membership.objects.get(user__email="kim@example.com")
    assert (member.role, member.organization_id, member.user.name) == ("auditor", sign_on.organization_id, "Kim")
    assert not member.user.has_usable_password()
    actions = list(AuditEvent.objects.order_by("sequence").values_list("action", "via"))
    assert actions[-2:] == [("member:add", "single_sign_on"), ("session:sign_in", "session")]


def test_the_same_subject_is_the_same_member_although_the_address_changes(
    provider: Provider, sign_on: SingleSignOn
) -> None:
    go(provider, sign_on)
    provider.claims["email"] = "kim.new@example.org"

    assert is_signed_in(go(provider, sign_on)[0])
    assert User.objects.filter(email__startswith="kim").count() == 1


def test_roles_follow_the_claims_at_each_sign_in_and_the_highest_counts(
    provider: Provider, sign_on: SingleSignOn
) -> None:
    roles = {"owners": "application_owner", "admins": "application_administrator"}
    configure(sign_on, role_claim="groups", role_map=roles, default_role="")
    given = []
    for groups in (["owners", "admins", "x"], "owners"):
        provider.claims["groups"] = groups
        assert is_signed_in(go(provider, sign_on)[0])
        given.append(Membership.objects.get(user__email="kim@example.com").role)

    assert given == ["application_administrator", "application_owner"]
    provider.claims["groups"] = []
    client, answer = go(provider, sign_on)
    assert "gives you no role" in answer.content.decode()
    assert not is_signed_in(client)


def test_without_a_mapping_a_role_given_here_stays(provider: Provider, sign_on: SingleSignOn) -> None:
    go(provider, sign_on)
    Membership.objects.filter(user__email="kim@example.com").update(role="application_owner")
    go(provider, sign_on)

    assert Membership.objects.get(user__email="kim@example.com").role == "application_owner"


def test_the_last_super_administrator_keeps_the_role(provider: Provider, sign_on: SingleSignOn) -> None:
    configure(sign_on, role_claim="groups", role_map={"x": "auditor"}, email_domains=["example.example.com"])
    provider.claims |= {"email": "super_administrator@example.example.com", "groups": ["x"]}

    assert is_signed_in(go(provider, sign_on)[0])
    assert Membership.objects.get(user__email=provider.claims["email"]).role == "super_administrator"


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"email": "kim@elsewhere.example"}, "not of a domain"),
        ({"email": "kim@sub.example.com"}, "not of a domain"),
        ({"email_verified": False}, "has not verified"),
        ({"email": ""}, "did not say"),
    ],
)
def test_an_address_that_does_not_count_is_refused(
    provider: Provider, sign_on: SingleSignOn, claims: dict[str, Any], words: str
) -> None:
    provider.claims |= claims
    client, answer = go(provider, sign_on)

    assert words in answer.content.decode()
    assert not is_signed_in(client)
    assert not Membership.objects.filter(user__name="Kim").exists()


def test_a_provider_does_not_speak_for_members_of_other_organizations(
    provider: Provider, sign_on: SingleSignOn
) -> None:
    user, scope = make_member("Neighbour", Role.SUPER_ADMINISTRATOR)
    configure(sign_on, email_domains=["neighbour.example.com"])
    provider.claims["email"] = user.email
    refused = go(provider, sign_on)
    Membership.objects.create(user=user, organization_id=sign_on.organization_id, role="auditor")
    still_refused = go(provider, sign_on)

    for client, answer in (refused, still_refused):
        assert "cannot vouch" in answer.content.decode()
        assert not is_signed_in(client)
    assert scope.organization_id != sign_on.organization_id


def test_a_session_of_single_sign_on_stays_in_its_organization(provider: Provider, sign_on: SingleSignOn) -> None:
    client, _answer = go(provider, sign_on)
    user = User.objects.get(email="kim@example.com")
    _other, scope = make_member("Neighbour", Role.SUPER_ADMINISTRATOR)
    Membership.objects.create(user=user, organization_id=scope.organization_id, role="super_administrator")
    Membership.objects.filter(user=user, organization_id=sign_on.organization_id).delete()

    assert not is_signed_in(client)


def test_whoever_was_removed_does_not_come_back(provider: Provider, sign_on: SingleSignOn) -> None:
    go(provider, sign_on)
    Membership.objects.filter(user__email="kim@example.com").delete()

    assert not is_signed_in(go(provider, sign_on)[0])


def test_a_second_step_is_asked_for_here_too(provider: Provider, sign_on: SingleSignOn) -> None:
    go(provider, sign_on)
    secret = give_app(User.objects.get(email="kim@example.com"))
    client, answer = go(provider, sign_on)

    assert answer["Location"] == "/sign-in/second-step"
    assert not is_signed_in(client)
    client.post("/sign-in/second-step", {"code": code_of(secret)})
    assert is_signed_in(client)


def _other_key(provider: Provider) -> None:
    provider.key = rsa.generate_private_key(65537, 2048)


def _unsigned(provider: Provider) -> None:
    provider.key, provider.algorithm = "", "none"


def _shared_key(provider: Provider) -> None:
    provider.key, provider.algorithm = "x" * 64, "HS256"


def _claims(**values: Any) -> Any:
    def change(provider: Provider) -> None:
        provider.spoil = lambda claims: {**claims, **values}

    return change


@pytest.mark.parametrize(
    "spoil",
    [
        _other_key,
        _unsigned,
        _shared_key,
        _claims(iss="https://login.example.com"),
        _claims(aud="somebody-else"),
        _claims(exp=int(time.time()) - 60),
        _claims(nonce="another browser's"),
        _claims(nonce=None),
        _claims(sub=""),
    ],
)
def test_a_token_that_is_not_right_signs_nobody_in(provider: Provider, sign_on: SingleSignOn, spoil: Any) -> None:
    spoil(provider)
    client, answer = go(provider, sign_on)

    assert "could not sign you in" in answer.content.decode()
    assert not is_signed_in(client)
    assert not User.objects.filter(email="kim@example.com").exists()


def test_the_address_may_stand_in_the_user_information_of_the_same_subject(
    provider: Provider, sign_on: SingleSignOn
) -> None:
    del provider.claims["email"]
    provider.userinfo = {"sub": "somebody else", "email": "kim@example.com"}
    assert not is_signed_in(go(provider, sign_on)[0])

    provider.userinfo = {"sub": "subject-1", "email": "kim@example.com"}
    assert is_signed_in(go(provider, sign_on)[0])


def test_an_answer_for_another_browser_signs_nobody_in(provider: Provider, sign_on: SingleSignOn) -> None:
    start = Client().get(f"/sign-in/sso/{sign_on.pk}")
    back = provider.authorize(start["Location"]).removeprefix("http://testserver")
    client = Client()

    assert "could not sign you in" in client.get(back).content.decode()
    assert not is_signed_in(client)


def test_the_way_there_carries_state_nonce_and_a_challenge(provider: Provider, sign_on: SingleSignOn) -> None:
    go(provider, sign_on)
    go(provider, sign_on)

    for name in ("state", "nonce", "code_challenge"):
        assert len({asked[name] for asked in provider.seen}) == 2
        assert min(len(asked[name]) for asked in provider.seen) >= 16
    assert set(provider.seen[0]["scope"].split()) == {"openid", "profile", "email"}


def test_somebody_who_is_signed_in_proves_who_they_are_again(provider: Provider, sign_on: SingleSignOn) -> None:
    client, _answer = go(provider, sign_on)
    session = client.session
    session[PROVED_AT] = time.time() - 660
    session.save()
    page = client.post("/settings/tokens", {"name": "x", "days": "1", "role": "auditor"}).content.decode()
    assert f"/sign-in/sso/{sign_on.pk}" in page

    provider.spoil = _auth_time(time.time() - 3600)
    assert "did not ask" in go(provider, sign_on, client)[1].content.decode()

    provider.spoil = _auth_time(time.time())
    go(provider, sign_on, client)
    assert provider.seen[-1]["prompt"] == "login"
    assert client.post("/settings/tokens", {"name": "x", "days": "1", "role": "auditor"}).status_code == 200


def _auth_time(moment: float) -> Any:
    return lambda claims: {**claims, "auth_time": int(moment)}


def test_the_e_mail_address_finds_the_provider(provider: Provider, sign_on: SingleSignOn) -> None:
    found = Client().post("/sign-in/sso", {"email": "Kim@Example.com", "next": "/runs"})
    unknown = Client().post("/sign-in/sso", {"email": "kim@elsewhere.example"})

    assert f'href="/sign-in/sso/{sign_on.pk}?next=%2Fruns"' in found.content.decode()
    assert unknown.status_code == 422


def test_a_provider_that_is_gone_says_so_on_the_sign_in_page(provider: Provider, sign_on: SingleSignOn) -> None:
    configure(sign_on, issuer_url="http://127.0.0.1:9")

    assert "could not sign you in" in Client().get(f"/sign-in/sso/{sign_on.pk}").content.decode()
    assert Client().get("/sign-in/sso/sso_unknown").status_code == 404
    assert Client().get("/sign-in/sso/sso_unknown/callback?code=x&state=y").status_code == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"issuer_url": "http://login.example.com"}, "issuer"),
        ({"issuer_url": "http://127.0.0.1:9"}, "issuer"),
        ({"client_id": ""}, "client_id"),
        ({"client_secret": ""}, "client_secret"),
        ({"email_domains": ""}, "email_domains"),
        ({"email_domains": "com"}, "email_domains"),
        ({"role_claim": "g", "role_map": "x = king"}, "role_map"),
        ({"role_map": "x = auditor"}, "role_claim"),
        ({"default_role": "king"}, "default_role"),
    ],
)
def test_what_cannot_be_stored_says_why_beside_its_field(
    browser: Client, provider: Provider, change: dict[str, str], field: str
) -> None:
    answer = browser.post("/settings/sign-on", form(provider, **change))

    assert answer.status_code == 422
    assert re.search(rf'id="field-{field}\w*-error"', answer.content.decode())
    assert not SingleSignOn.objects.exists()


def test_a_private_issuer_is_refused_by_default(browser: Client) -> None:
    with providers.running() as running:
        assert browser.post("/settings/sign-on", form(running)).status_code == 422
    assert not SingleSignOn.objects.exists()


def test_another_issuer_needs_its_own_secret_and_knows_nobody(
    browser: Client, provider: Provider, sign_on: SingleSignOn
) -> None:
    go(provider, sign_on)
    kept = browser.post("/settings/sign-on", form(provider, client_secret=""))
    with providers.running() as other:
        refused = browser.post("/settings/sign-on", form(other, client_secret=""))
        stored = browser.post("/settings/sign-on", form(other))
        other.claims["email"] = "somebody.else@example.com"
        go(other, SingleSignOn.objects.get())

    assert (kept.status_code, refused.status_code, stored.status_code) == (302, 422, 302)
    assert Membership.objects.filter(user__email="somebody.else@example.com").exists()


def test_only_super_administrators_set_it_up(auditor: Client, neighbour: Client, sign_on: SingleSignOn) -> None:
    assert auditor.get("/settings/sign-on").status_code == 403
    assert auditor.post("/settings/sign-on/delete").status_code == 403
    assert neighbour.post("/settings/sign-on/delete").status_code == 404
    assert SingleSignOn.objects.exists()


def test_removing_it_ends_that_way_in(browser: Client, sign_on: SingleSignOn) -> None:
    assert browser.post("/settings/sign-on/delete").status_code == 302

    assert Client().get(f"/sign-in/sso/{sign_on.pk}").status_code == 404
    assert "single sign-on" not in Client().get("/sign-in").content.decode()


def test_the_provider_of_the_tests_is_a_real_one(provider: Provider) -> None:
    """Its tokens verify against its published keys, so what is refused above is refused for its reason."""
    (key,) = provider.keys()["keys"]
    token = jwt.encode({"sub": "x"}, provider.key, "RS256")
    assert jwt.decode(token, jwt.PyJWK(key).key, ["RS256"]) == {"sub": "x"}
