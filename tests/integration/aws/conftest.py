"""A real MiniStack, clean for each test, and Grantline's own identity in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from grantline.aws.external_id import new_external_id
from grantline.aws.policies import ROLE_NAME, permission_policy, trust_policy
from grantline.aws.service import Service
from grantline.aws.sessions import BucketSession, open_session
from tests import ministack as local_aws
from tests.ministack import SERVICE_ROLE_ARN, MiniStack

Fault = Callable[[Any], Any]


@dataclass
class Wire:
    """What Grantline sent: the operations in order, and faults to answer instead of the emulator.

    `faults` maps an operation (`GetObject`) to a handler of botocore's `before-send`, which gets the
    prepared request and may return an `AWSResponse`; returning None lets the request through.
    """

    sent: list[str] = field(default_factory=list)
    services: list[str] = field(default_factory=list)
    faults: dict[str, Fault] = field(default_factory=dict)

    def watch(self, client: Any) -> None:
        client.meta.events.register("before-send", self._before_send)

    def _before_send(self, request: Any, event_name: str, **_: Any) -> Any:
        _, service, operation = event_name.split(".", 2)
        self.services.append(service)
        self.sent.append(operation)
        fault = self.faults.get(operation)
        return fault(request) if fault else None


def answer(status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> Fault:
    """A fault that answers every request so, without asking the emulator."""

    class Raw:
        def stream(self, **_: Any) -> Iterator[bytes]:
            yield body

    return lambda request: AWSResponse(request.url, status, headers or {}, Raw())


def s3_error(status: int, code: str, message: str = "no", **headers: str) -> Fault:
    """An error as S3 words it."""
    return answer(status, f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode(), headers)


def sts_error(status: int, code: str) -> Fault:
    """An error as STS words it."""
    text = f"<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"
    return answer(status, text.encode())


def once(fault: Fault) -> Fault:
    """`fault` for the first request only."""
    left = [fault]
    return lambda request: left.pop()(request) if left else None


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
