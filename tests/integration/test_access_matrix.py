"""Every route of the API and every page × every role and nobody × own, another and no organization.

The routes are walked, not listed: one that is not in the tables below is a failure, so nobody can add a
way in without saying which permission it needs. What each role may is taken from the matrix of
`control.organizations.roles`, which is also what the documentation shows. All answers come over HTTP.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from grantline.control.applications.models import Application
from grantline.control.organizations.models import Membership, Organization, User
from grantline.control.organizations.roles import Permission, Role, reach
from grantline.control.organizations.rules import scope_of
from grantline.control.tokens.rules import create as create_token
from grantline.jobs import drafts
from tests.integration.api.conftest import Caller
from tests.integration.api.things import make_things, routes

pytestmark = pytest.mark.integration

P = Permission
ANY_MEMBER = None
"""Every member may, whatever their role: it is about themselves, or shows what the role lets them see."""

API: dict[str, Permission | None] = {
    "create_data_source": P.SOURCE_WRITE,
    "list_data_sources": P.SOURCE_READ,
    "read_data_source": P.SOURCE_READ,
    "change_data_source": P.SOURCE_WRITE,
    "delete_data_source": P.SOURCE_WRITE,
    "read_policies": P.SOURCE_READ,
    "rotate_external_id": P.SOURCE_WRITE,
    "cancel_rotation": P.SOURCE_WRITE,
    "verify_data_source": P.SOURCE_WRITE,
    "list_objects": P.SOURCE_READ,
    "create_application": P.APPLICATION_CREATE,
    "list_applications": P.APPLICATION_READ,
    "read_application": P.APPLICATION_READ,
    "change_application": P.APPLICATION_WRITE,
    "delete_application": P.APPLICATION_WRITE,
    "upload_file": P.IMPORT_WRITE,
    "list_accounts": P.CATALOG_READ,
    "read_account": P.CATALOG_READ,
    "list_account_events": P.CATALOG_READ,
    "read_entitlement": P.CATALOG_READ,
    "list_entitlements": P.CATALOG_READ,
    "list_grants": P.CATALOG_READ,
    "read_grant_history": P.CATALOG_READ,
    "list_changes": P.CATALOG_READ,
    "list_people": P.CATALOG_READ,
    "read_person": P.CATALOG_READ,
    "list_access": P.CATALOG_READ,
    "list_owned_accounts": P.CATALOG_READ,
    "declare_alias": P.IMPORT_WRITE,
    "list_aliases": P.CATALOG_READ,
    "withdraw_alias": P.IMPORT_WRITE,
    "create_import": P.IMPORT_WRITE,
    "list_imports_of_application": P.IMPORT_READ,
    "list_imports": P.IMPORT_READ,
    "read_import": P.IMPORT_READ,
    "change_import": P.IMPORT_WRITE,
    "delete_import": P.IMPORT_WRITE,
    "preview_import": P.IMPORT_WRITE,
    "sync_import": P.IMPORT_RUN,
    "roll_import_back": P.RUN_DECIDE,
    "list_versions": P.IMPORT_READ,
    "preview_import_retention": P.IMPORT_READ,
    "pause_import": P.IMPORT_RUN,
    "resume_import": P.IMPORT_RUN,
    "list_runs_of_import": P.IMPORT_READ,
    "list_runs": P.IMPORT_READ,
    "read_run": P.IMPORT_READ,
    "list_issues": P.IMPORT_READ,
    "list_run_changes": P.CATALOG_READ,
    "list_affected": P.CATALOG_READ,
    "list_likely_renames": P.CATALOG_READ,
    "approve_run": P.RUN_DECIDE,
    "discard_run": P.RUN_DECIDE,
    "read_organization": ANY_MEMBER,
    "change_organization": P.SOURCE_WRITE,
    "preview_retention": P.IMPORT_READ,
    "read_mapping_schema": ANY_MEMBER,
    "list_audit_events": P.AUDIT_READ,
    "export_audit_events": P.AUDIT_READ,
    "list_notices": ANY_MEMBER,
    "read_notification_settings": ANY_MEMBER,
    "change_notification_settings": P.MEMBER_WRITE,
    "list_webhooks": P.MEMBER_WRITE,
    "create_webhook": P.MEMBER_WRITE,
    "delete_webhook": P.MEMBER_WRITE,
    "try_webhook": P.MEMBER_WRITE,
    "create_token": P.TOKEN_OWN,
    "list_tokens": P.TOKEN_OWN,
    "revoke_token": P.MEMBER_WRITE,  # the token of the tests is the administrator's
}

PAGES: dict[str, Permission | None] = {
    "overview": ANY_MEMBER,
    "as_of": ANY_MEMBER,
    "search": ANY_MEMBER,
    "integrations": P.SOURCE_READ,
    "sources": P.SOURCE_READ,
    "source": P.SOURCE_READ,
    "source_setup": P.SOURCE_READ,
    "source_setup_step": P.SOURCE_READ,
    "source_check": P.SOURCE_WRITE,
    "source_check_panel": P.SOURCE_READ,
    "source_bucket": P.SOURCE_READ,
    "source_rotate": P.SOURCE_WRITE,
    "source_rotation_cancel": P.SOURCE_WRITE,
    "source_edit": P.SOURCE_WRITE,
    "source_delete": P.SOURCE_WRITE,
    "audit_log": P.AUDIT_READ,
    "audit_log_export": P.AUDIT_READ,
    "audit_log_verify": P.AUDIT_READ,
    "settings": ANY_MEMBER,
    "tokens": P.TOKEN_OWN,
    "token_revoke": P.MEMBER_WRITE,  # the token of the tests is the administrator's
    "members": P.MEMBER_READ,
    "member_role": P.MEMBER_WRITE,
    "member_remove": P.MEMBER_WRITE,
    "member_link": P.MEMBER_WRITE,
    "member_reset": P.MEMBER_WRITE,
    "roles": ANY_MEMBER,
    "notifications": P.MEMBER_WRITE,
    "webhook_add": P.MEMBER_WRITE,
    "webhook_remove": P.MEMBER_WRITE,
    "webhook_test": P.MEMBER_WRITE,
    "sign_on": P.SIGN_IN_WRITE,
    "sign_on_delete": P.SIGN_IN_WRITE,
    "security": ANY_MEMBER,
    "password": ANY_MEMBER,
    "second_step_set_up": ANY_MEMBER,
    "second_step_app": ANY_MEMBER,
    "second_step_passkey": ANY_MEMBER,
    "second_step_passkey_options": ANY_MEMBER,
    "second_step_remove": ANY_MEMBER,
    "recovery_codes": ANY_MEMBER,
    "session_end": ANY_MEMBER,
    "sessions_end": ANY_MEMBER,
    "profile": ANY_MEMBER,
    "applications": P.APPLICATION_READ,
    "application_new": P.APPLICATION_CREATE,
    "application": P.APPLICATION_READ,
    "application_accounts": P.CATALOG_READ,
    "application_account": P.CATALOG_READ,
    "application_entitlements": P.CATALOG_READ,
    "application_entitlement": P.CATALOG_READ,
    "application_changes": P.CATALOG_READ,
    "application_changes_download": P.CATALOG_EXPORT,
    "people": P.CATALOG_READ,
    "person": P.CATALOG_READ,
    "person_report": P.CATALOG_EXPORT,
    "application_aliases": P.CATALOG_READ,
    "application_alias_withdraw": P.IMPORT_WRITE,
    "application_imports": P.IMPORT_READ,
    "application_settings": P.APPLICATION_READ,
    "application_delete": P.APPLICATION_WRITE,
    "import_choose": P.APPLICATION_READ,
    "import_new": P.IMPORT_WRITE,
    "import_new_upload": P.IMPORT_WRITE,
    "import_draft": P.IMPORT_WRITE,
    "import_draft_source": P.IMPORT_WRITE,
    "import_draft_upload": P.IMPORT_WRITE,
    "import_draft_listing": P.IMPORT_READ,
    "import_draft_preview": P.IMPORT_WRITE,
    "import_draft_finish": P.IMPORT_WRITE,
    "import_draft_discard": P.IMPORT_WRITE,
    "import": P.IMPORT_READ,
    "import_progress": P.IMPORT_READ,
    "import_sync": P.IMPORT_RUN,
    "import_pause": P.IMPORT_RUN,
    "import_resume": P.IMPORT_RUN,
    "import_upload": P.IMPORT_RUN,
    "import_mapping": P.IMPORT_WRITE,
    "import_rollback": P.RUN_DECIDE,
    "import_versions": P.IMPORT_READ,
    "limits": ANY_MEMBER,
    "run_changes": P.CATALOG_READ,
    "run_changes_download": P.CATALOG_EXPORT,
    "import_settings": P.IMPORT_WRITE,
    "import_delete": P.IMPORT_WRITE,
    "runs": P.IMPORT_READ,
    "run": P.IMPORT_READ,
    "run_progress": P.IMPORT_READ,
    "run_issues_download": P.IMPORT_READ,
    "run_issue_record": P.IMPORT_READ,
    "run_approve": P.RUN_DECIDE,
    "run_discard": P.RUN_DECIDE,
}
CHANGES: dict[str, Permission] = {
    "sources": P.SOURCE_WRITE,
    "source_setup_step": P.SOURCE_WRITE,
    "application_settings": P.APPLICATION_WRITE,
    "application_aliases": P.IMPORT_WRITE,
    "members": P.MEMBER_WRITE,
    "limits": P.SOURCE_WRITE,
}
"""What a page needs where it is sent something and its reading needs less."""
OPEN_PAGES = {
    *("healthz", "readyz", "metrics", "sign_in", "account_login", "sign_out", "mfa_authenticate"),
    *("second_step_options", "sign_in_passkey", "sign_on_choose", "sign_on_start", "openid_connect_callback"),
    *("set_password", "confirm_options"),
}
"""Pages that need no sign-in; tests of their own say what each gives away (nothing)."""

BODIES: dict[str, dict[str, Any]] = {
    "create_data_source": {"name": "Another"},
    "change_data_source": {"name": "Another"},
    "create_application": {"name": "Another"},
    "change_application": {"name": "Another"},
    "create_import": {"key": "users.csv"},
    "change_import": {"guard_count": 5},
    "approve_run": {"reason": "They have left."},
    "create_token": {"name": "another"},
    "create_webhook": {"url": "https://hooks.example.com/grantline"},
    "declare_alias": {"kind": "account", "old": "a", "new": "b", "reason": "renamed"},
    "roll_import_back": {"version": 1, "reason": "It was wrong."},
}
QUERIES = {
    "preview_retention": "?days=30",
    "preview_import_retention": "?days=30",
    "read_account": "?id=u1",
    "list_account_events": "?id=u1",
    "read_entitlement": "?id=x",
    "read_grant_history": "?account=u1&entitlement=x",
}
FORMS: dict[str, dict[str, str]] = {
    "source_delete": {"confirm": "Ours bucket"},
    "application_delete": {"confirm": "Ours"},
    "import_delete": {"confirm": "hr/users.csv"},
    "application_settings": {"name": "Another"},
    "members": {"email": "new@example.com", "role": "auditor"},
    "run_approve": {"reason": "They have left."},
    "member_role": {"role": "auditor"},
    "application_new": {"name": "Another"},
    "import_rollback": {"version": "1", "reason": "It was wrong."},
    "application_aliases": {"kind": "account", "old": "a", "new": "b", "reason": "renamed"},
    "sources": {"name": "Another"},
}
LACKS = {"read_account", "list_account_events", "read_entitlement", "read_grant_history", "withdraw_alias"} | {
    *(
        "application_account",
        "application_entitlement",
        "session_end",
        "second_step_remove",
        "preview_import_retention",
    ),
    *("list_run_changes", "list_affected", "list_likely_renames", "sign_on_delete", "recovery_codes"),
    *("delete_webhook", "try_webhook", "webhook_remove", "webhook_test"),
    *("run_changes", "run_changes_download", "application_alias_withdraw", "run_issue_record"),
}
"""The tests' organization has no such account, alias, issue or session: 404 is the right answer to its own."""
LEAVES = {"sessions_end"}
"""Ends the session that asks, so it is answered with the sign-in page."""
UNTIED = {"second_step_remove", "session_end"}
"""Their numbers are a user's own, looked up among that user's alone."""


