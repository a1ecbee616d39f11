"""People over HTTP: the list, one person, their access now and then, and what is refused."""

from __future__ import annotations

from datetime import timedelta

import pytest

from grantline.control.runs.models import Version
from tests.integration.api.conftest import House
from tests.integration.web.payroll import make_payroll

pytestmark = pytest.mark.integration


@pytest.fixture
def payroll(house: House) -> str:
    """An application with two people and a service account of one of them; its id."""
    head = "User ID,Email Address,Account Type,Account Owner,Groups\n"
    rows = "u1,U1@example.com,person,,staff\nu2,u2@example.com,person,,staff\nsvc,,service,u1@example.com,backup\n"
    return make_payroll(house.admin_scope, (head + rows).encode()).application.pk


def test_list_read_and_access(house: House, payroll: str) -> None:
    listed = house.admin.get("/people").document
    assert [item["email"] for item in listed["items"]] == ["u1@example.com", "u2@example.com"]
    assert listed["next"] is None
    (one,) = house.admin.get("/people?search=U1").document["items"]
    assert (one["rule"], one["accounts"], one["applications"]) == ("email", 1, 1)
    read = house.admin.get(f"/people/{one['id']}").document
    assert (read["owned_accounts"], read["not_kept"]) == (1, [])
    (access,) = house.admin.get(f"/people/{one['id']}/access").document["items"]
    assert (access["application_id"], access["account"]["id"], access["matched_by"]) == (payroll, "u1", "email")
    assert [(grant["entitlement"], grant["since"]["version"]) for grant in access["grants"]] == [("staff", 1)]
    (owned,) = house.admin.get(f"/people/{one['id']}/owned-accounts").document["items"]
    assert (owned["account"]["id"], owned["matched_by"]) == ("svc", "owner")


def test_pages_follow_one_another(house: House, payroll: str) -> None:
    first = house.admin.get("/people?limit=1").document
    second = house.admin.get(f"/people?limit=1&cursor={first['next']}").document
    assert [page["items"][0]["email"] for page in (first, second)] == ["u1@example.com", "u2@example.com"]
    assert second["next"] is None


def test_as_of_a_past_moment(house: House, payroll: str) -> None:
    (one,) = house.admin.get("/people?search=u1@").document["items"]
    published = Version.objects.get().published_at
    before, after = ((published + timedelta(seconds=s)).isoformat().replace("+00:00", "Z") for s in (-5, 5))
    for moment, count in ((before, 0), (after, 1)):
        assert len(house.admin.get(f"/people/{one['id']}/access?as_of={moment}").document["items"]) == count
        assert house.admin.get(f"/people/{one['id']}?as_of={moment}").document["accounts"] == count
        assert len(house.admin.get(f"/people?search=u1@&as_of={moment}").document["items"]) == count


@pytest.mark.parametrize("query", ["cursor=x", "limit=0", "as_of=yesterday", "limit=501"])
def test_what_cannot_be_read_is_a_problem_that_names_the_field(house: House, query: str) -> None:
    response = house.admin.get(f"/people?{query}")
    assert (response.status_code, response["Content-Type"]) == (422, "application/problem+json")
    assert query.partition("=")[0] in response.content.decode()


def test_an_unknown_person_is_not_found(house: House) -> None:
    assert house.admin.get("/people/per_none/access").status_code == 404
