"""Exceptions of boto and what is said of them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from botocore import exceptions as boto
from botocore.exceptions import ClientError
from urllib3.exceptions import ProtocolError

from grantline import errors
from grantline.aws.failures import Where, clock_skew_minutes, s3_failure, sts_failure

ROLE = "arn:aws:iam::222222222222:role/GrantlineIntegration"
WHERE = Where(ROLE, "acme-exports", "hr/users.csv", "s3:GetObject", "us-east-1")


def client_error(code: str, status: int, message: str = "", **headers: str) -> ClientError:
    return ClientError(
        {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {
                "HTTPStatusCode": status,
                "HTTPHeaders": headers,
                "RequestId": "R1",
                "HostId": "",
                "RetryAttempts": 0,
            },
        },
        "GetObject",
    )


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("NoSuchKey", 404, errors.SourceNotFound),
        ("404", 404, errors.SourceNotFound),
        ("NoSuchBucket", 404, errors.SourceNotFound),
        ("NoSuchVersion", 404, errors.SourceChanged),
        ("PreconditionFailed", 412, errors.SourceChanged),
        ("412", 412, errors.SourceChanged),
        ("AccessDenied", 403, errors.SourceDenied),
        ("AllAccessDisabled", 403, errors.SourceDenied),
        ("SomethingNew", 403, errors.SourceDenied),
        ("InvalidObjectState", 403, errors.SourceArchived),
        ("PermanentRedirect", 301, errors.SourceRegion),
        ("IllegalLocationConstraintException", 400, errors.SourceRegion),
        ("RequestTimeTooSkewed", 403, errors.SourceClock),
        ("ExpiredToken", 400, errors.SourceCredentials),
        ("InvalidToken", 400, errors.SourceCredentials),
        ("SignatureDoesNotMatch", 403, errors.SourceCredentials),
        ("SlowDown", 503, errors.SourceUnavailable),
        ("InternalError", 500, errors.SourceUnavailable),
        ("KMS.NotFoundException", 400, errors.SourceKmsDenied),
        ("SomethingNew", 400, errors.SourceUnavailable),
    ],
)
def test_codes_of_s3(code: str, status: int, kind: type[errors.GrantlineError]) -> None:
    error = s3_failure(client_error(code, status), WHERE)
    assert type(error) is kind
    assert "acme-exports" in error.message or ROLE in error.message or kind is errors.SourceClock
    assert error.facts["aws_code"] == code
    assert error.facts["request_id"] == "R1"
    assert error.__cause__ is None
    assert error.__context__ is None


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("AccessDenied", 403, errors.SourceCredentials),
        ("RegionDisabledException", 403, errors.SourceRegion),
        ("InvalidClientTokenId", 403, errors.SourceCredentials),
        ("ExpiredToken", 403, errors.SourceCredentials),
        ("RequestTimeTooSkewed", 403, errors.SourceClock),
        ("ValidationError", 400, errors.SourceCredentials),
        ("PackedPolicyTooLarge", 400, errors.SourceCredentials),
        ("Throttling", 400, errors.SourceUnavailable),
        ("Whatever", 503, errors.SourceUnavailable),
    ],
)
def test_codes_of_sts(code: str, status: int, kind: type[errors.GrantlineError]) -> None:
    assert type(sts_failure(client_error(code, status), ROLE, "gl_x", "us-east-1")) is kind


def test_own_credentials_are_not_blamed_on_the_customer() -> None:
    for code in ("InvalidClientTokenId", "ExpiredToken", "SignatureDoesNotMatch"):
        error = sts_failure(client_error(code, 403), ROLE, "gl_x", "us-east-1")
        assert "Grantline's own credentials" in error.message
        assert "trust policy" not in error.remedy


@pytest.mark.parametrize(
    ("exception", "kind"),
    [
        (boto.NoCredentialsError(), errors.SourceCredentials),
        (boto.ProfileNotFound(profile="x"), errors.SourceCredentials),
        (boto.CredentialRetrievalError(provider="x", error_msg="secret"), errors.SourceCredentials),
        (boto.EndpointConnectionError(endpoint_url="https://x"), errors.SourceUnavailable),
        (boto.ReadTimeoutError(endpoint_url="https://x"), errors.SourceUnavailable),
        (boto.ParamValidationError(report="x"), errors.SourceDenied),
        (boto.InvalidRegionError(region_name="x"), errors.SourceDenied),
        (ProtocolError("x"), errors.SourceUnavailable),
    ],
)
def test_exceptions_that_are_no_answer_of_aws(exception: Exception, kind: type[errors.GrantlineError]) -> None:
    for error in (s3_failure(exception, WHERE), sts_failure(exception, ROLE, "gl_x", "us-east-1")):
        assert type(error) is kind
        assert "secret" not in error.message


def test_reason_of_a_denial_is_passed_on_and_the_rest_is_not() -> None:
    message = (
        "User: arn:aws:sts::222222222222:assumed-role/x/y is not authorized to perform: s3:GetObject on "
        'resource: "arn" because no identity-based policy allows the s3:GetObject action'
    )
    error = s3_failure(client_error("AccessDenied", 403, message), WHERE)
    assert "no identity-based policy allows the s3:GetObject action." in error.message
    assert "assumed-role" not in error.message


def test_bucket_policy_is_named_as_the_cause() -> None:
    message = "x because of an explicit deny in a resource-based policy"
    error = s3_failure(client_error("AccessDenied", 403, message), WHERE)
    assert "policy of the bucket acme-exports" in error.remedy


def test_denial_of_an_encrypted_object_is_told_apart() -> None:
    where = Where(ROLE, "acme", "k", "s3:GetObject", kms_key="arn:aws:kms:x:1:key/1")
    assert type(s3_failure(client_error("AccessDenied", 403, "Access Denied"), where)) is errors.SourceKmsDenied
    plain = client_error("AccessDenied", 403, "because no identity-based policy allows the s3:GetObject action")
    assert type(s3_failure(plain, where)) is errors.SourceDenied


def test_region_is_taken_from_the_header_or_the_text() -> None:
    by_header = client_error("PermanentRedirect", 301, **{"x-amz-bucket-region": "eu-west-1"})
    by_text = client_error(
        "AuthorizationHeaderMalformed", 400, "the region 'us-east-1' is wrong; expecting 'eu-west-1'"
    )
    for exception in (by_header, by_text):
        error = s3_failure(exception, WHERE)
        assert error.facts["region"] == "eu-west-1"
        assert "eu-west-1" in error.remedy
        assert "us-east-1" in error.message


def test_clock_skew_has_a_direction() -> None:
    error = client_error("RequestTimeTooSkewed", 403, date="Mon, 05 Jan 2026 12:00:00 GMT")
    assert clock_skew_minutes(error, datetime(2026, 1, 5, 12, 20, tzinfo=UTC)) == 20
    assert clock_skew_minutes(error, datetime(2026, 1, 5, 11, 40, tzinfo=UTC)) == -20
    assert clock_skew_minutes(client_error("RequestTimeTooSkewed", 403)) is None