@dataclass(frozen=True)
class Way:
    """One method of one address."""

    kind: str
    name: str
    method: str
    path: str

    @property
    def parameters(self) -> list[str]:
        return re.findall(r"{(\w+)}", self.path)

    @property
    def needs(self) -> Permission | None:
        if self.kind == "api":
            return API[self.name]
        return CHANGES.get(self.name, PAGES[self.name]) if self.method == "POST" else PAGES[self.name]

    def __str__(self) -> str:
        return f"{self.method}-{self.name}"


def page_patterns() -> Iterator[tuple[str, str, Any]]:
    """Every address of the console: its path with `{names}`, its name, its view."""

    def walk(resolver: Any, before: str) -> Iterator[tuple[str, str, Any]]:
        for pattern in resolver.url_patterns:
            path = before + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from walk(pattern, path)
            elif isinstance(pattern, URLPattern) and not path.startswith("api/"):
                yield "/" + re.sub(r"<\w+:(\w+)>", r"{\1}", path), pattern.name or "", pattern.callback

    yield from walk(get_resolver(), "")


def page_ways() -> list[Way]:
    return [
        Way("page", name, method, path)
        for path, name, _ in page_patterns()
        if name in PAGES
        for method in ("GET", "POST")
    ]


def api_ways() -> list[Way]:
    return [Way("api", route.operation_id, route.method, route.path) for route in routes() if route.operation_id in API]


