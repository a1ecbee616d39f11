"""How Grantline itself reaches AWS, and the one place where its own credentials are used.

In: the operator's settings as plain values. Out: clients. Grantline's own credentials are found the way
boto3 finds them, and the only client that ever gets them is an STS client (`sts_client`); an S3 client
(`s3_client`) exists only with the explicit credentials of an assumed role, so that no tenant's bucket is
ever read with Grantline's own rights. Endpoints are the operator's setting: what the environment or a
profile says of endpoints is ignored.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import boto3.session
import botocore.loaders
import botocore.session
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_sts.client import STSClient

CONNECT_TIMEOUT_SECONDS = 5
READ_TIMEOUT_SECONDS = 30
ATTEMPTS = 4

Client = TypeVar("Client")


@dataclass(frozen=True, slots=True)
class Service:
    """Grantline's own place in AWS.

    `service_role_arn` is the principal that customers trust, `endpoint_url` an emulator or compatible
    store instead of AWS, `region` where STS is called while a bucket's region is unknown. `configure` is
    called with every client that is made: tests use it to count requests and to inject faults.
    """

    service_role_arn: str | None = None
    endpoint_url: str | None = None
    region: str = "us-east-1"
    configure: Callable[[Any], None] | None = field(default=None, repr=False, compare=False)

    @property
    def account(self) -> str | None:
        """Grantline's own account, from the service role's ARN."""
        return self.service_role_arn.split(":")[4] if self.service_role_arn else None

    @property
    def partition(self) -> str | None:
        """Grantline's own partition, from the service role's ARN."""
        return self.service_role_arn.split(":")[1] if self.service_role_arn else None


@dataclass(frozen=True, slots=True)
class Credentials:
    """An assumed role's credentials; they live in memory only and never show in a repr."""

    access_key_id: str = field(repr=False)
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)


def sts_client(service: Service, region: str | None = None) -> STSClient:
    """The STS client with Grantline's own credentials, at the region's own endpoint."""
    client = boto3.session.Session(botocore_session=_fresh()).client(
        "sts",
        region_name=region or service.region,
        endpoint_url=service.endpoint_url,
        config=_config(None),
    )
    return _configured(service, client)


def s3_client(service: Service, credentials: Credentials, region: str) -> S3Client:
    """An S3 client that acts as the assumed role and as nobody else."""
    session = boto3.session.Session(
        aws_access_key_id=credentials.access_key_id,
        aws_secret_access_key=credentials.secret_access_key,
        aws_session_token=credentials.session_token,
        botocore_session=_fresh(),
    )
    style = "path" if service.endpoint_url else "auto"
    client = session.client(
        "s3",
        region_name=region,
        endpoint_url=service.endpoint_url,
        config=_config({"addressing_style": style, "us_east_1_regional_endpoint": "regional"}),
    )
    return _configured(service, client)


def _fresh() -> botocore.session.Session:
    """A session that knows no credentials yet.

    Only the parsed API descriptions are shared: reading them takes ten times as long as all the rest.
    """
    session = botocore.session.get_session()
    session.register_component("data_loader", _descriptions())
    return session


@functools.cache
def _descriptions() -> botocore.loaders.Loader:
    return botocore.loaders.create_loader()


def _config(s3: Any) -> Config:
    return Config(  # type: ignore[call-arg]  # botocore-stubs do not know the endpoint option
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        read_timeout=READ_TIMEOUT_SECONDS,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        user_agent_extra="grantline",
        ignore_configured_endpoint_urls=True,
        s3=s3,
    )


def _configured(service: Service, client: Client) -> Client:
    if service.configure is not None:
        service.configure(client)
    return client
