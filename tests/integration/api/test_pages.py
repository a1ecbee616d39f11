"""Pages: every row once, in order, also while the list grows; a cursor is good for its own list only."""

from __future__ import annotations

from typing import Any

import pytest

from grantline.control.imports.models import Import
from grantline.control.runs.models import Run, RunState
from tests.integration.api.conftest import Caller, House
from tests.integration.api.things import make_issues, make_run, make_things

pytestmark = pytest.mark.integration


def walk(caller: Caller, path: str, limit: int) -> list[Any]:
    """All items of a list, page by page."""
    items: list[Any] = []
    cursor = ""
    while True:
        page = caller.get(f"{path}{'&' if '?' in path else '?'}limit={limit}&cursor={cursor}").document
        assert 0 < len(page["items"]) <= limit
        items += page["items"]
        if page["next"] is None:
            return items
        cursor = page["next"]


@pytest.fixture
def things(house: House) -> dict[str, str]:
    things = make_things(house.admin_scope)
    item = Import.objects.get(pk=things["import_id"])
    for number in range(3, 11):
        make_run(item, number, RunState.FAILED)
    make_issues(Run.objects.get(pk=things["run_id"]), 9)
    return things


@pytest.mark.parametrize("limit", [1, 3, 5, 10, 500])
def test_every_run_comes_once_newest_first(house: House, things: dict[str, str], limit: int) -> None:
    expected = list(range(10, 0, -1))
    assert [run["number"] for run in walk(house.auditor, "/runs", limit)] == expected
    assert [run["number"] for run in walk(house.auditor, f"/imports/{things['import_id']}/runs", limit)] == expected


def test_rows_of_the_same_moment_come_once(house: House, things: dict[str, str]) -> None:
    moment = Run.objects.get(pk=things["run_id"]).queued_at
    Run.objects.update(queued_at=moment)
    ids = [run["id"] for run in walk(house.auditor, "/runs", 3)]
    assert ids == sorted(ids, reverse=True)
    assert len(set(ids)) == 10


def test_a_filter_holds_over_all_pages(house: House, things: dict[str, str]) -> None:
    issues = walk(house.auditor, f"/runs/{things['run_id']}/issues?code=value_invalid", 2)
    assert [issue["row"] for issue in issues] == [1, 3, 5, 7, 9]


def test_a_row_that_comes_meanwhile_is_neither_repeated_nor_pushes_one_out(
    house: House, things: dict[str, str]
) -> None:
    first = house.auditor.get("/runs?limit=5").document
    make_run(Import.objects.get(pk=things["import_id"]), 11, RunState.FAILED)
    second = house.auditor.get(f"/runs?limit=5&cursor={first['next']}").document
    assert [run["number"] for run in second["items"]] == [5, 4, 3, 2, 1]


@pytest.mark.parametrize("path", ["/data-sources", "/applications", "/imports", "/tokens", "/audit-events"])
def test_the_other_lists_are_paged_alike(house: House, path: str) -> None:
    for name in ("B", "a", "C", "ä"):
        make_things(house.admin_scope, name)
    whole = house.admin.get(f"{path}?limit=500").document["items"]
    assert len(whole) >= 4
    assert walk(house.admin, path, 3) == whole


def test_a_cursor_is_good_for_its_own_list_only(house: House, things: dict[str, str]) -> None:
    cursor = house.auditor.get("/runs?limit=1").document["next"]
    answer = house.auditor.get(f"/imports/{things['import_id']}/runs?cursor={cursor}")
    assert answer.status_code == 422
    assert answer.document["errors"] == [{"field": "cursor", "message": answer.document["detail"]}]


def test_a_cursor_that_was_changed_is_refused(house: House, things: dict[str, str]) -> None:
    cursor = house.auditor.get("/runs?limit=1").document["next"]
    changed = ("A" if cursor[0] != "A" else "B") + cursor[1:]
    assert house.auditor.get(f"/runs?cursor={changed}").status_code == 422
