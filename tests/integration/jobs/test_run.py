"""A run from trigger to verdict, on real parts: a bucket, a role that enforces trust, a database, the lake."""

from __future__ import annotations

import hashlib

import pytest

from grantline.control.accounts.models import AccountIndex
from grantline.control.applications.catalog import catalog_of
from grantline.control.imports import rules as imports
from grantline.control.lake import folder_of
from grantline.control.runs import rules as runs
from grantline.control.runs.models import Run
from grantline.errors import Conflict, InputInvalid
from grantline.jobs.requests import approve
from tests.integration.jobs.conftest import BUCKET, World, grants_csv

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.integration]
KEY = "access/grants.csv"
TEN = [(f"U{number:03d}", f"L{number % 3}", "Viewer") for number in range(10)]


def test_the_first_run_publishes_what_is_in_the_file(world: World) -> None:
    body = grants_csv(*TEN)
    world.put(KEY, body)
    item = world.make_import(KEY)
    run = world.run(item)
    assert run.state == "published", run.error
    assert run.version is not None
    assert run.version.counts == {"accounts": 10, "resources": 3, "entitlements": 3, "grants": 10}
    assert run.changes["grants"] == {"added": 10, "removed": 0, "changed": 0}
    assert run.evidence is not None
    assert run.evidence["bucket"] == BUCKET
    assert run.evidence["key"] == KEY
    assert run.evidence["sha256"] == hashlib.sha256(body).hexdigest()
    assert run.evidence["size_bytes"] == len(body)
    assert run.evidence["version_id"]
    assert set(run.timings) == set(runs.STAGES)
    assert run.counts is not None
    assert run.counts["rows_read"] == 10
    assert AccountIndex.objects.filter(import_id=item.pk).count() == 10


def test_the_catalog_answers(world: World) -> None:
    world.put(KEY, grants_csv(*TEN))
    item = world.make_import(KEY)
    world.run(item)
    catalog = catalog_of(world.scope, item.application)
    assert catalog.counts().grants == 10
    page = catalog.accounts(limit=4)
    assert [row["id"] for row in page.items] == ["U000", "U001", "U002", "U003"]
    assert page.next is not None
    assert [row["id"] for row in catalog.accounts(limit=4, cursor=page.next).items][0] == "U004"
    assert [row["id"] for row in catalog.accounts(search="u007@").items] == ["U007"]
    grant = catalog.grants(account="U001").items[0]
    assert (grant["resource"], grant["entitlement"]) == ("L1", "Viewer")
    assert grant["since"]["version"] == 1
    assert grant["since"]["run_id"].startswith("run_")
    members = catalog.grants(entitlement=grant["entitlement_key"]).items
    assert [row["account"] for row in members] == ["U001", "U004", "U007"]


