"""S3 sessions of data sources: the one place where the control plane's values meet the aws room.

Invariant: a session is only made for a source whose trust is proven, with exactly its stored role,
External ID, bucket, prefix and owner; there is no other way to a customer's bucket.
"""

from __future__ import annotations

from grantline.aws.sessions import BucketSession, open_session
from grantline.control.sources.checks import connection_values
from grantline.control.sources.models import DataSource
from grantline.control.tenancy import get
from grantline.errors import Conflict, SourceCredentials
from grantline.jobs.installation import aws_service


def session_for(source: DataSource, *, subject_id: str, key: str | None = None) -> BucketSession:
    """A session narrowed to the source's bucket and prefix, or to one key.

    `subject_id` (the run's or the source's id) becomes the session's name in the customer's CloudTrail.
    Raises: `Conflict` for a source that is not connected, `SourceError`, of which `SourceCredentials` for
    one that is suspended.
    """
    require_connected(source)
    return open_session(
        aws_service(),
        role_arn=source.role_arn,
        external_id=source.external_id,
        bucket=source.bucket,
        prefix=source.prefix,
        key=key,
        region=source.effective_region,
        subject_id=subject_id,
        expected_owner=source.bucket_owner or None,
    )


def require_connected(source: DataSource) -> None:
    """Raises: `SourceCredentials` for a suspended source, `Conflict` for any other whose role is not
    proven, or that names no bucket."""
    if source.suspended_at is not None:
        raise SourceCredentials(
            f"The data source {source.name} is suspended, so nothing is read through it. {source.suspended_reason}",
            remedy="Correct the role's trust policy as the data source's page shows it, then run the connection "
            "check there; reading goes on once it passes.",
        )
    if source.verified_at is None:
        raise Conflict(
            f"The data source {source.name} is not connected, so nothing is read through it.",
            remedy="Run its connection check; it says what to change.",
        )
    if not source.bucket:
        raise Conflict(f"The data source {source.name} names no bucket.", remedy="Name its bucket first.")


def require_still_connected(source: DataSource) -> None:
    """For what was read meanwhile: refuses it where the source lost its proof, or names another role,
    bucket or prefix by now. Raises: what `require_connected` does."""
    now = get(DataSource, source, source.pk)
    require_connected(now)
    if connection_values(now) != connection_values(source):
        raise Conflict(
            f"The data source {source.name} was changed while it was read; what was read is not used.",
            remedy="Nothing to do: the next look reads what it names now.",
        )
