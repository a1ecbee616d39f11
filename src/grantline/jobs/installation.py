"""What the jobs take from the operator's settings, as values for the rooms below.

In: Django's settings. Out: how Grantline reaches AWS, where files go, and the limits of one run.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
from django.conf import settings

from grantline.aws.service import Service
from grantline.catalog.connection import connect
from grantline.errors import SettingInvalid
from grantline.formats.limits import Limits

MIB = 1024 * 1024


def aws_service() -> Service:
    """How Grantline itself reaches AWS. Raises: `SettingInvalid` where it has no role of its own."""
    chosen = settings.GRANTLINE
    if not chosen.service_role_arn:
        raise SettingInvalid(
            "GRANTLINE_SERVICE_ROLE_ARN is not set, so Grantline does not know which role customers trust.",
            remedy="Set it to the ARN of the role that Grantline runs as, and start again.",
        )
    return Service(
        service_role_arn=chosen.service_role_arn,
        endpoint_url=chosen.aws_endpoint_url,
        region=chosen.aws_region,
    )


def service_role_arn() -> str | None:
    """The principal that customers trust, or None where the operator has not set it."""
    arn: str | None = settings.GRANTLINE.service_role_arn
    return arn


def template_url() -> str | None:
    """Where the operator keeps the generic CloudFormation template, or None."""
    url: str | None = settings.GRANTLINE.template_url
    return url


def spool_folder(organization_id: str) -> Path:
    """The folder of one organization's objects while they are read."""
    return _made(settings.GRANTLINE.spool_dir / organization_id)


def upload_folder(organization_id: str) -> Path:
    """The folder of one organization's files taken by hand."""
    return _made(settings.GRANTLINE.data_dir / "uploads" / organization_id)


def spool_limit_bytes() -> int:
    """The largest object that is read from a bucket, in bytes."""
    return int(settings.GRANTLINE.spool_limit_mb) * MIB


def file_limits() -> Limits:
    """The hard limits under which a file is read."""
    return Limits(**settings.GRANTLINE.file_limits)


def row_error_share() -> float:
    """The share of refused rows above which a file is refused."""
    return float(settings.GRANTLINE.row_error_share)


def open_duckdb(scratch: Path) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection of its own with the operator's limits, spilling into `scratch`."""
    chosen = settings.GRANTLINE
    return connect(memory_limit_mb=chosen.memory_limit_mb, threads=chosen.duckdb_threads, temp_dir=scratch)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder
