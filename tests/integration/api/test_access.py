"""Every route, walked: who may come in, what is refused, and that nothing breaks."""

from __future__ import annotations

from typing import Any

import pytest

from grantline.control.models import AuditEvent
from tests.integration.api.conftest import Caller, House
from tests.integration.api.things import Route, make_things, routes

ID_NAMES = ("source_id", "application_id", "import_id", "run_id", "token_id", "alias_id", "webhook_id", "person_id")
"""Every name that an id has in an address."""

pytestmark = pytest.mark.integration

ROUTES = routes()
OWN = ("create_token", "revoke_token")
"""Everybody may make and revoke tokens of their own, auditors too."""
NAMES = [f"{route.method} {route.path}" for route in ROUTES]


def is_problem(answer: Any, status: int) -> bool:
    """Whether `answer` is a complete problem with this status."""
    assert answer.status_code == status, answer.content
    assert answer.headers["Content-Type"] == "application/problem+json"
    document = answer.document
    assert document["status"] == status
    assert document["type"] == f"urn:grantline:error:{document['code']}"
    assert document["title"]
    assert document["detail"]
    assert document["remedy"]
    assert isinstance(document["errors"], list)
    return True


def send(caller: Caller, route: Route, ids: dict[str, str], body: Any = None) -> Any:
    if route.path.endswith("/uploads"):
        from django.core.files.uploadedfile import SimpleUploadedFile

        return caller.upload(route.filled(ids), {"file": SimpleUploadedFile("users.csv", b"User ID\nu1\n")})
    if body is None and route.method in ("POST", "PATCH"):
        body = VALID_BODIES.get(route.operation_id, {})
    return caller.send(route.method, route.filled(ids), body)


VALID_BODIES: dict[str, dict[str, Any]] = {
    "create_data_source": {"name": "Another"},
    "change_data_source": {"name": "Another"},
    "create_application": {"name": "Another"},
    "change_application": {"name": "Another"},
    "create_import": {"key": "users.csv"},
    "change_import": {"guard_count": 5},
    "change_organization": {"guard_count": 5},
    "declare_alias": {"kind": "account", "old": "a", "new": "b"},
    "roll_import_back": {"version": 1, "reason": "It was wrong."},
    "approve_run": {"reason": "They have left."},
    "create_token": {"name": "another"},
    "create_webhook": {"url": "https://hooks.example.com/another"},
}


def test_the_walk_sees_the_whole_contract() -> None:
    paths = {f"{route.method} {route.path}" for route in ROUTES}
    assert {
        "POST /data-sources",
        "POST /data-sources/{source_id}/verify",
        "POST /applications/{application_id}/uploads",
        "POST /imports/{import_id}/preview",
        "POST /runs/{run_id}/approve",
        "GET /audit-events",
    } <= paths


@pytest.mark.parametrize("route", ROUTES, ids=NAMES)
def test_nobody_comes_in_without_a_token(db: Any, route: Route) -> None:
    ids = dict.fromkeys(ID_NAMES, "some")
    for caller in (Caller(None), Caller("glt_unknown"), Caller("")):
        answer = send(caller, route, ids)
        assert is_problem(answer, 401)
        assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "route", [route for route in ROUTES if "{" in route.path], ids=lambda route: route.operation_id
)
def test_another_organizations_things_do_not_exist(house: House, neighbour: House, route: Route) -> None:
    theirs = make_things(neighbour.admin_scope)
    answer = send(house.admin, route, theirs)
    assert is_problem(answer, 404)
    made_up = {name: f"{value[:4]}{'a' * 26}" for name, value in theirs.items()}
    unknown = send(house.admin, route, made_up)
    assert is_problem(unknown, 404)
    alike = [answer.document | {"detail": ""}, unknown.document | {"detail": ""}]
    assert alike[0] == alike[1]


