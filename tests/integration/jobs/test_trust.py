"""Trust in a role, from the first proof to its loss and back, on a local AWS that enforces it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.utils import timezone

from grantline.aws.check import TRUST_STEPS
from grantline.aws.policies import ROLE_NAME, trust_policy
from grantline.aws.policy_texts import documents
from grantline.control.audit.models import AuditEvent
from grantline.control.imports.models import Import
from grantline.control.runs.models import Run
from grantline.control.sources import checks, external_ids
from grantline.control.sources import rules as sources
from grantline.control.sources.models import ConnectionCheck, DataSource, IssuedExternalId
from grantline.control.sources.trust import UNKNOWNS
from grantline.errors import Conflict, SourceCredentials
from grantline.jobs.checks import carry_out
from grantline.jobs.installation import aws_service
from grantline.jobs.policies import wanted_policies
from grantline.jobs.probes import start_due_probes
from grantline.jobs.requests import check_now, list_bucket, preview
from grantline.jobs.sessions import session_for
from grantline.web.overview.needs import needs
from tests.integration.jobs.conftest import BUCKET, World, grants_csv
from tests.ministack import OTHER_ACCOUNT, SERVICE_ROLE_ARN
from tests.wire import Wire, sts_error, watching

pytestmark = [pytest.mark.django_db, pytest.mark.integration]
KEY = "access/grants.csv"
ROWS = (("U001", "L1", "Viewer"), ("U002", "L1", "Viewer"))
CLOSED = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}]}


def fresh(world: World) -> DataSource:
    return DataSource.objects.get(pk=world.source.pk)


def trust(world: World, document: Any) -> None:
    """What the customer makes of the role's trust policy."""
    world.stack.client("iam").update_assume_role_policy(RoleName=ROLE_NAME, PolicyDocument=json.dumps(document))


def right(world: World) -> dict[str, Any]:
    return trust_policy(SERVICE_ROLE_ARN, world.source.external_id)


def without_condition() -> dict[str, Any]:
    document = trust_policy(SERVICE_ROLE_ARN, "unused")
    del document["Statement"][0]["Condition"]
    return document


def probe_now(world: World) -> ConnectionCheck:
    """Let the source's time come, and do what the schedule and a worker do."""
    DataSource.objects.filter(pk=world.source.pk).update(next_probe_at=timezone.now())
    (check,) = start_due_probes(timezone.now())
    carry_out(check.pk, aws_service())
    check.refresh_from_db()
    return check


def imported(world: World) -> tuple[Import, Run]:
    world.put(KEY, grants_csv(*ROWS))
    item = world.make_import(KEY)
    return item, world.run(item)


@pytest.fixture
def wire(world: World, monkeypatch: pytest.MonkeyPatch) -> Wire:
    """Sees everything that is sent from here on; the world is connected already."""
    wire = Wire()
    watching(wire, monkeypatch)
    return wire


def test_a_first_proof_is_repeated_after_two_minutes_then_daily(world: World) -> None:
    source = fresh(world)
    assert source.verified_at is not None
    assert source.next_probe_at is not None
    assert (
        timedelta(minutes=1, seconds=59) <= source.next_probe_at - source.verified_at <= timedelta(minutes=2, seconds=1)
    )
    assert start_due_probes(timezone.now()) == []
    check = probe_now(world)
    assert (check.kind, check.trigger, check.trusted, check.ok) == ("trust", "schedule", True, True)
    assert [step["name"] for step in check.steps] == list(TRUST_STEPS)
    again = fresh(world)
    assert (again.state, again.verified_at) == ("connected", source.verified_at)
    assert again.next_probe_at is not None
    assert timedelta(0) < again.next_probe_at - timezone.now() <= timedelta(days=1)
    assert again.proven_at is not None
    assert again.proven_at > source.verified_at


def test_a_source_that_is_due_gets_one_check(world: World) -> None:
    DataSource.objects.update(next_probe_at=timezone.now())
    assert len(start_due_probes(timezone.now())) == 1
    DataSource.objects.update(next_probe_at=timezone.now())
    assert start_due_probes(timezone.now()) == []


