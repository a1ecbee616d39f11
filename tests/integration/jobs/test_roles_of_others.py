"""One role, several data sources: whose it is, and that nobody can borrow it or block it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.utils import timezone

from grantline.aws.policies import ROLE_NAME, trust_policy
from grantline.control.organizations.models import Membership, Organization, User
from grantline.control.organizations.roles import Role
from grantline.control.organizations.rules import scope_of
from grantline.control.sources import checks
from grantline.control.sources import rules as sources
from grantline.control.sources.external_ids import OTHERS_TRIED, others_to_refuse
from grantline.control.sources.models import ConnectionCheck, DataSource, IssuedExternalId
from grantline.control.tenancy import Scope
from grantline.jobs.checks import carry_out
from grantline.jobs.installation import aws_service
from grantline.jobs.probes import start_due_probes
from grantline.jobs.requests import check_now
from tests.integration.jobs.conftest import BUCKET, World
from tests.ministack import SERVICE_ROLE_ARN
from tests.wire import Wire, watching

pytestmark = [pytest.mark.django_db, pytest.mark.integration]


@pytest.fixture
def stranger(world: World) -> Scope:
    """The Super Administrator of another organization."""
    user = User.objects.create_user("admin@other.example.com", "correct horse battery")
    organization = Organization.objects.create(name="Other Corp")
    Membership.objects.create(organization=organization, user=user, role=Role.SUPER_ADMINISTRATOR.value)
    scope = scope_of(user, via="session")
    assert scope is not None
    return scope


def claim(scope: Scope, world: World, name: str = "theirs") -> DataSource:
    """A data source that names the world's role and bucket."""
    source = sources.create(scope, name)
    values = {"role_arn": world.source.role_arn, "bucket": BUCKET, "prefix": "access/"}
    return sources.change(scope, source.pk, values)


def trust(world: World, *external_ids: str) -> None:
    document: dict[str, Any] = trust_policy(SERVICE_ROLE_ARN, "replaced")
    document["Statement"][0]["Condition"] = {"StringEquals": {"sts:ExternalId": list(external_ids)}}
    world.stack.client("iam").update_assume_role_policy(RoleName=ROLE_NAME, PolicyDocument=json.dumps(document))


def outcomes(check: ConnectionCheck) -> list[str]:
    return [step["outcome"] for step in check.steps]


def state(source: DataSource) -> str:
    return DataSource.objects.get(pk=source.pk).state


def test_a_claim_to_somebody_else_s_role_is_refused_and_blocks_nobody(world: World, stranger: Scope) -> None:
    theirs = claim(stranger, world)
    check = check_now(stranger, theirs.pk)
    assert outcomes(check)[0] == "fail"
    assert state(theirs) == "needs_attention"
    assert check_now(world.scope, world.source.pk).ok


def test_a_claim_made_first_blocks_nobody(world: World, stranger: Scope) -> None:
    sources.change(world.scope, world.source.pk, {"region": "us-east-1"})
    check_now(stranger, claim(stranger, world).pk)
    assert check_now(world.scope, world.source.pk).ok


def test_a_role_that_lists_two_organizations_ids_is_trusted_for_neither(world: World, stranger: Scope) -> None:
    theirs = claim(stranger, world)
    trust(world, world.source.external_id, theirs.external_id)
    check = check_now(stranger, theirs.pk)
    assert outcomes(check) == ["pass", "pass", "pass", "fail", "skipped", "skipped", "skipped"]
    assert check.steps[3]["code"] == "external_id_shared"
    assert state(theirs) == "needs_attention"
    check_now(world.scope, world.source.pk)
    assert state(world.source) == "suspended"


def test_the_id_of_another_organization_is_tried_whatever_role_it_names(world: World, stranger: Scope) -> None:
    theirs = sources.create(stranger, "elsewhere")
    trust(world, world.source.external_id, theirs.external_id)
    assert outcomes(check_now(world.scope, world.source.pk))[3] == "fail"


def test_a_second_connected_source_of_one_role_is_refused_in_words_that_name_nobody(
    world: World, stranger: Scope
) -> None:
    theirs = claim(stranger, world)
    trust(world, theirs.external_id)
    check = check_now(stranger, theirs.pk)
    assert not check.trusted
    assert check.steps[3]["code"] == "role_in_use"
    said = json.dumps(check.steps[3])
    names = (world.source.name, world.source.pk, world.source.external_id, "Example Corp", world.scope.organization_id)
    assert not [name for name in names if name in said]
    assert (state(theirs), state(world.source)) == ("needs_attention", "connected")


def test_a_role_whose_holder_lost_it_is_free_again_at_once(world: World, stranger: Scope) -> None:
    theirs = claim(stranger, world)
    trust(world, theirs.external_id)
    check_now(stranger, theirs.pk)
    (probe,) = start_due_probes(timezone.now())
    assert probe.data_source_id == world.source.pk
    carry_out(probe.pk, aws_service())
    assert state(world.source) == "needs_attention"
    DataSource.objects.filter(pk=theirs.pk).update(next_probe_at=timezone.now())
    (again,) = start_due_probes(timezone.now())
    carry_out(again.pk, aws_service())
    assert state(theirs) == "connected"


def test_two_sources_of_one_organization_cannot_share_a_role_either(world: World) -> None:
    second = claim(world.scope, world, "second")
    check = checks.begin_check(world.scope, second.pk)
    after = checks.finish_check(check, trusted=True, ok=True, found_region="")
    assert (after.state, after.verified_at) == ("needs_attention", None)


def test_ids_of_sources_that_name_the_same_role_are_tried_first(world: World, stranger: Scope) -> None:
    others = [sources.create(stranger, f"other {number}") for number in range(10)]
    rival = claim(stranger, world)
    chosen = others_to_refuse(DataSource.objects.get(pk=world.source.pk))
    assert chosen[0] == rival.external_id
    assert len(chosen) == len(set(chosen)) == OTHERS_TRIED
    assert set(chosen[1:]) <= {source.external_id for source in others}


def test_where_nobody_else_has_an_id_one_is_issued_and_retired_at_once(world: World) -> None:
    source = DataSource.objects.get(pk=world.source.pk)
    (decoy,) = others_to_refuse(source)
    issued = IssuedExternalId.objects.get(pk=decoy)
    assert (issued.organization_id, issued.data_source_id) == ("", "")
    assert issued.retired_at is not None
    assert others_to_refuse(source) == [decoy]


def test_own_ids_are_never_among_those_to_be_refused(world: World) -> None:
    from grantline.control.sources import external_ids

    source = external_ids.rotate(world.scope, world.source.pk)
    external_ids.cancel_rotation(world.scope, world.source.pk)
    own = set(IssuedExternalId.objects.filter(data_source_id=source.pk).values_list("external_id", flat=True))
    assert len(own) == 2
    assert not own & set(others_to_refuse(source))


def test_a_role_that_lets_anybody_in_is_shown_no_id_of_others(
    world: World, stranger: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = sources.create(stranger, "elsewhere")
    document = trust_policy(SERVICE_ROLE_ARN, "unused")
    del document["Statement"][0]["Condition"]
    world.stack.client("iam").update_assume_role_policy(RoleName=ROLE_NAME, PolicyDocument=json.dumps(document))
    wire, bodies = Wire(), []
    watching(wire, monkeypatch)
    wire.faults["AssumeRole"] = lambda request: bodies.append(request.body)
    check_now(world.scope, world.source.pk)
    assert len(bodies) == 4
    assert not [body for body in bodies if theirs.external_id in body]
