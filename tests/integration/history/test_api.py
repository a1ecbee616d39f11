"""The REST API of guard, history, rollback and renames, on real versions."""

from __future__ import annotations

from typing import Any

import pytest

from grantline.control.tokens.rules import create
from grantline.jobs.run import carry_out
from tests.integration.api.conftest import Caller
from tests.integration.history.conftest import Desk, people, users_csv

pytestmark = pytest.mark.integration


@pytest.fixture
def api(desk: Desk) -> Caller:
    return Caller(create(desk.scope, "tests")[1])


def got(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.content
    return answer.document


def test_the_changes_of_a_held_and_of_a_published_run(desk: Desk, api: Caller) -> None:
    first = desk.load(users_csv(people(6)))
    assert len(got(api.get(f"/runs/{first.pk}/changes?kind=account&op=added"))["items"]) == 6
    held = desk.load(users_csv(people(1)))
    path = f"/runs/{held.pk}/changes?kind=grant&limit=2"
    pages, cursor = [], ""
    while True:
        page = got(api.get(f"{path}&cursor={cursor}"))
        pages.append(page["items"])
        cursor = page["next"]
        if cursor is None:
            break
    assert [len(items) for items in pages] == [2, 2, 1]
    assert {(item["op"], item["since"]) for items in pages for item in items} == {("removed", None)}
    affected = got(api.get(f"/runs/{held.pk}/affected?limit=2"))
    assert affected["total"] == 5
    assert affected["items"][0] == {
        "account": "U001",
        "display_name": None,
        "email": "u001@example.com",
        "lost": 1,
        "leaves": True,
    }
    assert got(api.get(f"/runs/{held.pk}"))["guard"]["breaches"][0]["of"] == "accounts"
    got(api.post(f"/runs/{held.pk}/discard", {"reason": "It is wrong."}))
    assert api.get(f"/runs/{held.pk}/changes").status_code == 409


def test_rollback_over_the_api(desk: Desk, api: Caller) -> None:
    desk.load(users_csv(people(3)))
    desk.load(users_csv(people(4)))
    root = f"/imports/{desk.item.pk}"
    assert [item["number"] for item in got(api.get(f"{root}/versions"))["items"]] == [2, 1]
    run = got(api.post(f"{root}/rollback", {"version": 1, "reason": "It was wrong."}), 202)
    assert (run["trigger"], run["restores"], run["reason"]) == ("rollback", 1, "It was wrong.")
    assert api.post(f"{root}/rollback", {"version": 1, "reason": "It was wrong."}).status_code == 409
    carry_out(run["id"])
    assert got(api.get(f"/runs/{run['id']}"))["version"] == 3
    refused = got(api.post(f"{root}/rollback", {"version": 7, "reason": "It was wrong."}), 422)
    assert [error["field"] for error in refused["errors"]] == ["version"]
    assert "Versions 1 to 2 can come back" in refused["remedy"]


def test_a_day_or_a_moment_can_be_asked_about_everywhere(desk: Desk, api: Caller) -> None:
    desk.load(users_csv({"U1": ["staff", "audit"]}))
    desk.age(3)
    desk.load(users_csv({"U1": ["staff"], "U2": ["staff"]}))
    root, day = f"/applications/{desk.application.pk}", desk.version(2).published_at.date().isoformat()
    moment = desk.version(1).published_at.isoformat().replace("+", "%2B")
    for as_of in (day, moment):
        assert [item["id"] for item in got(api.get(f"{root}/accounts?as_of={as_of}"))["items"]] == ["U1"]
        entitlements = got(api.get(f"{root}/entitlements?as_of={as_of}"))["items"]
        assert sorted(item["entitlement"] for item in entitlements) == ["audit", "staff"]
        assert len(got(api.get(f"{root}/grants?as_of={as_of}"))["items"]) == 2
        assert got(api.get(f"{root}/account?id=U1&as_of={as_of}"))["id"] == "U1"
        assert api.get(f"{root}/account?id=U2&as_of={as_of}").status_code == 404
        key = next(item["id"] for item in entitlements if item["entitlement"] == "audit")
        assert got(api.get(f"{root}/entitlement?id={key}&as_of={as_of}"))["members"] == 1
        assert api.get(f"{root}/entitlement?id={key}").status_code == 404
        history = got(api.get(f"{root}/grants/history?account=U1&entitlement={key}"))
        assert (history["first_appeared"]["version"], history["ended"]["version"]) == (1, 2)
        assert history["first_appeared"]["run_id"]
    assert len(got(api.get(f"{root}/account/history?id=U1"))["items"]) == 4
    changed = got(api.get(f"{root}/changes?since={day}&kind=grant"))["items"]
    assert {(item["op"], item["account"], item["entitlement"]) for item in changed} == {
        ("removed", "U1", "audit"),
        ("added", "U2", "staff"),
    }
    wrong = got(api.get(f"{root}/accounts?as_of=2026-11-07T12:00:00"), 422)
    assert [error["field"] for error in wrong["errors"]] == ["as_of"]


def test_renames_and_aliases(desk: Desk, api: Caller) -> None:
    desk.load(users_csv({"U1": ["admins", "staff"], "U2": ["admins"], "U3": ["staff"]}))
    run = desk.load(users_csv({"U1": ["Administrators", "staff"], "U2": ["Administrators"], "U3": ["staff"]}))
    (rename,) = got(api.get(f"/runs/{run.pk}/renames"))["items"]
    assert (rename["kind"], rename["shared"]) == ("entitlement", ["members"])
    root = f"/applications/{desk.application.pk}"
    body = {"kind": rename["kind"], "old": rename["old"], "new": rename["new"]}
    alias = got(api.post(f"{root}/aliases", body), 201)
    assert api.post(f"{root}/aliases", body).status_code == 409
    assert got(api.get(f"{root}/aliases"))["items"] == [alias]
    history = got(api.get(f"{root}/grants/history?account=U1&entitlement={rename['new']}"))
    assert history["first_appeared"]["version"] == 1
    assert api.delete(f"{root}/aliases/{alias['id']}").status_code == 204


def test_limits_and_retention(desk: Desk, api: Caller) -> None:
    for number in (3, 4, 5):
        desk.age(10)
        desk.load(users_csv(people(number)))
    assert got(api.get("/organization"))["guard_share"] == 0.2
    preview = got(api.get("/organization/retention?days=5"))
    assert (preview["version_count"], preview["imports"][0]["first"]) == (1, 1)
    assert got(api.get(f"/imports/{desk.item.pk}/retention?days=5"))["version_count"] == 1
    changed = got(api.patch("/organization", {"guard_share": 0.5, "guard_growth_share": 2.0, "retention_days": 5}))
    assert (changed["guard_share"], changed["guard_growth_share"], changed["retention_days"]) == (0.5, 2.0, 5)
    document = got(api.get(f"/imports/{desk.item.pk}"))
    assert (document["guard_share"], document["retention_days"]) == (0.5, 5)
    assert document["inherited"] == ["guard_share", "guard_count", "guard_growth_share", "retention_days"]
    own = got(api.patch(f"/imports/{desk.item.pk}", {"guard_share": 0.1, "allow_empty": True, "retention_days": 0}))
    assert (own["guard_share"], own["allow_empty"], own["retention_days"]) == (0.1, True, None)
    assert got(api.patch(f"/imports/{desk.item.pk}", {"guard_share": None}))["guard_share"] == 0.5
