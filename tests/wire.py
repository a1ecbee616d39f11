"""What Grantline sent to AWS, and faults that no emulator produces, by a hook of botocore.

`Wire.watch` is given to a `Service` as its `configure`, or put in its place for all of them (`watching`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

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


def watching(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `wire` see every client that is made from now on, whoever makes it."""
    from grantline.aws import service

    original = service._configured

    def watched(chosen: Any, client: Any) -> Any:
        wire.watch(client)
        return original(chosen, client)

    monkeypatch.setattr(service, "_configured", watched)
