"""The demo's AWS: a local emulator that enforces trust, with two accounts in it.

Grantline's service account has one role, which may only assume roles. The customer's account has a
bucket and, later, the role that is made from the policies Grantline shows. Listens on 127.0.0.1 only
and forgets everything when it stops.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from grantline.errors import InstallationError

SERVICE_ACCOUNT = "111111111111"
CUSTOMER_ACCOUNT = "222222222222"
SERVICE_ROLE = "grantline-service"
REGION = "eu-central-1"
START_SECONDS = 60


@dataclass(frozen=True)
class ServiceCredentials:
    """Credentials of Grantline's own role, as environment variables for its processes."""

    environment: dict[str, str]
    role_arn: str


class LocalCloud:
    """A running emulator."""

    def __init__(self, log: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "GRANTLINE_"))}
        environment |= {
            "AUTH": "true",
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "DOCKER_HOST": "unix:///nonexistent",
        }
        command = [str(Path(sys.executable).parent / "ministack")]
        if not Path(command[0]).exists():
            raise InstallationError("The demo's local AWS (ministack) is not installed.", remedy="Run: make setup")
        with log.open("wb") as target:
            self.process = subprocess.Popen(
                command, env=environment, stdout=target, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
            )
        self._wait(log)

    def client(self, account: str, service: str) -> Any:
        """A client with the rights of `account`'s root, as the account's own engineers have."""
        make: Any = boto3.client  # the stubs know only the services they were installed for
        return make(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=account,
            aws_secret_access_key="demo",
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 2}),
        )

    def make_service_role(self) -> ServiceCredentials:
        """Grantline's own role, which may assume roles and nothing else, and credentials of it."""
        iam = self.client(SERVICE_ACCOUNT, "iam")
        arn = f"arn:aws:iam::{SERVICE_ACCOUNT}:role/{SERVICE_ROLE}"
        iam.create_role(
            RoleName=SERVICE_ROLE,
            AssumeRolePolicyDocument=json.dumps(
                _policy(Principal={"AWS": f"arn:aws:iam::{SERVICE_ACCOUNT}:root"}, Action="sts:AssumeRole")
            ),
        )
        iam.put_role_policy(
            RoleName=SERVICE_ROLE,
            PolicyName="AssumeCustomersRoles",
            PolicyDocument=json.dumps(_policy(Action="sts:AssumeRole", Resource="arn:aws:iam::*:role/*")),
        )
        answer = self.client(SERVICE_ACCOUNT, "sts").assume_role(
            RoleArn=arn, RoleSessionName="grantline", DurationSeconds=43200
        )
        keys = answer["Credentials"]
        return ServiceCredentials(
            environment={
                "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
                "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
                "AWS_SESSION_TOKEN": keys["SessionToken"],
            },
            role_arn=arn,
        )

    def make_bucket(self, name: str) -> None:
        """The customer's bucket, with versions."""
        s3 = self.client(CUSTOMER_ACCOUNT, "s3")
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})

    def put(self, bucket: str, key: str, body: bytes) -> None:
        """Write an object as the customer's nightly job does."""
        self.client(CUSTOMER_ACCOUNT, "s3").put_object(Bucket=bucket, Key=key, Body=body)

    def make_customer_role(self, name: str, trust: dict[str, Any], permissions: dict[str, Any]) -> str:
        """The role in the customer's account, from the policies that Grantline shows. Returns its ARN."""
        iam = self.client(CUSTOMER_ACCOUNT, "iam")
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
        iam.put_role_policy(RoleName=name, PolicyName="GrantlinePermissions", PolicyDocument=json.dumps(permissions))
        return str(role["Role"]["Arn"])

    def stop(self) -> None:
        """End the emulator."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _wait(self, log: Path) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{self.url}/_ministack/health", timeout=2):  # noqa: S310 - loopback
                    return
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.1)
        self.process.kill()
        tail = " / ".join(log.read_text(errors="replace").splitlines()[-3:])
        raise InstallationError(f"The demo's local AWS did not start: {tail}")


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _policy(**statement: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]}