def test_a_check_that_lost_its_worker_is_begun_again(world: World) -> None:
    DataSource.objects.update(next_probe_at=timezone.now())
    (lost,) = start_due_probes(timezone.now())
    long_ago = timezone.now() - timedelta(seconds=checks.STALLED_CHECK_SECONDS + 1)
    ConnectionCheck.objects.filter(pk=lost.pk).update(started_at=long_ago)
    assert probe_now(world).ok
    carry_out(lost.pk, aws_service())
    assert fresh(world).state == "connected"


def test_a_probe_leaves_the_state_alone_until_it_ends(world: World) -> None:
    DataSource.objects.update(next_probe_at=timezone.now())
    start_due_probes(timezone.now())
    assert fresh(world).state == "connected"
    assert session_for(fresh(world), subject_id="x")


def test_a_role_that_stops_refusing_is_suspended_and_nothing_is_read(world: World, wire: Wire) -> None:
    item, first = imported(world)
    trust(world, without_condition())
    probe_now(world)
    source = fresh(world)
    assert (source.state, source.verified_at) == ("suspended", None)
    assert "without any External ID" in source.suspended_reason
    wire.sent.clear()
    run = world.run(item)
    assert run.error is not None
    assert (run.state, run.error["code"]) == ("failed", "source_credentials")
    assert "suspended" in run.error["message"]
    assert source.suspended_reason in run.error["message"]
    for read in (lambda: session_for(source, subject_id="x"), lambda: list_bucket(world.scope, source.pk)):
        with pytest.raises(SourceCredentials, match="suspended"):
            read()
    with pytest.raises(SourceCredentials, match="suspended"):
        preview(world.scope, item)
    assert wire.sent == []
    assert first.state == "published"


def test_a_suspension_is_told(world: World) -> None:
    trust(world, without_condition())
    probe_now(world)
    event = AuditEvent.objects.get(action="data_source:suspend")
    assert event.subject_id == world.source.pk
    assert "without any External ID" in event.after["reason"]
    (need,) = needs(world.scope, [], [fresh(world)])
    assert (need.state, need.title) == ("suspended", world.source.name)


def test_a_suspended_source_comes_back_through_a_passing_check_alone(world: World) -> None:
    trust(world, without_condition())
    probe_now(world)
    assert not check_now(world.scope, world.source.pk).trusted
    assert fresh(world).state == "suspended"
    trust(world, CLOSED)
    check_now(world.scope, world.source.pk)
    assert fresh(world).state == "suspended"
    trust(world, right(world))
    assert fresh(world).state == "suspended"
    assert check_now(world.scope, world.source.pk).ok
    source = fresh(world)
    assert (source.state, source.suspended_at, source.suspended_reason) == ("connected", None, "")
    assert AuditEvent.objects.filter(action="data_source:resume").count() == 1
    assert imported(world)[1].state == "published"


def test_a_role_that_was_never_proven_is_not_suspended_but_never_read(world: World) -> None:
    sources.change(world.scope, world.source.pk, {"region": "us-east-1"})
    trust(world, without_condition())
    check_now(world.scope, world.source.pk)
    source = fresh(world)
    assert (source.state, source.verified_at, source.suspended_at) == ("needs_attention", None, None)
    with pytest.raises(Conflict, match="not connected"):
        session_for(source, subject_id="x")


def test_a_role_that_stops_letting_us_in_needs_attention_and_heals(world: World) -> None:
    trust(world, CLOSED)
    probe_now(world)
    source = fresh(world)
    assert (source.state, source.verified_at, source.suspended_at) == ("needs_attention", None, None)
    assert AuditEvent.objects.filter(action="data_source:lapse").count() == 1
    trust(world, right(world))
    check = probe_now(world)
    assert (check.kind, len(check.steps)) == ("connection", 7)
    assert fresh(world).state == "connected"


def unclear(world: World) -> Any:
    """A fault for whatever is asked without the right External ID."""
    fault = sts_error(400, "ValidationError")
    return lambda request: None if world.source.external_id in request.body else fault(request)