WAYS = [*api_ways(), *page_ways()]


@dataclass
class House:
    """An organization with a member of every role, and its things."""

    name: str
    organization: Organization
    users: dict[Role, User] = field(default_factory=dict)
    tokens: dict[Role, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)

    def own(self, role: Role | None) -> None:
        """Make the member of `role` the owner of the application, or nobody."""
        owner = self.users[role] if role else None
        Application.objects.filter(organization=self.organization).update(owner=owner)


def make_house(name: str) -> House:
    house = House(name, Organization.objects.create(name=name))
    for role in Role:
        user = User.objects.create_user(f"{role.value}@{name.lower()}.example.com", name=role.label)
        membership = Membership.objects.create(organization=house.organization, user=user, role=role.value)
        scope = scope_of(user, via="session")
        assert scope is not None
        house.users[role] = user
        house.tokens[role] = create_token(scope, "tests")[1]
        if role is Role.SUPER_ADMINISTRATOR:
            house.ids = make_things(scope, name)
            chosen = {"data_source_id": house.ids["source_id"], "key": "hr/more.csv"}
            house.ids["draft_id"] = drafts.start(scope, house.ids["application_id"], chosen).pk
        if role is Role.AUDITOR:
            house.ids["member_id"] = membership.pk
    house.ids |= {
        "alias_id": "als_none",
        "webhook_id": "whk_none",
        "key": "u1",
        "token": "none",
        "step": "role",
        "step_id": "1",
        "session_id": "1",
        "ordinal": "1",
    }
    return house


