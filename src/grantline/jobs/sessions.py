"""S3 sessions of data sources: the one place where the control plane's values meet the aws room.

Invariant: a session is only made for a source whose trust is proven, with exactly its stored role,
External ID, bucket and prefix; there is no other way to a customer's bucket.
"""

from __future__ import annotations

from grantline.aws.sessions import BucketSession, open_session
from grantline.control.sources.models import DataSource
from grantline.errors import Conflict
from grantline.jobs.installation import aws_service


def session_for(source: DataSource, *, subject_id: str, key: str | None = None) -> BucketSession:
    """A session narrowed to the source's bucket and prefix, or to one key.

    `subject_id` (the run's or the source's id) becomes the session's name in the customer's CloudTrail.
    Raises: `Conflict` for a source that is not connected, `SourceError`.
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
    )


def require_connected(source: DataSource) -> None:
    """Raises: `Conflict` unless trust in the source's role is proven and a bucket is named."""
    if source.verified_at is None:
        raise Conflict(
            f"The data source {source.name} is not connected, so nothing is read through it.",
            remedy="Run its connection check; it says what to change.",
        )
    if not source.bucket:
        raise Conflict(f"The data source {source.name} names no bucket.", remedy="Name its bucket first.")