def test_unchanged_reads_no_byte(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.put(KEY, grants_csv(*TEN))
    item = world.make_import(KEY)
    world.run(item)
    sent: list[str] = []
    from grantline.aws import service

    original = service._configured

    def watched(chosen: service.Service, client: object) -> object:
        client.meta.events.register("before-send", lambda event_name, **_: sent.append(event_name.split(".")[-1]))  # type: ignore[attr-defined]
        return original(chosen, client)  # type: ignore[type-var]

    monkeypatch.setattr(service, "_configured", watched)
    run = world.run(item)
    assert run.state == "unchanged"
    assert "GetObject" not in sent
    assert "HeadObject" in sent
    assert run.evidence is not None
    assert run.evidence["sha256"]


def test_a_changed_file_makes_a_second_version_with_its_changes(world: World) -> None:
    world.put(KEY, grants_csv(*TEN))
    item = world.make_import(KEY)
    world.run(item)
    world.put(KEY, grants_csv(*TEN[:-1], ("U010", "L0", "Editor")))
    run = world.run(item)
    assert run.state == "published", run.error
    assert run.changes["accounts"] == {"added": 1, "removed": 1, "changed": 0}
    assert run.changes["grants"] == {"added": 1, "removed": 1, "changed": 0}
    catalog = catalog_of(world.scope, item.application)
    changes = catalog.changes().items
    assert {(row["op"], row["account"]) for row in changes if row["kind"] == "grant"} == {
        ("added", "U010"),
        ("removed", "U009"),
    }
    assert {row.key for row in AccountIndex.objects.filter(import_id=item.pk)} == {f"U{n:03d}" for n in range(11)} - {
        "U009"
    }
    first = run.of_import.versions.get(number=1)
    then = catalog_of(world.scope, item.application, as_of=first.published_at)
    assert [row["account"] for row in then.grants(account="U009").items] == ["U009"]


def test_a_new_mapping_is_read_again(world: World) -> None:
    world.put(KEY, grants_csv(*TEN))
    item = world.make_import(KEY)
    world.run(item)
    mapping = {
        "version": 1,
        "columns": [
            {"source": "User ID", "to": "account.id"},
            {"source": "Resource Type", "to": "resource.type"},
            {"source": "Resource Name", "to": "resource.name"},
            {"source": "Entitlement", "to": "entitlement.name"},
            {"source": "Email Address", "to": "account.username"},
        ],
    }
    item = imports.change(world.scope, item.pk, {"mapping": mapping})
    run = world.run(item)
    assert run.state == "published", run.error
    assert run.changes["accounts"]["changed"] == 10


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "file_empty"),
        (b"User ID,Email Address\n", "file_empty"),
        (b"foo,bar\n1,2\n", "header_missing"),
        ("User ID,Email Address\nU1,\xe9\n".encode("latin-1"), "file_encoding"),
        (b'User ID,Email Address\nU1,"open\n', "file_structure"),
    ],
)
def test_a_broken_file_fails_with_its_code_and_keeps_the_data(world: World, body: bytes, code: str) -> None:
    world.put(KEY, grants_csv(*TEN))
    item = world.make_import(KEY)
    world.run(item)
    world.put(KEY, body)
    run = world.run(item)
    assert run.state == "failed"
    assert run.error is not None
    assert run.error["code"] == code
    assert run.error["remedy"]
    assert item.failure_count == 1
    assert catalog_of(world.scope, item.application).counts().accounts == 10


def test_a_missing_object_is_not_an_empty_file(world: World) -> None:
    world.put(KEY, grants_csv(*TEN))
    item = world.make_import(KEY)
    world.run(item)
    world.delete(KEY)
    run = world.run(item)
    assert run.error is not None
    assert (run.state, run.error["code"]) == ("failed", "source_not_found")
    assert KEY in run.error["message"]
    assert catalog_of(world.scope, item.application).counts().accounts == 10


def test_a_role_that_refuses_fails_the_run(world: World) -> None:
    world.put(KEY, grants_csv(*TEN))
    item = world.make_import(KEY)
    world.run(item)
    world.stack.client("iam").update_assume_role_policy(
        RoleName="GrantlineIntegration",
        PolicyDocument='{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole"}]}',
    )
    run = world.run(item)
    assert run.error is not None
    assert (run.state, run.error["code"]) == ("failed", "source_credentials")
    assert catalog_of(world.scope, item.application).counts().accounts == 10


def test_a_source_that_is_not_connected_is_not_read(world: World) -> None:
    from grantline.control.sources import rules as sources

    world.put(KEY, grants_csv(*TEN))
    item = world.make_import(KEY)
    sources.change(world.scope, world.source.pk, {"prefix": "access/g"})
    run = world.run(item)
    assert run.state == "failed"
    assert run.error is not None
    assert "not connected" in run.error["message"]


def test_rows_without_a_key_are_issues_and_the_rest_is_imported(world: World) -> None:
    world.put(KEY, grants_csv(*TEN) + b",nobody@example.com,Ledger,L1,Viewer\n")
    run = world.run(world.make_import(KEY))
    assert run.state == "published"
    issue = runs.list_issues(world.scope, run).get()
    assert (issue.code, issue.row, issue.line) == ("row_key_missing", 11, 12)
    assert run.issue_counts == {"row_key_missing": 1}


