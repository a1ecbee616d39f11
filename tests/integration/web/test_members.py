"""The members' page, links to set a password, and one's own profile."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from grantline.control.audit.models import AuditEvent
from grantline.control.organizations.models import Membership, User
from grantline.control.organizations.roles import Role
from grantline.control.tenancy import acting_for
from grantline.control.tokens.rules import create, scope_of_token
from grantline.errors import NotSignedIn
from tests.integration.web.codes import give_app
from tests.integration.web.conftest import signed_in
from tests.integration.web.people import PASSWORD, make_member

pytestmark = [pytest.mark.integration, pytest.mark.django_db]
NEW = {"email": "new@example.com", "name": "Kim New", "role": "application_owner"}


def link_of(answer: Any) -> str:
    found = re.search(r"http://testserver(/set-password/[^<\s]+)", answer.content.decode())
    assert found, answer.content.decode()
    return found.group(1)


def membership(organization: str, role: Role) -> Membership:
    return Membership.objects.get(user=make_member(organization, role)[0])


def test_a_new_member_gets_a_link_that_works_once(browser: Client) -> None:
    link = link_of(browser.post("/settings/members", NEW))
    visitor = Client()

    assert visitor.get(link).status_code == 200
    weak = visitor.post(link, {"password": "short"})
    done = visitor.post(link, {"password": PASSWORD})

    assert weak.status_code == 422
    assert done["Location"] == "/sign-in"
    assert visitor.post(link, {"password": "another unlikely sentence"}).status_code == 410
    assert visitor.post("/sign-in", {"email": NEW["email"], "password": PASSWORD}).status_code == 302
    assert Membership.objects.get(user__email=NEW["email"]).role == "application_owner"
    actions = set(AuditEvent.objects.values_list("action", flat=True))
    assert {"member:add", "member:link", "profile:change_password", "session:sign_in"} <= actions
    assert PASSWORD not in str(list(AuditEvent.objects.values()))


def test_the_link_is_shown_once_and_kept_nowhere(browser: Client) -> None:
    link = link_of(browser.post("/settings/members", NEW))

    assert link not in browser.get("/settings/members").content.decode()
    assert link.rsplit(".", 1)[1] not in str(list(AuditEvent.objects.values()))


@pytest.mark.parametrize("text", ["x", "usr_x.y", "a.b.c", "%00.x"])
def test_a_link_that_is_none_says_it_is_over(text: str) -> None:
    assert Client().get(f"/set-password/{text}").status_code == 410


def test_no_link_is_made_for_somebody_whom_another_organization_trusts(browser: Client) -> None:
    user, _scope = make_member("Neighbour", Role.SUPER_ADMINISTRATOR)
    user.set_password(PASSWORD)
    user.save()

    answer = browser.post("/settings/members", {"email": user.email, "name": "", "role": "auditor"})
    added = Membership.objects.get(user=user, organization__name="Example")
    second = browser.post(f"/settings/members/{added.pk}/link", follow=True)

    assert answer["Location"] == "/settings/members"
    assert "another organization" in second.content.decode()
    assert not AuditEvent.objects.filter(action="member:link").exists()
    assert browser.post(f"/settings/members/{added.pk}/reset", follow=True).status_code == 200
    assert not AuditEvent.objects.filter(action="member:reset").exists()


def test_a_role_is_changed_and_counts_at_once(browser: Client) -> None:
    auditor = signed_in("Example", Role.AUDITOR)
    assert auditor.get("/settings/sign-on").status_code == 403

    browser.post(f"/settings/members/{membership('Example', Role.AUDITOR).pk}/role", {"role": "super_administrator"})

    assert auditor.get("/settings/sign-on").status_code == 200
    event = AuditEvent.objects.get(action="member:change")
    assert (event.before, event.after) == ({"role": "auditor"}, {"role": "super_administrator"})


@pytest.mark.parametrize("path", ["role", "remove"])
def test_the_last_super_administrator_stays(browser: Client, path: str) -> None:
    row = membership("Example", Role.SUPER_ADMINISTRATOR)

    answer = browser.post(f"/settings/members/{row.pk}/{path}", {"role": "auditor"}, follow=True)

    assert "last Super Administrator" in answer.content.decode()
    row.refresh_from_db()
    assert row.role == "super_administrator"


def test_one_of_two_super_administrators_can_go(browser: Client) -> None:
    browser.post("/settings/members", {**NEW, "role": "super_administrator"})
    row = membership("Example", Role.SUPER_ADMINISTRATOR)

    browser.post(f"/settings/members/{row.pk}/remove")

    assert not Membership.objects.filter(pk=row.pk).exists()


def test_whoever_is_removed_has_no_session_and_no_token_left(browser: Client) -> None:
    user, scope = make_member("Example", Role.AUDITOR)
    with acting_for(scope):
        _token, text = create(scope, "Nightly")
    auditor = signed_in("Example", Role.AUDITOR)
    assert auditor.get("/settings").status_code == 200

    browser.post(f"/settings/members/{membership('Example', Role.AUDITOR).pk}/remove")

    assert auditor.get("/settings")["Location"].startswith("/sign-in")
    with pytest.raises(NotSignedIn):
        scope_of_token(text)
    Membership.objects.create(user=user, organization_id=scope.organization_id, role="auditor")
    with pytest.raises(NotSignedIn):
        scope_of_token(text)
    assert auditor.get("/settings").status_code == 302, "an old session does not come back"


def test_a_lost_second_step_is_removed_and_recorded(browser: Client) -> None:
    user, _scope = make_member("Example", Role.AUDITOR)
    give_app(user)

    browser.post(f"/settings/members/{membership('Example', Role.AUDITOR).pk}/reset")

    assert not user.authenticator_set.exists()
    assert AuditEvent.objects.filter(action="member:reset").count() == 1


@pytest.mark.parametrize("path", ["", "/{id}/role", "/{id}/remove", "/{id}/link", "/{id}/reset"])
def test_only_super_administrators_change_members(auditor: Client, path: str) -> None:
    row = membership("Example", Role.SUPER_ADMINISTRATOR)

    assert auditor.post("/settings/members" + path.format(id=row.pk), {**NEW}).status_code == 403
    assert not User.objects.filter(email=NEW["email"]).exists()


@pytest.mark.parametrize("path", ["role", "remove", "link", "reset"])
def test_a_member_of_another_organization_is_not_there(browser: Client, path: str) -> None:
    row = membership("Neighbour", Role.AUDITOR)

    assert browser.post(f"/settings/members/{row.pk}/{path}", {"role": "auditor"}).status_code == 404


@pytest.mark.parametrize("body", [{**NEW, "email": "x"}, {**NEW, "role": "king"}, {**NEW, "name": "a\x07"}])
def test_what_cannot_be_added_says_why(browser: Client, body: dict[str, str]) -> None:
    assert browser.post("/settings/members", body).status_code == 422
    assert not User.objects.filter(email=NEW["email"]).exists()


def test_somebody_is_a_member_once(browser: Client) -> None:
    browser.post("/settings/members", NEW)

    assert "already a member" in browser.post("/settings/members", NEW).content.decode()


def test_the_own_name_is_changed(auditor: Client) -> None:
    assert auditor.post("/settings/profile", {"name": "Kim Example"})["Location"] == "/settings/profile"

    assert make_member("Example", Role.AUDITOR)[0].name == "Kim Example"
    assert AuditEvent.objects.filter(action="profile:change").count() == 1


def test_the_page_of_roles_is_the_matrix(auditor: Client) -> None:
    page = auditor.get("/settings/roles").content.decode()

    assert "organization:sign_in:write" in page
    assert "Own applications" in page
