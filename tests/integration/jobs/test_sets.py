"""Imports that read all files of a folder, from a real bucket."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from grantline.aws.objects import ObjectInfo
from grantline.aws.sessions import BucketSession
from grantline.control.imports.models import Import
from grantline.control.runs.models import Run
from grantline.errors import InputInvalid
from grantline.jobs import fetching_sets
from grantline.jobs.preview import preview_import
from tests.integration.jobs.conftest import World

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.integration]

USERS = b"User ID,Email Address\n"


def users(*numbers: int) -> bytes:
    return USERS + b"".join(b"U%03d,u%03d@example.com\n" % (number, number) for number in numbers)


@pytest.fixture
def folder(world: World) -> Import:
    world.put("access/hr/", b"")
    world.put("access/hr/part-1.csv", users(1, 2))
    world.put("access/hr/part-2.csv", users(3, 4))
    world.put("access/hr/old_$folder$", b"")
    world.put("access/hr-archive/users.csv", users(999))
    return world.make_import("", pattern="access/hr/")


def counts(run: Run) -> int:
    assert run.state == "published", run.error
    return int((run.counts or {})["accounts"])


def test_all_parts_of_a_folder_and_of_no_other(world: World, folder: Import) -> None:
    run = world.run(folder)
    assert counts(run) == 4
    evidence = run.evidence or {}
    assert [one["key"] for one in evidence["objects"]] == ["access/hr/part-1.csv", "access/hr/part-2.csv"]
    assert evidence["object_count"] == 2
    assert len(evidence["sha256"]) == 64


def test_a_set_that_did_not_change_is_not_read(world: World, folder: Import) -> None:
    world.run(folder)
    assert world.run(folder).state == "unchanged"
    world.put("access/hr/part-2.csv", users(3, 4, 5))
    assert counts(world.run(folder)) == 5


def test_a_part_that_cannot_be_read_fails_the_whole(
    world: World, folder: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part that is skipped would remove the accounts it holds."""
    assert counts(world.run(folder)) == 4
    world.put("access/hr/part-1.csv", users(1, 2, 6))
    world.put("access/hr/part-2.csv", b"\xff\xfe\x00")
    run = world.run(folder)
    assert (run.state, (run.error or {})["code"]) == ("failed", "file_encoding")
    assert "part-2.csv" in (run.error or {})["message"]
    folder.refresh_from_db()
    assert folder.current_version is not None
    assert folder.current_version.number == 1


def test_a_manifest_that_promises_more_refuses_the_set(world: World, folder: Import) -> None:
    world.put("access/hr/_MANIFEST.json", b'{"parts": 3}')
    run = world.run(folder)
    assert (run.state, (run.error or {})["code"]) == ("failed", "source_incomplete_set")
    world.put("access/hr/part-3.csv", users(5))
    assert counts(world.run(folder)) == 5


def test_a_mark_is_waited_for_until_its_time_is_over(
    world: World, folder: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = world.make_import("", pattern="access/hr/**", application="Other", mapping={"ready": "_SUCCESS"})
    world.put("access/hr/_SUCCESS", b"")
    assert counts(world.run(waiting)) == 4
    world.delete("access/hr/_SUCCESS")
    world.put("access/hr/part-2.csv", users(3))
    assert world.run(waiting).state == "unchanged"
    monkeypatch.setattr(fetching_sets, "READY_WAIT", timedelta(0))
    run = world.run(waiting)
    assert (run.state, (run.error or {})["code"]) == ("failed", "source_incomplete_set")


def test_accounts_and_grants_from_two_files(world: World) -> None:
    world.put("access/app/users.csv", users(1))
    world.put("access/app/members.csv", b"User ID,Group\nU001,ops\nU777,ops\n")
    item = world.make_import("", pattern="access/app/")
    run = world.run(item)
    assert (run.counts or {})["grants"] == 1
    issue = run.issues.get()
    assert (issue.code, issue.file, issue.value) == ("reference_unknown", "members.csv", "U777")


def test_a_preview_of_a_set(world: World, folder: Import) -> None:
    document = preview_import(world.scope, folder)
    assert document["error"] is None
    assert document["counts"]["accounts"] == 4
    assert [column["target"] for column in document["columns"]] == ["account.id", "account.email"]


def test_hostile_keys_stay_below_the_spool(world: World) -> None:
    world.put("access/bad/a", users(1))
    world.put("access/bad/a/b.csv", users(2))
    item = world.make_import("", pattern="access/bad/")
    assert counts(world.run(item)) == 2


@pytest.mark.parametrize("pattern", ["access/*/", "access/h?/**"])
def test_a_folder_has_no_wildcards(world: World, pattern: str) -> None:
    with pytest.raises(InputInvalid):
        world.make_import("", pattern=pattern)


def test_each_part_is_read_with_a_session_that_can_read_nothing_else(
    world: World, folder: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys: list[str | None] = []
    real = fetching_sets.download

    def watched(session: BucketSession, info: ObjectInfo, *given: Any, **named: Any) -> Any:
        keys.append(session.key)
        assert session.key == info.key
        return real(session, info, *given, **named)

    monkeypatch.setattr(fetching_sets, "download", watched)
    assert counts(world.run(folder)) == 4
    assert keys == ["access/hr/part-1.csv", "access/hr/part-2.csv"]
