"""What AWS's refusals mean: from any boto exception to the one error tree, in words with a remedy.

In: an exception of botocore (or urllib3 while a body is read) and a `Where`. Out: a `GrantlineError`,
never raised here and never chained to its cause: STS puts session tokens into some of its error texts,
so AWS's own text is dropped but for the clause that says which policy refused. `facts` keep the AWS
code, the HTTP status and the request id for support.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from botocore import exceptions as boto
from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from grantline.errors import (
    GrantlineError,
    SourceArchived,
    SourceChanged,
    SourceClock,
    SourceCredentials,
    SourceDenied,
    SourceKmsDenied,
    SourceNotFound,
    SourceRegion,
    SourceUnavailable,
)

AWS_ERRORS = (BotoCoreError, ClientError, HTTPError)
"""Everything that a call to AWS, or reading its body, may raise."""

EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"})
OWN_FAULT = frozenset(
    {
        "InvalidClientTokenId",
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "IncompleteSignature",
        "MissingAuthenticationToken",
        "UnrecognizedClientException",
        "InvalidIdentityToken",
    }
)
CLOCK = frozenset({"RequestTimeTooSkewed", "RequestExpired"})
REGION = frozenset(
    {
        "PermanentRedirect",
        "TemporaryRedirect",
        "Redirect",
        "AuthorizationHeaderMalformed",
        "IllegalLocationConstraintException",
        "RegionDisabledException",
        "301",
        "307",
    }
)
BUSY = frozenset(
    {
        "SlowDown",
        "ServiceUnavailable",
        "InternalError",
        "InternalFailure",
        "RequestTimeout",
        "Throttling",
        "ThrottlingException",
        "RequestLimitExceeded",
        "TooManyRequestsException",
    }
)
ARCHIVE_CLASSES = frozenset({"GLACIER", "DEEP_ARCHIVE"})
"""Storage classes whose objects cannot be read before they are restored."""

_NO_CREDENTIALS = (
    boto.NoCredentialsError,
    boto.PartialCredentialsError,
    boto.CredentialRetrievalError,
    boto.ProfileNotFound,
    boto.ConfigParseError,
    boto.ConfigNotFound,
    boto.MetadataRetrievalError,
    boto.SSOError,
    boto.LoginError,
    boto.NoAuthTokenError,
    boto.TokenRetrievalError,
)
OWN_CREDENTIALS = frozenset(error.__name__ for error in _NO_CREDENTIALS)
"""Where Grantline itself has no credentials: says nothing of a customer's role."""

_WHY = re.compile(r"because (.{1,160})")


@dataclass(frozen=True, slots=True)
class Where:
    """What was being read, by whom: the names that messages need."""

    role_arn: str = ""
    bucket: str = ""
    key: str | None = None
    action: str = ""
    region: str = ""
    kms_key: str | None = None

    @property
    def subject(self) -> str:
        """The object, or the bucket, as messages name it."""
        return f"{self.key} in {self.bucket}" if self.key is not None else f"The bucket {self.bucket}"


