"""Sessions: acting as a customer's role in one bucket, and as nobody else.

In: a `Service`, a role, its External ID, a bucket. Out: a `BucketSession` whose `call` reaches S3 with the
assumed role's credentials. Invariants: the External ID is always sent; every session carries a session
policy narrowed to bucket and prefix (or one key); a refused AssumeRole raises before any S3 client
exists, so it makes no S3 call, and there is nothing to fall back to. Credentials are renewed early and
once more when S3 calls them expired. No exception of boto leaves this module.
`call` may be used by several threads at once; whoever finds the credentials expired renews them for all.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import ClientError

from grantline.aws.arns import RoleArn, parse_role_arn
from grantline.aws.failures import AWS_ERRORS, EXPIRED, REGION, Where, aws_code, s3_failure, sts_failure
from grantline.aws.policies import DENY_ALL, policy_text, session_policy
from grantline.aws.service import Credentials, Service, s3_client, sts_client
from grantline.errors import GrantlineError, SourceDenied

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

DURATION_SECONDS = 3600
"""AWS's limit where Grantline's own credentials are a role's (role chaining)."""
PROBE_SECONDS = 900
"""The shortest session that AWS gives."""
EARLY = timedelta(minutes=10)
"""How long before their end credentials are renewed: more than one request with its retries takes."""

Operation = Literal["head_bucket", "get_bucket_location", "list_objects_v2", "head_object", "get_object"]