def test_no_clear_answer_keeps_the_state_and_is_asked_again_soon(world: World, wire: Wire) -> None:
    wire.faults["AssumeRole"] = unclear(world)
    check = probe_now(world)
    assert [step["outcome"] for step in check.steps] == ["pass", "unknown", "unknown", "unknown"]
    assert not check.trusted
    source = fresh(world)
    assert (source.state, source.unknown_count) == ("connected", 1)
    assert source.verified_at is not None
    assert source.next_probe_at is not None
    assert source.next_probe_at - timezone.now() <= timedelta(minutes=5)
    wire.faults.clear()
    probe_now(world)
    assert fresh(world).unknown_count == 0


def test_no_clear_answer_for_long_ends_the_proof(world: World, wire: Wire) -> None:
    wire.faults["AssumeRole"] = unclear(world)
    for _ in range(UNKNOWNS - 1):
        probe_now(world)
    assert fresh(world).state == "connected"
    probe_now(world)
    source = fresh(world)
    assert (source.state, source.verified_at) == ("needs_attention", None)


def test_credentials_of_our_own_that_fail_say_nothing_of_the_role(world: World, wire: Wire) -> None:
    wire.faults["AssumeRole"] = sts_error(403, "InvalidClientTokenId")
    probe_now(world)
    assert (fresh(world).state, fresh(world).unknown_count) == ("connected", 1)


def test_a_person_s_check_without_a_clear_answer_keeps_the_state(world: World, wire: Wire) -> None:
    wire.faults["AssumeRole"] = unclear(world)
    check = check_now(world.scope, world.source.pk)
    assert [step["outcome"] for step in check.steps][4:] == ["skipped"] * 3
    assert set(wire.services) == {"sts"}
    assert fresh(world).state == "connected"


def test_a_failing_check_and_run_make_no_s3_request(world: World, wire: Wire) -> None:
    item, _ = imported(world)
    trust(world, CLOSED)
    wire.sent.clear()
    wire.services.clear()
    assert world.run(item).state == "failed"
    assert wire.sent == ["AssumeRole"]
    check_now(world.scope, world.source.pk)
    assert wire.sent == ["AssumeRole"] * 2
    assert world.run(item).state == "failed"
    assert set(wire.services) == {"sts"}
    assert len(wire.sent) == 2


def test_what_was_read_while_the_source_was_suspended_is_not_used(world: World, wire: Wire) -> None:
    world.put(KEY, grants_csv(*ROWS))
    item = world.make_import(KEY)

    def suspend(_request: Any) -> None:
        DataSource.objects.update(state="suspended", verified_at=None, suspended_at=timezone.now())

    wire.faults["GetObject"] = suspend
    run = world.run(item)
    assert run.error is not None
    assert (run.state, run.error["code"]) == ("failed", "source_credentials")


def test_what_was_read_from_the_bucket_named_before_is_not_used(world: World, wire: Wire) -> None:
    world.put(KEY, grants_csv(*ROWS))
    item = world.make_import(KEY)
    wire.faults["GetObject"] = lambda _request: DataSource.objects.update(bucket="another-bucket") and None
    run = world.run(item)
    assert run.error is not None
    assert run.state == "failed"
    assert "changed while it was read" in run.error["message"]


def test_the_object_of_a_pattern_is_read_with_a_session_for_it_alone(world: World, wire: Wire) -> None:
    from grantline.control.applications import rules as applications
    from grantline.control.imports import rules as imports

    world.put("access/hr-1.csv", grants_csv(*ROWS))
    values = {"data_source_id": world.source.pk, "pattern": "access/hr-*.csv"}
    item = imports.create(world.scope, applications.create(world.scope, "HR").pk, values)
    policies: list[str] = []
    wire.faults["AssumeRole"] = lambda request: policies.append(parse_qs(request.body)["Policy"][0])
    assert world.run(item).state == "published"
    assert wire.sent[wire.sent.index("GetObject") - 1] == "AssumeRole"
    reading = json.loads(policies[-1])
    assert [statement["Resource"] for statement in reading["Statement"] if "s3:GetObject" in statement["Action"]] == [
        f"arn:aws:s3:::{BUCKET}/access/hr-1.csv"
    ]


