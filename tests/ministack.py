"""A local AWS for tests: one MiniStack process that enforces signatures, trust policies and policies.

Owns the start and stop of the process and the few calls that set up accounts, buckets and roles. In an
emulator with `AUTH=true` a 12-digit access key id is the root of that account, so two accounts live in one
process. moto is no substitute: it lets a call without an External ID through.
Integration tests, acceptance tests and the tests of the demo use it: `with running() as stack: …`.
"""

from __future__ import annotations

import functools
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3.session
from botocore.config import Config

SERVICE_ACCOUNT = "111111111111"
CUSTOMER_ACCOUNT = "222222222222"
OTHER_ACCOUNT = "333333333333"
SERVICE_ROLE_NAME = "grantline-service"
SERVICE_ROLE_ARN = f"arn:aws:iam::{SERVICE_ACCOUNT}:role/{SERVICE_ROLE_NAME}"
START_SECONDS = 30


@dataclass(frozen=True)
class MiniStack:
    """A running emulator."""

    endpoint_url: str

    def client(self, service: str, account: str = CUSTOMER_ACCOUNT, region: str = "us-east-1") -> Any:
        """A client that acts as the root of `account`."""
        return _client(self.endpoint_url, service, account, region)

    def reset(self) -> None:
        """Forget everything."""
        request = urllib.request.Request(f"{self.endpoint_url}/_ministack/reset", method="POST")
        urllib.request.urlopen(request, timeout=10).close()

    def service_environment(self) -> dict[str, str]:
        """Grantline's own identity as environment variables: a session of the service role.

        The service role may do one thing, `sts:AssumeRole`.
        """
        self.make_role(
            SERVICE_ROLE_NAME,
            trust=_allow("sts:AssumeRole", Principal={"AWS": f"arn:aws:iam::{SERVICE_ACCOUNT}:root"}),
            permissions=_allow("sts:AssumeRole", Resource="*"),
            account=SERVICE_ACCOUNT,
        )
        answer = self.client("sts", SERVICE_ACCOUNT).assume_role(RoleArn=SERVICE_ROLE_ARN, RoleSessionName="grantline")
        given = answer["Credentials"]
        return {
            "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
            "AWS_SESSION_TOKEN": given["SessionToken"],
        }

    def make_bucket(
        self,
        name: str,
        objects: Mapping[str, bytes] | None = None,
        *,
        region: str = "us-east-1",
        versioned: bool = False,
        account: str = CUSTOMER_ACCOUNT,
    ) -> None:
        """A bucket with these objects, written in the order given."""
        s3 = self.client("s3", account, region)
        place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        s3.create_bucket(Bucket=name, **place)
        if versioned:
            s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        for key, body in (objects or {}).items():
            s3.put_object(Bucket=name, Key=key, Body=body)

    def make_role(
        self,
        name: str,
        *,
        trust: Mapping[str, Any],
        permissions: Mapping[str, Any] | None = None,
        account: str = CUSTOMER_ACCOUNT,
    ) -> str:
        """The ARN of a new role with these two policies."""
        iam = self.client("iam", account)
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
        if permissions is not None:
            iam.put_role_policy(RoleName=name, PolicyName="Permissions", PolicyDocument=json.dumps(permissions))
        return str(role["Role"]["Arn"])


@functools.cache
def _client(endpoint_url: str, service: str, account: str, region: str) -> Any:
    session = boto3.session.Session(aws_access_key_id=account, aws_secret_access_key="test", region_name=region)
    config = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 2})
    return session.client(service, endpoint_url=endpoint_url, config=config)


@contextmanager
def running(log: Path | None = None) -> Iterator[MiniStack]:
    """A MiniStack on a free port of the loopback, stopped at the end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "GRANTLINE_"))},
        "AUTH": "true",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "DOCKER_HOST": "unix:///nonexistent",
    }
    output = open(log, "wb") if log else None  # noqa: SIM115
    process = subprocess.Popen(
        [sys.executable, "-m", "ministack"],
        env=environment,
        stdout=output or subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
    )
    try:
        stack = MiniStack(f"http://127.0.0.1:{port}")
        _wait(stack, process)
        yield stack
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if output:
            output.close()


def _wait(stack: MiniStack, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"MiniStack ended with exit code {process.returncode} at its start")
        try:
            urllib.request.urlopen(f"{stack.endpoint_url}/_ministack/health", timeout=2).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"MiniStack did not answer within {START_SECONDS} s")


def _allow(action: str, **more: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, **more}]}