@pytest.fixture
def houses(db: Any) -> tuple[House, House]:
    return make_house("Ours"), make_house("Theirs")


def ask(way: Way, house: House, role: Role | None, ids: dict[str, str]) -> int:
    """The status of the answer; what was changed on the way is undone."""
    with transaction.atomic():
        status = _asked_api(way, house, role, ids) if way.kind == "api" else _asked_page(way, house, role, ids)
        transaction.set_rollback(True)
    return status


def _asked_api(way: Way, house: House, role: Role | None, ids: dict[str, str]) -> int:
    caller = Caller(house.tokens[role] if role else None)
    path = way.path.format(**ids) + QUERIES.get(way.name, "")
    if way.name == "upload_file":
        return int(caller.upload(path, {"file": SimpleUploadedFile("users.csv", b"User ID\nu1\n")}).status_code)
    body = BODIES.get(way.name, {}) if way.method in ("POST", "PATCH") else None
    return int(caller.send(way.method, path, body).status_code)


def _asked_page(way: Way, house: House, role: Role | None, ids: dict[str, str]) -> int:
    client = Client(raise_request_exception=False)
    if role is not None:
        client.force_login(house.users[role])
    path = way.path.format(**ids)
    form: dict[str, Any] = FORMS.get(way.name, {})
    if way.name.endswith("upload"):
        form = {"file": SimpleUploadedFile("users.csv", b"User ID\nu1\n")}
    response: Any = client.get(path) if way.method == "GET" else client.post(path, form)
    if way.name in LEAVES and role is not None and Membership.objects.filter(user=house.users[role]).exists():
        return 200
    if response.status_code == 302 and response["Location"].startswith("/sign-in"):
        return 401
    return int(response.status_code)


