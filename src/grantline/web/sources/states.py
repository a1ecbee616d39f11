"""A data source in the words of the pages: its state's sentence, and what helps next.

Pure: a row in, words out.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse

from grantline.control.sources.models import DataSource, SourceState


@dataclass(frozen=True)
class SourceCard:
    """A data source as the list shows it."""

    source: DataSource

    @property
    def is_draft(self) -> bool:
        """Whether setting it up was never finished."""
        return self.source.checked_at is None and self.source.verified_at is None

    @property
    def href(self) -> str:
        """Where the card leads: the wizard for a draft, else the data source's page."""
        return reverse("source_setup" if self.is_draft else "source", args=[self.source.pk])

    @property
    def place(self) -> str:
        """The bucket with its prefix, as an address."""
        return place(self.source)

    @property
    def sentence(self) -> str:
        """What the state means for this data source."""
        return state_sentence(self.source)


def place(source: DataSource) -> str:
    """`s3://bucket/prefix`, or nothing where no bucket is named."""
    return f"s3://{source.bucket}/{source.prefix}" if source.bucket else ""


def state_sentence(source: DataSource) -> str:
    """One sentence that says what the state means for this data source, and what to do."""
    if source.state == SourceState.CONNECTED:
        return "Connected. Grantline can list and read the files; nobody else can use the role."
    if source.state == SourceState.CHECKING:
        return "Checking. Each step's result is shown as it comes in."
    if source.state == SourceState.SUSPENDED:
        return (
            "Suspended. The role lets others in, so nothing is read. Correct its trust policy, then check again; "
            "a check that passes resumes it."
        )
    if source.state == SourceState.NEEDS_ATTENTION:
        if source.verified_at is not None:
            return "Needs attention. The role works, but the files cannot be read; the checks say what to change."
        return "Needs attention. A check failed, so nothing is read; the checks say what to change."
    if source.role_arn and source.bucket:
        return "Not checked yet. The role and the bucket are stored; check the connection."
    if source.bucket:
        return "Awaiting the role. Make it in the AWS account that owns the bucket, then paste its ARN."
    return "Being set up. The External ID is issued and stays the same; the role and the bucket are still to come."