def test_an_import_cannot_read_from_another_organizations_bucket(house: House, neighbour: House) -> None:
    ours, theirs = make_things(house.admin_scope), make_things(neighbour.admin_scope)
    body = {"data_source_id": theirs["source_id"], "key": "users.csv"}
    assert is_problem(house.admin.post(f"/applications/{ours['application_id']}/imports", body), 404)
    assert is_problem(house.admin.patch(f"/imports/{ours['import_id']}", {"data_source_id": theirs["source_id"]}), 404)


@pytest.mark.parametrize(
    "route",
    [route for route in ROUTES if route.method != "GET" and route.operation_id not in OWN],
    ids=lambda route: route.operation_id,
)
def test_an_auditor_changes_nothing(house: House, route: Route) -> None:
    ids = make_things(house.admin_scope)
    before = AuditEvent.objects.count()
    assert is_problem(send(house.auditor, route, ids), 403)
    assert AuditEvent.objects.count() == before


@pytest.mark.parametrize("route", [route for route in ROUTES if route.takes_body], ids=lambda route: route.operation_id)
def test_unknown_fields_are_refused(house: House, route: Route) -> None:
    ids = make_things(house.admin_scope)
    body = VALID_BODIES.get(route.operation_id, {}) | {"surprise": 1}
    answer = send(house.admin, route, ids, body)
    assert is_problem(answer, 422)
    assert [error["field"] for error in answer.document["errors"]] == ["surprise"]


@pytest.mark.parametrize("route", [route for route in ROUTES if route.method == "GET"], ids=lambda route: route.path)
def test_unknown_queries_are_refused(house: House, route: Route) -> None:
    ids = make_things(house.admin_scope)
    answer = house.admin.get(route.filled(ids) + "?serach=x")
    assert is_problem(answer, 422)
    assert [error["field"] for error in answer.document["errors"]] == ["serach"]


GARBAGE_IDS = ["x", "src_", "%00", "..%2f..%2f", "%F0%9F%92%A9", "a" * 3000, "1", "%ED%A0%80", "' OR 1=1 --", "%25"]
GARBAGE_BODIES = [
    b"",
    b"{",
    b"\xff\xfe",
    b"null",
    b"[]",
    b'"text"',
    b"3",
    b"[" * 100_000,
    b'{"name": "\\u0000"}',
    b'{"name": "\\ud800"}',
    b'{"name": 1e999}',
    b'{"name": NaN}',
    b'{"name": ["x"]}',
    b'{"name": "a", "name": "b"}',
    b'{"reason": {"a": [[["\\u0000"]]]}}',
    b'{"mapping": {"columns": "\\ud800"}, "key": "k"}',
    b'{"mapping": {"file": {"a": "\\u0000"}, "columns": []}}',
    b'{"guard_count": 99999999999999999999999, "days": 99999999999999999999}',
    b'{"' + b"n" * 100_000 + b'": 1}',
    b'{"name": "' + b"n" * 100_000 + b'", "reason": "' + b"r" * 100_000 + b'"}',
]


@pytest.mark.parametrize(
    "route", [route for route in ROUTES if "{" in route.path], ids=lambda route: route.operation_id
)
def test_garbage_ids_break_nothing(house: House, route: Route) -> None:
    for garbage in GARBAGE_IDS:
        ids = dict.fromkeys(ID_NAMES, garbage)
        answer = send(house.admin, route, ids)
        assert answer.status_code in (404, 405), (garbage, answer.content)
        assert is_problem(answer, answer.status_code)


@pytest.mark.parametrize("route", [route for route in ROUTES if route.takes_body], ids=lambda route: route.operation_id)
def test_garbage_bodies_break_nothing(house: House, route: Route) -> None:
    ids = make_things(house.admin_scope)
    for garbage in GARBAGE_BODIES[1:]:
        answer = house.admin.send(route.method, route.filled(ids), garbage)
        assert 400 <= answer.status_code < 500, (garbage[:60], answer.content)
        assert is_problem(answer, answer.status_code)