def aws_code(error: BaseException) -> str:
    """The code that AWS gave, or the exception's own name."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code") or "")
    return type(error).__name__


def s3_failure(error: BaseException, where: Where) -> GrantlineError:
    """The error to raise for `error`, met in a call to S3."""
    if not isinstance(error, ClientError):
        return _local_failure(error, where)
    code, facts = aws_code(error), _facts(error)
    for known, make in _S3_TABLE:
        if code in known:
            return make(error, where, facts)
    if code.startswith(("KMS.", "KMSInvalid")) or code in ("KMSDisabled", "KMSNotFound"):
        return _kms(error, where, facts)
    if facts["status"] >= 500 or facts["status"] == 429:
        return _busy(error, where, facts)
    if facts["status"] == 403:
        return _denied(error, where, facts)
    return _unclear(error, where, facts)


def sts_failure(error: BaseException, role_arn: str, external_id: str, region: str) -> GrantlineError:
    """The error to raise for `error`, met while assuming `role_arn` with `external_id`."""
    where = Where(role_arn=role_arn, region=region)
    if not isinstance(error, ClientError):
        return _local_failure(error, where)
    code, facts = aws_code(error), _facts(error)
    if code == "AccessDenied":
        return SourceCredentials(
            f"Role {role_arn} refused us.", remedy=refusal_checklist(role_arn, external_id), **facts
        )
    if code == "RegionDisabledException":
        return SourceRegion(
            f"AWS STS is switched off in {region} in the account of {role_arn}.",
            remedy="Name the bucket's region on the data source's page, or open IAM, Account settings, Security "
            f"Token Service in that account and activate {region}.",
            **facts,
        )
    if code in CLOCK:
        return _clock(error, where, facts)
    if code in OWN_FAULT or code in EXPIRED:
        return _own_credentials(error, where, facts)
    if code in BUSY or facts["status"] >= 500 or facts["status"] == 429:
        return SourceUnavailable("AWS STS is busy or did not answer properly.", **facts)
    return SourceCredentials(
        f"AWS did not take the request for role {role_arn} ({code}).",
        remedy="Set the role's maximum session duration to one hour or more; if that is so already, tell the "
        "people who run Grantline.",
        **facts,
    )


def refusal_checklist(role_arn: str, external_id: str) -> str:
    """What to look at when a role refuses: AWS gives one and the same answer for all of these."""
    return (
        "AWS does not say why, so look at each: "
        "1. the role exists and its name is spelled so, capital letters included; "
        f"2. its trust policy has Condition StringEquals sts:ExternalId {external_id}; "
        "3. its Principal is exactly the one in the trust policy shown here; "
        "4. no service or resource control policy of the organization forbids it. "
        "Replacing the whole trust policy by the one shown here settles 2 and 3. Then check again; a new "
        "role takes AWS up to a minute to notice."
    )


def clock_skew_minutes(error: ClientError, now: datetime | None = None) -> int | None:
    """How many minutes this machine's clock is ahead of AWS's (negative: behind), from the Date header."""
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    try:
        theirs = parsedate_to_datetime(headers.get("date", ""))
    except ValueError:
        return None
    if theirs.tzinfo is None:
        theirs = theirs.replace(tzinfo=UTC)
    return round(((now or datetime.now(UTC)) - theirs).total_seconds() / 60)


def _facts(error: ClientError) -> dict[str, Any]:
    metadata: dict[str, Any] = dict(error.response.get("ResponseMetadata", {}))
    headers = metadata.get("HTTPHeaders", {})
    return {
        "aws_code": aws_code(error),
        "status": int(metadata.get("HTTPStatusCode") or 0),
        "request_id": metadata.get("RequestId") or headers.get("x-amz-request-id"),
        "region": headers.get("x-amz-bucket-region"),
    }


def _message(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Message") or "")


def _local_failure(error: BaseException, where: Where) -> GrantlineError:
    """For exceptions that are no answer of AWS: own credentials, own settings, the network."""
    facts: dict[str, Any] = {"aws_code": aws_code(error), "status": 0}
    if isinstance(error, _NO_CREDENTIALS):
        return SourceCredentials(
            "Grantline itself has no AWS credentials, or cannot use those it was given.",
            remedy="The people who run Grantline must give it AWS credentials of its service role (an instance "
            "or task role, or AWS_ACCESS_KEY_ID and its companions).",
            **facts,
        )
    if isinstance(error, (boto.ParamValidationError, boto.ValidationError, boto.UnsupportedS3ArnError)):
        return SourceDenied(
            f"A name is one that AWS cannot take: {where.bucket or where.role_arn}.",
            remedy="Correct the role ARN, bucket, prefix or region on the data source's page.",
            **facts,
        )
    place = f"S3 for {where.bucket}" if where.bucket else "AWS STS"
    return SourceUnavailable(f"{place} did not answer ({type(error).__name__}).", **facts)


Maker = Callable[[ClientError, Where, dict[str, Any]], GrantlineError]


def _no_key(error: ClientError, where: Where, facts: dict[str, Any]) -> GrantlineError:
    return SourceNotFound(f"There is no object {where.key} in the bucket {where.bucket}.", **facts)


def _no_bucket(error: ClientError, where: Where, facts: dict[str, Any]) -> GrantlineError:
    return SourceNotFound(
        f"There is no bucket {where.bucket}.",
        remedy="Check the bucket's name on the data source's page; was the bucket deleted or renamed?",
        **facts,
    )


def _not_found(error: ClientError, where: Where, facts: dict[str, Any]) -> GrantlineError:
    return (_no_bucket if where.key is None else _no_key)(error, where, facts)


def _denied(error: ClientError, where: Where, facts: dict[str, Any]) -> GrantlineError:
    message = _message(error)
    if "kms:" in message or (where.kms_key and "s3:" not in message):
        return _kms(error, where, facts)
    why = _WHY.search(message)
    if "explicit deny in a resource-based policy" in message:
        remedy = (
            f"The policy of the bucket {where.bucket} forbids it (often: only from a VPC or an IP address). "
            f"Make an exception for {where.role_arn} there."
        )
    elif re.search(r"requester.?pays|request-payer", message, re.IGNORECASE):
        remedy = (
            f"The bucket {where.bucket} is set to requester pays, which Grantline does not do. Switch that off, or "
            "copy the export to a bucket without it."
        )
    elif "explicit deny" in message:
        remedy = f"A policy of the account or organization forbids it; make an exception for {where.role_arn}."
    else:
        remedy = (
            f"Allow {where.action or 'the action'} in the permission policy of {where.role_arn}, as shown on "
            "the data source's page. If it is allowed there, look at each: the bucket belongs to the role's "
            "account, or its owner is named on the data source's page; its own policy does not forbid it; it "
            "is not set to requester pays; the object belongs to the bucket's owner."
        )
    reason = f" AWS says: {why[1].rstrip('. ')}." if why else ""
    return SourceDenied(
        f"{where.subject} refused {where.action or 'the request'} to role {where.role_arn}.{reason}",
        remedy=remedy,
        **facts,
    )


def _kms(error: ClientError, where: Where, facts: dict[str, Any]) -> GrantlineError:
    named = re.search(r"arn:aws[a-z0-9-]*:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+", _message(error))
    key = named[0] if named else where.kms_key
    if facts["aws_code"] != "AccessDenied" and facts["status"] != 403:
        return SourceKmsDenied(
            f"The KMS key{f' {key}' if key else ''} of {where.subject} cannot be used ({facts['aws_code']}).",
            remedy="Enable the key in KMS, or encrypt the object again with one that is enabled.",
            **facts,
        )
    return SourceKmsDenied(
        f"{where.subject} is encrypted with the KMS key {key or '(unnamed)'}, which role {where.role_arn} "
        "may not use. Listing and reading in S3 itself are allowed.",
        remedy=f"Allow kms:Decrypt on {key or 'that key'} for {where.role_arn}, in the role's policy and in the "
        "key policy. The bucket's policy is not the cause.",
        **facts,
    )


def _archived(error: ClientError, where: Where, facts: dict[str, Any]) -> GrantlineError:
    detail: Any = error.response.get("Error", {})
    storage = detail.get("AccessTier") or detail.get("StorageClass") or "an archive class"
    return SourceArchived(
        f"{where.subject} is archived in {storage}.",
        remedy="Restore it in S3, leave it out of the pattern, or keep access exports out of archiving rules.",
        **facts,
    )


def _region(error: ClientError, where: Where, facts: dict[str, Any]) -> GrantlineError:
    expecting = re.search(r"expecting '([a-z0-9-]+)'", _message(error))
    real = facts["region"] or (expecting[1] if expecting else None)
    there = f"is in {real}" if real else "is in another region"
    return SourceRegion(
        f"The bucket {where.bucket} {there}; it was asked for in {where.region or 'another one'}.",
        remedy=f"Set the region of the data source to {real}." if real else None,
        **{**facts, "region": real},
    )


def _clock(error: ClientError, where: Where, facts: dict[str, Any]) -> GrantlineError:
    skew = clock_skew_minutes(error)
    how = "too far off" if not skew else f"{abs(skew)} min {'ahead of' if skew > 0 else 'behind'} AWS"
    return SourceClock(f"The clock of Grantline's machine is {how}.", **facts)


def _own_credentials(error: ClientError, where: Where, facts: dict[str, Any]) -> GrantlineError:
    return SourceCredentials(
        f"AWS does not accept Grantline's own credentials ({facts['aws_code']}).",
        remedy="The people who run Grantline must renew its AWS credentials; nothing is wrong with the role.",
        **facts,
    )


def _session_rejected(error: ClientError, where: Where, facts: dict[str, Any]) -> GrantlineError:
    return SourceCredentials(
        f"S3 did not accept the session of role {where.role_arn} ({facts['aws_code']}).",
        remedy="Run the connection check of the data source; the role may have been deleted and made again.",
        **facts,
    )


def _replaced(error: ClientError, where: Where, facts: dict[str, Any]) -> GrantlineError:
    return SourceChanged(f"{where.subject} was replaced while it was being read.", **facts)


def _version_gone(error: ClientError, where: Where, facts: dict[str, Any]) -> GrantlineError:
    return SourceChanged(f"The version of {where.subject} that was being read is deleted.", **facts)


def _busy(error: ClientError, where: Where, facts: dict[str, Any]) -> GrantlineError:
    return SourceUnavailable(f"S3 asked to slow down or failed for {where.bucket}.", **facts)


def _invalid_request(error: ClientError, where: Where, facts: dict[str, Any]) -> GrantlineError:
    if "Server Side Encryption" in _message(error) or "server side encryption" in _message(error):
        return SourceDenied(
            f"{where.subject} is encrypted with a key of its own (SSE-C), which only its writer has.",
            remedy="Write the object with SSE-S3 or SSE-KMS instead.",
            **facts,
        )
    return _unclear(error, where, facts)


def _unclear(error: ClientError, where: Where, facts: dict[str, Any]) -> GrantlineError:
    return SourceUnavailable(
        f"S3 answered {facts['status']} {facts['aws_code']} for {where.subject}.",
        remedy="Run the connection check of the data source; if it passes, tell the people who run Grantline.",
        **facts,
    )


_S3_TABLE: tuple[tuple[frozenset[str], Maker], ...] = (
    (frozenset({"NoSuchKey"}), _no_key),
    (frozenset({"NoSuchBucket"}), _no_bucket),
    (frozenset({"404"}), _not_found),
    (frozenset({"NoSuchVersion", "MethodNotAllowed", "405"}), _version_gone),
    (frozenset({"PreconditionFailed", "412", "ConditionalRequestConflict", "InvalidRange", "416"}), _replaced),
    (frozenset({"AccessDenied", "AllAccessDisabled", "AccountProblem", "403"}), _denied),
    (frozenset({"InvalidObjectState"}), _archived),
    (REGION, _region),
    (CLOCK, _clock),
    (EXPIRED | OWN_FAULT | {"InvalidToken"}, _session_rejected),
    (BUSY, _busy),
    (frozenset({"InvalidRequest"}), _invalid_request),
)
"""Codes of S3 and what is said of them; looked through in this order."""
