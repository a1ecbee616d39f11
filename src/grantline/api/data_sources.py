"""Data sources: their External ID, their policies, their connection check.

The External ID is answered, never taken: a body that holds one is refused like any unknown field.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Query, Router, Status
from pydantic import Field, StrictBool, StrictStr

from grantline.api.bearer import ApiRequest
from grantline.api.bodies import Body, Nothing
from grantline.api.documents import Document, text
from grantline.api.openapi import answers
from grantline.api.pages import Cursor, Limit, Page, page
from grantline.aws.policies import Policy, trust_policy
from grantline.aws.policy_texts import documents, render
from grantline.control.sources import external_ids, rules
from grantline.control.sources.models import DataSource, SourceState
from grantline.jobs.installation import service_role_arn
from grantline.jobs.policies import quick_create_url, wanted_policies
from grantline.jobs.requests import check_now

router = Router(tags=["data sources"])

Outcome = Literal["pass", "fail", "unknown", "skipped"]


class DataSourceDocument(Document):
    """A bucket that is read through a role with an External ID."""

    id: str
    name: str
    state: SourceState
    external_id: str = Field(description="Put it into the role's trust policy. Only a rotation ever changes it.")
    pending_external_id: str | None = Field(
        description="The next External ID, while one is being rotated in; it takes over once a check proved it."
    )
    trust_policy: Policy | None = Field(description="Null where Grantline has no service role of its own.")
    role_arn: str | None
    bucket: str | None
    prefix: str | None
    region: str | None = Field(description="The region that was named.")
    found_region: str | None = Field(description="The region that the last check found.")
    bucket_owner: str | None = Field(description="The account that must own the bucket; null: the role's account.")
    versioned: bool
    kms_key_arn: str | None
    created_at: datetime
    created_by: str
    changed_at: datetime
    checked_at: datetime | None
    verified_at: datetime | None = Field(description="Since when the role is proven to trust only Grantline.")
    proven_at: datetime | None = Field(description="When that was proven last; it is proven again every day.")
    next_probe_at: datetime | None = Field(description="When it is proven next.")
    suspended_at: datetime | None = Field(description="Since when nothing is read because the role lets others in.")
    suspended_reason: str | None


class NewDataSource(Body):
    """What a data source begins with."""

    name: StrictStr


class DataSourceChange(Body):
    """What may change; null or an empty text takes a value away."""

    name: StrictStr = Field(default=None)  # type: ignore[assignment] # absent, never null
    role_arn: StrictStr | None = None
    bucket: StrictStr | None = None
    prefix: StrictStr | None = None
    region: StrictStr | None = None
    bucket_owner: StrictStr | None = None
    versioned: StrictBool = Field(default=None)  # type: ignore[assignment] # absent, never null
    kms_key_arn: StrictStr | None = None


class PolicyDocuments(Document):
    """The policies as documents, with the names suggested for role and policy."""

    format: Literal["json"]
    role_name: str
    policy_name: str
    trust_policy: Policy
    permission_policy: Policy


class PolicyText(Document):
    """The policies as text to paste."""

    format: Literal["cloudformation", "terraform", "cli"]
    text: str
    quick_create_url: str | None = Field(
        description="With `cloudformation`: opens the stack in the AWS console. Null where no link can be offered."
    )


class CheckStep(Document):
    """One step of a connection check."""

    name: str
    outcome: Outcome
    code: str | None
    message: str | None
    remedy: str | None


class CheckDocument(Document):
    """A connection check that ended, and the data source's state after it."""

    id: str
    data_source_id: str
    state: SourceState
    external_id: str = Field(description="The one that the check used: the next one, if the role takes it already.")
    checks: list[CheckStep]
    started_at: datetime
    finished_at: datetime | None


@router.post("", response=answers(201, DataSourceDocument, body=True))
def create_data_source(request: ApiRequest, body: NewDataSource) -> Status[DataSourceDocument]:
    """Make a data source with its own External ID."""
    return Status(201, _document(rules.create(request.scope, body.name)))


@router.get("", response=answers(200, Page[DataSourceDocument]))
def list_data_sources(request: ApiRequest, limit: Limit, cursor: Cursor) -> Page[DataSourceDocument]:
    """List data sources, newest first."""
    rows = rules.list_sources(request.scope)
    return page(rows, ("-created_at", "-id"), _document, limit=limit, cursor=cursor)