def test_the_owner_named_is_expected_on_every_call(world: World, wire: Wire) -> None:
    sources.change(world.scope, world.source.pk, {"bucket_owner": OTHER_ACCOUNT})
    assert fresh(world).state == "awaiting_role"
    owners: list[Any] = []
    for operation in ("HeadBucket", "ListObjectsV2", "HeadObject", "GetObject"):
        wire.faults[operation] = lambda request: owners.append(request.headers["x-amz-expected-bucket-owner"])
    check_now(world.scope, world.source.pk)
    assert imported(world)[1].state == "published"
    assert {owner.decode() if isinstance(owner, bytes) else owner for owner in owners} == {OTHER_ACCOUNT}
    assert {"HeadBucket", "ListObjectsV2", "HeadObject", "GetObject"} <= set(wire.sent)


def test_a_rotation_leaves_no_gap(world: World) -> None:
    item, _ = imported(world)
    old = world.source.external_id
    source = external_ids.rotate(world.scope, world.source.pk)
    new = source.pending_external_id
    assert new is not None
    assert external_ids.rotate(world.scope, source.pk).pending_external_id == new
    assert world.run(item).state == "unchanged"
    check = check_now(world.scope, source.pk)
    assert (check.ok, check.external_id) == (True, old)
    assert fresh(world).pending_external_id == new
    trust(world, documents(wanted_policies(fresh(world))).trust_policy)
    assert world.run(item).state == "unchanged"
    check = check_now(world.scope, source.pk)
    assert (check.ok, check.external_id) == (True, new)
    after = fresh(world)
    assert (after.state, after.external_id, after.pending_external_id) == ("connected", new, None)
    assert IssuedExternalId.objects.get(pk=old).retired_at is not None
    assert IssuedExternalId.objects.get(pk=new).retired_at is None
    assert AuditEvent.objects.filter(action="external_id:replace").count() == 1
    trust(world, trust_policy(SERVICE_ROLE_ARN, new))
    assert world.run(item).state == "unchanged"


def test_the_schedule_finishes_a_rotation_that_nobody_checked(world: World) -> None:
    new = external_ids.rotate(world.scope, world.source.pk).pending_external_id
    assert new is not None
    trust(world, trust_policy(SERVICE_ROLE_ARN, new))
    probe_now(world)
    assert (fresh(world).external_id, fresh(world).state) == (new, "connected")


def test_a_new_id_is_not_taken_from_a_role_that_lets_others_in(world: World) -> None:
    old = world.source.external_id
    external_ids.rotate(world.scope, world.source.pk)
    trust(world, without_condition())
    check_now(world.scope, world.source.pk)
    assert (fresh(world).external_id, fresh(world).state) == (old, "suspended")


def test_a_cancelled_rotation_leaves_the_old_id_and_a_tombstone(world: World) -> None:
    old = world.source.external_id
    new = external_ids.rotate(world.scope, world.source.pk).pending_external_id
    source = external_ids.cancel_rotation(world.scope, world.source.pk)
    assert (source.external_id, source.pending_external_id) == (old, None)
    assert IssuedExternalId.objects.get(pk=new).retired_at is not None
    trust(world, trust_policy(SERVICE_ROLE_ARN, str(new)))
    check_now(world.scope, world.source.pk)
    assert (fresh(world).external_id, fresh(world).state) == (old, "needs_attention")


def test_a_check_that_a_cancelled_id_passed_changes_nothing(world: World) -> None:
    new = external_ids.rotate(world.scope, world.source.pk).pending_external_id
    check = checks.begin_check(world.scope, world.source.pk)
    ConnectionCheck.objects.filter(pk=check.pk).update(external_id=new)
    check.refresh_from_db()
    external_ids.cancel_rotation(world.scope, world.source.pk)
    checks.finish_check(check, trusted=True, ok=True, found_region="")
    assert fresh(world).external_id == world.source.external_id