def test_a_mass_removal_is_held_and_approved(world: World) -> None:
    world.put(KEY, grants_csv(*TEN))
    item = world.make_import(KEY)
    world.run(item)
    world.put(KEY, grants_csv(*TEN[:2]))
    run = world.run(item)
    assert run.state == "held"
    assert run.guard is not None
    assert "8 of 10 accounts (80 %)" in run.guard["reasons"][0]
    assert catalog_of(world.scope, item.application).counts().accounts == 10
    with pytest.raises(InputInvalid, match="Say why"):
        approve(world.scope, run.pk, "")
    assert approve(world.scope, run.pk, "The team was closed.").state == "published"
    item.refresh_from_db()
    assert item.current_version is not None
    assert item.current_version.number == 2
    assert catalog_of(world.scope, item.application).counts().accounts == 2
    assert {row.key for row in AccountIndex.objects.filter(import_id=item.pk)} == {"U000", "U001"}
    with pytest.raises(Conflict, match="not held"):
        approve(world.scope, run.pk, "Again.")


def test_a_discarded_proposal_is_not_made_again_for_the_same_file(world: World) -> None:
    world.put(KEY, grants_csv(*TEN))
    item = world.make_import(KEY)
    world.run(item)
    world.put(KEY, grants_csv(*TEN[:2]))
    held = world.run(item)
    runs.discard(world.scope, held.pk, "wrong file")
    assert world.run(item).state == "unchanged"
    assert catalog_of(world.scope, item.application).counts().accounts == 10


def test_the_same_rows_in_another_order_are_nothing_new(world: World) -> None:
    world.put(KEY, grants_csv(*TEN))
    item = world.make_import(KEY)
    world.run(item)
    world.put(KEY, grants_csv(*reversed(TEN)))
    run = world.run(item)
    assert run.state == "unchanged"
    assert item.current_version is not None
    assert item.current_version.number == 1


def test_several_imports_of_one_application_stand_side_by_side(world: World) -> None:
    world.put("access/a.csv", grants_csv(("U001", "L1", "Viewer"), ("U002", "L1", "Viewer")))
    world.put("access/b.csv", grants_csv(("U002", "L2", "Viewer"), ("U003", "L1", "Viewer")))
    one, two = world.make_import("access/a.csv"), world.make_import("access/b.csv")
    world.run(one)
    world.run(two)
    catalog = catalog_of(world.scope, one.application)
    assert [row["id"] for row in catalog.accounts().items] == ["U001", "U002", "U003"]
    world.put("access/b.csv", grants_csv(("U003", "L1", "Viewer")))
    world.run(two)
    assert [row["id"] for row in catalog_of(world.scope, one.application).accounts().items] == ["U001", "U002", "U003"]


def test_the_newest_file_of_a_pattern_is_read(world: World) -> None:
    from grantline.control.applications import rules as applications

    world.put("access/hr-1.csv", grants_csv(("U001", "L1", "Viewer")))
    world.put("access/hr-2.csv", grants_csv(("U002", "L1", "Viewer")))
    application = applications.create(world.scope, "HR")
    item = imports.create(
        world.scope, application.pk, {"data_source_id": world.source.pk, "pattern": "access/hr-*.csv"}
    )
    run = world.run(item)
    assert run.evidence is not None
    assert run.evidence["key"] == "access/hr-2.csv"


def test_a_run_that_publishes_leaves_no_spool(world: World) -> None:
    world.put(KEY, grants_csv(*TEN))
    item = world.make_import(KEY)
    world.run(item)
    from grantline.jobs.installation import spool_folder

    assert list(spool_folder(item.organization_id).iterdir()) == []
    assert Run.objects.count() == 1
    assert folder_of(item).folder.exists()
