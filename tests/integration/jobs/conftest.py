"""A real local AWS with the customer's bucket, and a data source that is connected to it for real."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from django.conf import settings

from grantline.aws.policy_texts import documents
from grantline.control.applications import rules as applications
from grantline.control.imports import rules as imports
from grantline.control.imports.models import Import
from grantline.control.organizations.models import Membership, Organization, User
from grantline.control.organizations.roles import Role
from grantline.control.organizations.rules import scope_of
from grantline.control.runs.models import Run, Trigger
from grantline.control.sources import rules as sources
from grantline.control.sources.models import DataSource
from grantline.control.tenancy import Scope
from grantline.jobs.policies import wanted_policies
from grantline.jobs.requests import check_now, sync
from grantline.jobs.run import carry_out
from tests import ministack as local_aws
from tests.ministack import MiniStack

BUCKET = "example-exports"
GRANTS = b"User ID,Email Address,Resource Type,Resource Name,Entitlement\n"
ROW = "{user},{user}@example.com,Ledger,{resource},{role}\n"


def grants_csv(*grants: tuple[str, str, str]) -> bytes:
    """A file with one row per grant: (user, resource, role)."""
    return (
        GRANTS
        + "".join(ROW.format(user=user, resource=resource, role=role) for user, resource, role in grants).encode()
    )


@pytest.fixture(scope="session")
def stack() -> Iterator[MiniStack]:
    with local_aws.running() as running:
        yield running


@dataclass
class World:
    """One organization, its customer's AWS account, and a way to run an import to its end."""

    stack: MiniStack
    scope: Scope
    source: DataSource

    def put(self, key: str, body: bytes) -> None:
        """Write an object as the customer does."""
        self.stack.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)

    def delete(self, key: str) -> None:
        """Remove an object as the customer does."""
        self.stack.client("s3").delete_object(Bucket=BUCKET, Key=key)

    def make_import(self, key: str, application: str = "Payments", **values: object) -> Import:
        """An import of `key`."""
        found = applications.list_applications(self.scope).filter(name=application).first()
        found = found or applications.create(self.scope, application)
        return imports.create(self.scope, found.pk, {"data_source_id": self.source.pk, "key": key, **values})

    def run(self, item: Import) -> Run:
        """Sync, and carry the run out here as a worker would."""
        run = sync(self.scope, item.pk, Trigger.BUTTON)
        carry_out(run.pk)
        item.refresh_from_db()
        return Run.objects.select_related("version").get(pk=run.pk)


@pytest.fixture
def world(db: None, stack: MiniStack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    stack.reset()
    chosen = replace(settings.GRANTLINE, aws_endpoint_url=stack.endpoint_url, data_dir=tmp_path, check_wait_seconds=0)
    monkeypatch.setattr(settings, "GRANTLINE", chosen)
    for name, value in stack.service_environment().items():
        monkeypatch.setenv(name, value)
    stack.make_bucket(BUCKET, versioned=True)
    organization = Organization.objects.create(name="Example Corp")
    user = User.objects.create_user("admin@example.com", "correct horse battery")
    Membership.objects.create(organization=organization, user=user, role=Role.SUPER_ADMINISTRATOR.value)
    scope = scope_of(user, via="session")
    assert scope is not None
    source = sources.create(scope, "exports")
    source = sources.change(scope, source.pk, {"bucket": BUCKET, "prefix": "access/"})
    made = documents(wanted_policies(source))
    role = stack.make_role(made.role_name, trust=made.trust_policy, permissions=made.permission_policy)
    sources.change(scope, source.pk, {"role_arn": role})
    stack.client("s3").put_object(Bucket=BUCKET, Key="access/first.csv", Body=b"x")
    check = check_now(scope, source.pk)
    assert check.ok, check.steps
    source.refresh_from_db()
    return World(stack, scope, source)