@router.get("/{source_id}", response=answers(200, DataSourceDocument, 404))
def read_data_source(request: ApiRequest, source_id: str) -> DataSourceDocument:
    """Read a data source."""
    return _document(rules.read(request.scope, source_id))


@router.patch("/{source_id}", response=answers(200, DataSourceDocument, 404, body=True))
def change_data_source(request: ApiRequest, source_id: str, body: DataSourceChange) -> DataSourceDocument:
    """Change a data source.

    A change of role, bucket, prefix, region or owner ends what the last check proved; run it again.
    """
    return _document(rules.change(request.scope, source_id, body.model_dump(exclude_unset=True)))


@router.delete("/{source_id}", response=answers(204, None, 404, 409))
def delete_data_source(request: ApiRequest, source_id: str) -> Status[None]:
    """Delete a data source that no import uses; its External ID is never given out again."""
    rules.delete(request.scope, source_id)
    return Status(204, None)


@router.get("/{source_id}/policies", response=answers(200, PolicyDocuments | PolicyText, 404, 503))
def read_policies(
    request: ApiRequest,
    source_id: str,
    format: Annotated[Literal["json", "cloudformation", "terraform", "cli"], Query("json")],
) -> PolicyDocuments | PolicyText:
    """Read the policies that the customer's role needs, ready to paste."""
    source = rules.read(request.scope, source_id)
    wanted = wanted_policies(source)
    if format == "json":
        return PolicyDocuments(format=format, **documents(wanted).document())
    link = quick_create_url(source) if format == "cloudformation" else None
    return PolicyText(format=format, text=render(format, wanted), quick_create_url=link)


@router.post("/{source_id}/external-id/rotate", response=answers(200, DataSourceDocument, 404, body=True))
def rotate_external_id(request: ApiRequest, source_id: str, body: Nothing | None = None) -> DataSourceDocument:
    """Issue the next External ID.

    Reading goes on with the old one. The next check that passes with the new one makes it the one and
    retires the old one for good. Called again meanwhile, it answers the same next ID.
    """
    return _document(external_ids.rotate(request.scope, source_id))


@router.post("/{source_id}/external-id/cancel", response=answers(200, DataSourceDocument, 404, body=True))
def cancel_rotation(request: ApiRequest, source_id: str, body: Nothing | None = None) -> DataSourceDocument:
    """Give up the next External ID; the one in use stays."""
    return _document(external_ids.cancel_rotation(request.scope, source_id))


@router.post("/{source_id}/verify", response=answers(200, CheckDocument, 404, 503, body=True))
def verify_data_source(request: ApiRequest, source_id: str, body: Nothing | None = None) -> CheckDocument:
    """Run the connection check and wait for its end.

    A role that was made a moment ago may take AWS a minute to notice; the check waits for it.
    """
    check = check_now(request.scope, source_id)
    source = rules.read(request.scope, source_id)
    steps: list[dict[str, Any]] = check.steps
    return CheckDocument(
        id=check.pk,
        data_source_id=source.pk,
        state=SourceState(source.state),
        external_id=check.external_id,
        checks=[CheckStep.model_validate(step) for step in steps],
        started_at=check.started_at,
        finished_at=check.finished_at,
    )


def _document(source: DataSource) -> DataSourceDocument:
    service = service_role_arn()
    return DataSourceDocument(
        id=source.pk,
        name=source.name,
        state=SourceState(source.state),
        external_id=source.external_id,
        pending_external_id=source.pending_external_id,
        trust_policy=trust_policy(service, source.external_id, source.pending_external_id) if service else None,
        role_arn=text(source.role_arn),
        bucket=text(source.bucket),
        prefix=text(source.prefix),
        region=text(source.region),
        found_region=text(source.found_region),
        bucket_owner=text(source.bucket_owner),
        versioned=source.versioned,
        kms_key_arn=text(source.kms_key_arn),
        created_at=source.created_at,
        created_by=source.created_by,
        changed_at=source.changed_at,
        checked_at=source.checked_at,
        verified_at=source.verified_at,
        proven_at=source.proven_at,
        next_probe_at=source.next_probe_at,
        suspended_at=source.suspended_at,
        suspended_reason=text(source.suspended_reason),
    )
