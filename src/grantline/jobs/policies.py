"""The policies of one data source, for pages and API.

In: a data source. Out: what `aws.policy_texts` renders them from, filled with the operator's service role
and whatever of bucket and prefix is known already.
"""

from __future__ import annotations

from grantline.aws.arns import parse_role_arn
from grantline.aws.policy_texts import Wanted
from grantline.aws.quick_create import link_for
from grantline.control.sources.models import DataSource
from grantline.jobs.installation import aws_service, template_url


def wanted_policies(source: DataSource) -> Wanted:
    """What the policies are made from. Raises: `SettingInvalid` where Grantline has no service role."""
    service = aws_service()
    partition = parse_role_arn(source.role_arn).partition if source.role_arn else service.partition or "aws"
    return Wanted(
        service_role_arn=service.service_role_arn or "",
        external_id=source.external_id,
        bucket=source.bucket,
        prefix=source.prefix,
        partition=partition,
        versioned=source.versioned,
        kms_key_arn=source.kms_key_arn or None,
        next_external_id=source.pending_external_id,
    )


def quick_create_url(source: DataSource) -> str | None:
    """The link that opens the role's stack in the AWS console, or None where none can be offered.

    Raises: `SettingInvalid` where Grantline has no service role.
    """
    wanted, url = wanted_policies(source), template_url()
    return link_for(wanted, url, source.found_region or source.region or aws_service().region) if url else None