@pytest.mark.parametrize("route", [route for route in ROUTES if route.takes_body], ids=lambda route: route.operation_id)
def test_another_media_type_is_refused(house: House, route: Route) -> None:
    ids = make_things(house.admin_scope)
    answer = house.admin.send(route.method, route.filled(ids), b"name=x", content_type="text/plain")
    assert is_problem(answer, 415)


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=x", "limit=%00", "cursor=x", "cursor=%00"])
@pytest.mark.parametrize(
    "route", [route for route in ROUTES if route.operation_id.startswith("list_")], ids=lambda route: route.path
)
def test_wrong_limits_and_cursors_are_refused(house: House, route: Route, query: str) -> None:
    ids = make_things(house.admin_scope)
    answer = house.admin.get(f"{route.filled(ids)}?{query}")
    assert is_problem(answer, 422)
    assert [error["field"] for error in answer.document["errors"]] == [query.split("=")[0]]


def test_a_session_is_no_way_into_the_api(house: House, nobody: Caller) -> None:
    from grantline.control.organizations.models import User

    nobody.client.force_login(User.objects.get(email="super_administrator@example.example.com"))
    assert is_problem(nobody.get("/data-sources"), 401)


def test_a_revoked_token_is_no_way_in(house: House) -> None:
    made = house.admin.post("/tokens", {"name": "short"}).document
    caller = Caller(made["token"])
    assert caller.get("/data-sources").status_code == 200
    assert house.admin.delete(f"/tokens/{made['id']}").status_code == 204
    assert is_problem(caller.get("/data-sources"), 401)


def test_a_token_of_another_scheme_is_no_way_in(nobody: Caller) -> None:
    assert is_problem(nobody.send("GET", "/runs", headers={"Authorization": "Basic Z2x0Og=="}), 401)


@pytest.mark.parametrize("path", ["/", "/nothing", "/data-sources/", "/runs/a/b/c", "/../admin"])
def test_a_path_that_does_not_exist(house: House, path: str) -> None:
    assert is_problem(house.admin.get(path), 404)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE", "BREW"])
def test_a_method_that_a_path_does_not_take(house: House, method: str) -> None:
    answer = house.admin.send(method, "/data-sources")
    assert is_problem(answer, 405)
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "POST"}


def test_a_body_that_is_too_large_is_not_read(house: House) -> None:
    answer = house.admin.post("/data-sources", b"{}", headers={"Content-Length": str(10**12)})
    assert is_problem(answer, 413)
    large = house.admin.post("/data-sources", b'{"name": "' + b"x" * (6 * 1024 * 1024) + b'"}')
    assert is_problem(large, 413)


CHOSEN = "gl_" + "a" * 32


@pytest.mark.parametrize("route", [route for route in ROUTES if route.method != "GET"], ids=lambda route: route.path)
def test_no_route_takes_an_external_id(house: House, route: Route) -> None:
    from grantline.control.sources.models import DataSource, IssuedExternalId

    ids = make_things(house.admin_scope)
    path = route.filled(ids)
    in_query = house.admin.send(route.method, f"{path}?external_id={CHOSEN}", VALID_BODIES.get(route.operation_id))
    assert is_problem(in_query, 422)
    if route.takes_body:
        body = VALID_BODIES.get(route.operation_id, {}) | {"external_id": CHOSEN}
        answer = house.admin.send(route.method, path, body)
        assert is_problem(answer, 422)
        assert "external_id" in [error["field"] for error in answer.document["errors"]]
    elif route.path.endswith("/uploads"):
        from django.core.files.uploadedfile import SimpleUploadedFile

        fields = {"file": SimpleUploadedFile("users.csv", b"User ID\nu1\n"), "external_id": CHOSEN}
        house.admin.upload(path, fields)
    assert not IssuedExternalId.objects.filter(external_id=CHOSEN).exists()
    assert not DataSource.objects.filter(external_id=CHOSEN).exists()