ACTIONS: dict[str, str] = {
    "head_bucket": "s3:ListBucket",
    "get_bucket_location": "s3:GetBucketLocation",
    "list_objects_v2": "s3:ListBucket",
    "head_object": "s3:GetObject",
    "get_object": "s3:GetObject",
}
"""The permission that each call needs, for messages."""

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The time of this machine."""
    return datetime.now(UTC)


def session_name(subject_id: str) -> str:
    """A session name that shows `subject_id` (a run's or data source's id) in the customer's CloudTrail.

    Anything that AWS does not take is replaced; 2 to 64 characters.
    """
    return ("grantline-" + re.sub(r"[^A-Za-z0-9_+=,.@-]", "-", subject_id))[:64]


@dataclass
class BucketSession:
    """One role's view of one bucket. Make it with `open_session`.

    `expected_owner` is the account that must own the bucket; `region` is where calls go first.
    """

    service: Service
    role: RoleArn
    external_id: str = field(repr=False)
    bucket: str
    prefix: str
    key: str | None
    name: str
    region: str
    expected_owner: str
    clock: Clock = utc_now
    _credentials: Credentials | None = field(default=None, repr=False)
    _client: S3Client | None = field(default=None, repr=False)
    _expires_at: datetime | None = field(default=None, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def renew(self) -> S3Client:
        """Assume the role again; the client to use from now on.

        Raises: `SourceCredentials` and its kin; the old credentials are gone.
        """
        self._client = self._credentials = self._expires_at = None
        self._credentials, self._expires_at = assume(
            self.service,
            self.role.text,
            self.external_id,
            name=self.name,
            policy=session_policy(self.bucket, self.prefix, self.role.partition, key=self.key),
            fallback_region=self.region,
        )
        self._client = self._made(self._credentials)
        return self._client

    def move(self, region: str) -> None:
        """Call S3 in `region` from now on; the credentials stay."""
        if region != self.region:
            self.region = region
            if self._credentials is not None:
                self._client = self._made(self._credentials)

    def call(self, operation: Operation, *, kms_key: str | None = None, **parameters: Any) -> dict[str, Any]:
        """The answer of one S3 call on this bucket, with `ExpectedBucketOwner` and the bucket filled in.

        Raises: an error of `grantline.errors` with `facts` `aws_code` and `status`, nothing else.
        """
        parameters |= {"Bucket": self.bucket, "ExpectedBucketOwner": self.expected_owner}
        client, where = self._ready(), self.where(operation, parameters.get("Key"), kms_key)
        try:
            return self._send(client, operation, parameters)
        except AWS_ERRORS as error:
            failed: BaseException = error
        if (other := self._instead_of(client, failed, where)) is not None:
            try:
                return self._send(other, operation, parameters)
            except AWS_ERRORS as error:
                failed = error
        raise s3_failure(failed, where)

    def where(self, operation: str, key: str | None = None, kms_key: str | None = None) -> Where:
        """The names that an error of this session has to say."""
        return Where(
            role_arn=self.role.text,
            bucket=self.bucket,
            key=key,
            action=ACTIONS.get(operation, ""),
            region=self.region,
            kms_key=kms_key,
        )

    def _made(self, credentials: Credentials) -> S3Client:
        try:
            return s3_client(self.service, credentials, self.region)
        except AWS_ERRORS as error:
            failed: BaseException = error
        raise s3_failure(failed, self.where("client"))

    def _ready(self, *, instead_of: S3Client | None = None) -> S3Client:
        """A client whose credentials hold: a new one where they end soon, or where S3 refused the one of
        `instead_of` and no other thread has renewed it since."""
        with self._lock:
            is_refused = instead_of is not None and instead_of is self._client
            if self._client is None or is_refused or self._expires_at is None:
                return self.renew()
            return self.renew() if self.clock() >= self._expires_at - EARLY else self._client

    def _instead_of(self, client: S3Client, failed: BaseException, where: Where) -> S3Client | None:
        """The client to ask once more with, where that may help: new credentials, or the bucket's region."""
        if not isinstance(failed, ClientError):
            return None
        if aws_code(failed) in EXPIRED:
            return self._ready(instead_of=client)
        region = s3_failure(failed, where).facts.get("region") if aws_code(failed) in REGION else None
        if region in (None, where.region):
            return None
        with self._lock:
            self.move(str(region))
            return self._client

    def _send(self, client: S3Client, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = getattr(client, operation)(**parameters)
        return answer


def open_session(
    service: Service,
    *,
    role_arn: str,
    external_id: str,
    bucket: str,
    prefix: str = "",
    key: str | None = None,
    region: str = "",
    subject_id: str = "",
    expected_owner: str | None = None,
    clock: Clock = utc_now,
) -> BucketSession:
    """A session of `role_arn` in `bucket`, narrowed to `prefix` or, where given, to one `key`.

    `subject_id` (of the run or data source) shows in the customer's CloudTrail. The bucket must belong to
    `expected_owner`, by default the role's account. Side effect: one AssumeRole call.
    Raises: `InputInvalid` for the ARN; `SourceDenied` for a key outside the prefix, without asking AWS;
    `SourceCredentials`, `SourceRegion`, `SourceClock`, `SourceUnavailable`.
    """
    if key is not None and not key.startswith(prefix):
        raise SourceDenied(
            f"{key} is outside the data source's prefix {prefix}, so it is not read.",
            remedy=f"Name a file that begins with {prefix}, or widen the data source's prefix.",
        )
    role = parse_role_arn(role_arn, own_account=service.account, own_partition=service.partition)
    session = BucketSession(
        service=service,
        role=role,
        external_id=external_id,
        bucket=bucket,
        prefix=prefix,
        key=key,
        name=session_name(subject_id),
        region=region or service.region,
        expected_owner=expected_owner or role.account,
        clock=clock,
    )
    session.renew()
    return session


def assume(
    service: Service,
    role_arn: str,
    external_id: str,
    *,
    name: str,
    policy: str,
    fallback_region: str = "",
) -> tuple[Credentials, datetime]:
    """The role's credentials and when they end (aware UTC).

    Where STS is not active in Grantline's region for the customer's account, the bucket's region
    (`fallback_region`) is tried once. Raises: `SourceCredentials` and its kin.
    """
    request = {
        "RoleArn": role_arn,
        "ExternalId": external_id,
        "RoleSessionName": name,
        "DurationSeconds": DURATION_SECONDS,
        "Policy": policy,
    }
    answer, region = _ask(service, request, fallback_region)
    if isinstance(answer, BaseException):
        raise sts_failure(answer, role_arn, external_id, region)
    given = answer["Credentials"]
    credentials = Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    return credentials, given["Expiration"].astimezone(UTC)


def probe(
    service: Service, role_arn: str, external_id: str | None, *, name: str, fallback_region: str = ""
) -> tuple[str, GrantlineError | None]:
    """How the role answers to `external_id` (None: none is sent): AWS's code and the error that stands for
    it, or an empty code where the role let us in.

    Credentials that a probe is given are dropped here, unused; they could do nothing anyway, since a
    probe's session policy denies all.
    """
    request = {
        "RoleArn": role_arn,
        "RoleSessionName": name,
        "DurationSeconds": PROBE_SECONDS,
        "Policy": policy_text(DENY_ALL),
    }
    if external_id is not None:
        request["ExternalId"] = external_id
    answer, region = _ask(service, request, fallback_region)
    if isinstance(answer, BaseException):
        return aws_code(answer), sts_failure(answer, role_arn, external_id or "", region)
    return "", None


def _ask(service: Service, request: dict[str, Any], fallback_region: str) -> tuple[dict[str, Any] | BaseException, str]:
    """STS's answer or refusal, and the region that gave it."""
    answer = _ask_in(service, service.region, request)
    switched_off = isinstance(answer, BaseException) and aws_code(answer) == "RegionDisabledException"
    if switched_off and fallback_region not in ("", service.region):
        return _ask_in(service, fallback_region, request), fallback_region
    return answer, service.region


def _ask_in(service: Service, region: str, request: dict[str, Any]) -> dict[str, Any] | BaseException:
    try:
        client: Any = sts_client(service, region)
        answer: dict[str, Any] = client.assume_role(**request)
    except AWS_ERRORS as error:
        return error
    return answer