def is_let_in(way: Way, status: int) -> bool:
    """Whether the answer is that of somebody who may: done, or refused for what was sent."""
    if status in (401, 403) or status == 500:
        return False
    return status != 404 or way.name in LACKS


def test_every_route_and_page_is_in_the_matrix() -> None:
    operations = {route.operation_id for route in routes()}
    assert sorted(operations ^ API.keys()) == []
    names = {name for _, name, _ in page_patterns()}
    assert sorted(names ^ (PAGES.keys() | OPEN_PAGES)) == []


@pytest.mark.parametrize("role", Role)
def test_each_role_gets_the_documented_answer(houses: tuple[House, House], role: Role) -> None:
    ours, _ = houses
    wrong = []
    for owner in (None, role):
        ours.own(owner)
        for way in WAYS:
            status = ask(way, ours, role, ours.ids)
            if status != 405 and not is_right(way, role, owner, status):  # 405: the page does not take this method
                wrong.append(f"{way} of an application owned by {owner or 'nobody'}: {status}")
    assert wrong == [], "\n".join(wrong)


def is_right(way: Way, role: Role, owner: Role | None, status: int) -> bool:
    """Whether the answer is the one that the matrix of roles says."""
    far = "yes" if way.needs is None else reach(role, way.needs)
    if far == "yes" or (far == "own" and owner is role):
        return is_let_in(way, status)
    if far == "own" and way.method == "GET":  # a page shows what it would do, a list leaves out what is not theirs
        return status in (403, 404) or is_let_in(way, status)
    return status in (403, 404)


def test_nobody_is_let_in_without_signing_in(houses: tuple[House, House]) -> None:
    found = {str(way): ask(way, houses[0], None, houses[0].ids) for way in WAYS}
    assert {name: status for name, status in found.items() if status not in (401, 405)} == {}


@pytest.mark.parametrize("role", Role)
def test_another_organizations_things_are_not_there(houses: tuple[House, House], role: Role) -> None:
    ours, theirs = houses
    ours.own(role)
    made_up = {name: f"{value[:4]}{'a' * 26}" if name.endswith("_id") else value for name, value in theirs.ids.items()}
    wrong = []
    for way in WAYS:
        if way.name in UNTIED or not set(way.parameters) - {"step", "key"}:
            continue
        status, status_of_none = (ask(way, ours, role, ids) for ids in (theirs.ids, made_up))
        allowed = way.needs is None or reach(role, way.needs) != "no"
        expected = (404, 405) if allowed else (403, 404, 405)
        if status != status_of_none or status not in expected:
            wrong.append(f"{way}: {status}, and {status_of_none} for an id that nobody has")
    assert wrong == []


def test_whoever_is_a_member_nowhere_is_let_in_nowhere(houses: tuple[House, House]) -> None:
    ours, role = houses[0], Role.SUPER_ADMINISTRATOR
    Membership.objects.filter(user=ours.users[role]).delete()
    found = {str(way): ask(way, ours, role, ours.ids) for way in WAYS}
    assert {name: status for name, status in found.items() if status not in (401, 405)} == {}
