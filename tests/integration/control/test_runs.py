"""Runs: one queued, one running, one held; published only by who holds the claim, all or nothing."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from grantline.catalog.model import Changes, Counts, KindChanges, Manifest
from grantline.control.applications import rules as applications
from grantline.control.imports import rules as imports
from grantline.control.imports.models import Import
from grantline.control.runs import rules
from grantline.control.runs.models import Run, RunState, Trigger, Version
from grantline.control.tenancy import Scope
from grantline.errors import Conflict, NotAllowed, NotFound, SourceNotFound
from grantline.issues import Issue
from tests.integration.control.test_sources import connected

pytestmark = [pytest.mark.django_db, pytest.mark.integration]


@pytest.fixture
def item(admin: Scope) -> Import:
    application = applications.create(admin, "Payments")
    return imports.create(admin, application.pk, {"data_source_id": connected(admin).pk, "key": "access/a.csv"})


def manifest(number: int) -> Manifest:
    counts = Counts(accounts=2, resources=1, entitlements=1, grants=2)
    changes = Changes(accounts=KindChanges(added=2), grants=KindChanges(added=2))
    return Manifest(number, counts, changes, 2, 1, {"accounts.parquet": 10})


def started(scope: Scope, item: Import) -> Run:
    run, created = rules.queue(scope, item, Trigger.BUTTON)
    assert created
    claimed = rules.claim(run.pk)
    assert claimed is not None
    return claimed


def test_queueing_twice_gives_the_same_run(admin: Scope, item: Import) -> None:
    first, created = rules.queue(admin, item, Trigger.BUTTON)
    second, again = rules.queue(admin, item, Trigger.API)
    assert (created, again) == (True, False)
    assert first.pk == second.pk


def test_a_run_is_claimed_once(admin: Scope, item: Import) -> None:
    run, _ = rules.queue(admin, item, Trigger.BUTTON)
    assert rules.claim(run.pk) is not None
    assert rules.claim(run.pk) is None


def test_the_database_allows_one_running_run_of_an_import(admin: Scope, item: Import) -> None:
    run = started(admin, item)
    with pytest.raises(IntegrityError, match="one_running_run_per_import"), transaction.atomic():
        Run.objects.create(
            organization_id=run.organization_id, of_import=item, number=9, trigger="api", state=RunState.RUNNING
        )


def test_publish_moves_pointer_version_and_run_together(admin: Scope, item: Import) -> None:
    run = started(admin, item)
    version = rules.publish(run, manifest(1), "ver_one", seen={"etag": "x"}, index=lambda: None)
    item.refresh_from_db()
    run.refresh_from_db()
    assert item.current_version_id == version.pk == "ver_one"
    assert (run.state, run.version_id) == ("published", "ver_one")
    assert item.seen == {"etag": "x"}
    assert item.looked_at is not None


def test_a_failure_inside_publish_leaves_everything_as_it_was(admin: Scope, item: Import) -> None:
    run = started(admin, item)

    def broken() -> None:
        raise RuntimeError("the index broke")

    with pytest.raises(RuntimeError):
        rules.publish(run, manifest(1), "ver_one", seen=None, index=broken)
    item.refresh_from_db()
    assert item.current_version_id is None
    assert not Version.objects.filter(pk="ver_one").exists()
    assert Run.objects.get(pk=run.pk).state == "running"


def test_a_worker_that_lost_its_claim_publishes_nothing(admin: Scope, item: Import) -> None:
    slow = started(admin, item)
    assert rules.requeue(slow)
    assert rules.claim(slow.pk) is not None
    with pytest.raises(rules.ClaimLost):
        rules.publish(slow, manifest(1), "ver_one", seen=None, index=lambda: None)
    with pytest.raises(rules.ClaimLost):
        rules.note_progress(slow, stage="read")
    with pytest.raises(rules.ClaimLost):
        rules.fail(slow, SourceNotFound(), timings={})


def test_a_version_made_against_an_older_one_is_refused(admin: Scope, item: Import) -> None:
    with pytest.raises(Conflict, match="made against version 4"):
        rules.publish(started(admin, item), manifest(5), "ver_five", seen=None, index=lambda: None)


def test_a_failure_keeps_the_data_and_counts(admin: Scope, item: Import) -> None:
    rules.publish(started(admin, item), manifest(1), "ver_one", seen=None, index=lambda: None)
    for _ in range(2):
        rules.fail(started(admin, item), SourceNotFound(), timings={"fetch": 0.1})
    item.refresh_from_db()
    assert item.current_version_id == "ver_one"
    assert item.failure_count == 2
    run = rules.list_runs(admin, item).first()
    assert run is not None
    assert run.error is not None
    assert run.error["code"] == "source_not_found"
    rules.finish_unchanged(started(admin, item), evidence=None, timings={})
    item.refresh_from_db()
    assert (item.failure_count, item.failing_since) == (0, None)


def test_a_newer_held_run_replaces_the_older_one(admin: Scope, item: Import) -> None:
    first = started(admin, item)
    rules.hold(first, version_id="ver_a", reasons=["8 of 10 would go"], base_number=1)
    second = started(admin, item)
    rules.hold(second, version_id="ver_b", reasons=["9 of 10 would go"], base_number=1)
    first.refresh_from_db()
    assert first.state == "discarded"
    assert rules.held(admin, second.pk).pk == second.pk


def test_discard_is_for_held_runs_of_ones_own(admin: Scope, stranger: Scope, auditor: Scope, item: Import) -> None:
    run = started(admin, item)
    with pytest.raises(Conflict, match="not held"):
        rules.discard(admin, run.pk)
    rules.hold(run, version_id="ver_a", reasons=["all would go"], base_number=1)
    with pytest.raises(NotFound):
        rules.discard(stranger, run.pk)
    with pytest.raises(NotAllowed):
        rules.discard(auditor, run.pk)
    assert rules.discard(admin, run.pk, "wrong file").state == "discarded"


def test_issues_are_stored_as_they_are_but_for_nul(admin: Scope, item: Import) -> None:
    run = started(admin, item)
    rules.store_issues(
        run, [Issue("value_invalid", "e-mail holds a NUL", row=2, line=3, column="email", value="a\x00b")]
    )
    stored = rules.list_issues(admin, run).get()
    assert (stored.row, stored.line, stored.value) == (2, 3, "a␀b")


def test_the_masked_row_of_an_issue_is_read_on_request(admin: Scope, item: Import) -> None:
    run = started(admin, item)
    record = (("na\x00me", "xxxx"), ("email", "b\x00d"))
    rules.store_issues(run, [Issue("value_invalid", "no address", row=1, record=record), Issue("row_width", "", row=2)])
    plain = rules.list_issues(admin, run)
    assert [issue.get_deferred_fields() for issue in plain] == [{"record"}, {"record"}]
    assert rules.read_record(admin, run, 1).record == [["na␀me", "xxxx"], ["email", "b␀d"]]
    for ordinal in (2, 3):
        with pytest.raises(NotFound):
            rules.read_record(admin, run, ordinal)


def test_an_import_by_hand_needs_a_file(admin: Scope) -> None:
    item = imports.create(admin, applications.create(admin, "By hand").pk, {})
    with pytest.raises(Conflict, match="takes files by hand"):
        rules.queue(admin, item, Trigger.BUTTON)
