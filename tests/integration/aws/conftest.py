"""A real MiniStack, clean for each test, and Grantline's own identity in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from grantline.aws.external_id import new_external_id
from grantline.aws.policies import ROLE_NAME, permission_policy, trust_policy
from grantline.aws.service import Service
from grantline.aws.sessions import BucketSession, open_session
from tests import ministack as local_aws
from tests.ministack import SERVICE_ROLE_ARN, MiniStack
from tests.wire import Wire


@dataclass
class Customer:
    """A customer's role and bucket, made as Grantline's pages say."""

    stack: MiniStack
    service: Service
    external_id: str
    bucket: str = "acme-exports"

    def role(self, prefix: str = "", *, trust: Any = None, versioned: bool = False, name: str = ROLE_NAME) -> str:
        return self.stack.make_role(
            name,
            trust=trust or trust_policy(SERVICE_ROLE_ARN, self.external_id),
            permissions=permission_policy(self.bucket, prefix, versioned=versioned),
        )

    def session(self, role_arn: str, prefix: str = "", **more: Any) -> BucketSession:
        return open_session(
            self.service,
            role_arn=role_arn,
            external_id=self.external_id,
            bucket=self.bucket,
            prefix=prefix,
            subject_id="run_1",
            **more,
        )


@pytest.fixture(scope="session")
def running_ministack() -> Iterator[MiniStack]:
    with local_aws.running() as stack:
        yield stack


@pytest.fixture
def stack(running_ministack: MiniStack, monkeypatch: pytest.MonkeyPatch) -> MiniStack:
    running_ministack.reset()
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    for name, value in running_ministack.service_environment().items():
        monkeypatch.setenv(name, value)
    return running_ministack


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def service(stack: MiniStack, wire: Wire) -> Service:
    return Service(SERVICE_ROLE_ARN, stack.endpoint_url, "us-east-1", configure=wire.watch)


@pytest.fixture
def customer(stack: MiniStack, service: Service) -> Customer:
    return Customer(stack, service, new_external_id())
