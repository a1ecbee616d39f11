"""One run as a row of a table."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse

from grantline.control.runs.models import Run, RunState
from grantline.web import words
from grantline.web.charts import RunPoint
from grantline.web.runs.verdict import issue_total, verdict

TRIGGERS = {
    "schedule": "on schedule",
    "button": "by hand",
    "api": "through the API",
    "upload": "with a file by hand",
    "first": "as the first look",
    "rollback": "as a rollback",
    "references": "because another import of the application changed",
}


@dataclass(frozen=True)
class RunRow:
    """A run with what the tables show beside its fields."""

    run: Run

    @property
    def verdict(self) -> str:
        """What came of it."""
        return verdict(self.run)

    @property
    def issues(self) -> int:
        """How many issues it found."""
        return issue_total(self.run)

    @property
    def rows_read(self) -> int | None:
        """How many rows it read; None where it read none."""
        return (self.run.counts or {}).get("rows_read")

    @property
    def seconds(self) -> float | None:
        """How long it took, from start to verdict."""
        if self.run.started_at is None or self.run.finished_at is None:
            return None
        return (self.run.finished_at - self.run.started_at).total_seconds()

    @property
    def trigger(self) -> str:
        """What started it, in words."""
        return TRIGGERS.get(self.run.trigger, self.run.trigger)

    @property
    def removed(self) -> int:
        """How many grants it took away, or would have."""
        return int(((self.run.changes or {}).get("grants") or {}).get("removed") or 0)

    @property
    def added(self) -> int:
        """How many grants it brought, or would have."""
        return int(((self.run.changes or {}).get("grants") or {}).get("added") or 0)

    @property
    def title(self) -> str:
        """The heading of its page."""
        return f"Run {words.thousands(self.run.number)}"

    @property
    def decided_title(self) -> str:
        """What a person decided about it."""
        return "Discarded" if self.run.state == RunState.DISCARDED else "Approved by a person"

    @property
    def import_href(self) -> str:
        """Where its import is."""
        return reverse("import", args=[self.run.of_import_id])

    @property
    def changes_href(self) -> str:
        """Where each of its changes is listed; empty where nothing was published."""
        if self.run.state != RunState.PUBLISHED:
            return ""
        return f"{reverse('application_changes', args=[self.run.of_import.application_id])}?run={self.run.pk}"

    @property
    def changes_title(self) -> str:
        """What the card of changes is called: proposals have changed nothing."""
        return "Changes" if self.run.state == RunState.PUBLISHED else "Proposed changes"

    @property
    def discard_href(self) -> str:
        """Where a held run is discarded."""
        return reverse("run_discard", args=[self.run.pk])

    @property
    def approve_label(self) -> str:
        """What the button does: `Approve and remove 1,204 grants`."""
        for kind, noun in (("grants", "grant"), ("accounts", "account"), ("entitlements", "entitlement")):
            removed = ((self.run.changes or {}).get(kind) or {}).get("removed")
            if removed:
                return f"Approve and remove {words.counted(removed, noun)}"
        return "Approve and publish"

    def point(self) -> RunPoint:
        """The run on the chart."""
        return RunPoint(
            number=self.run.number,
            at=self.run.queued_at,
            state=self.run.state,
            rows=self.rows_read,
            issues=self.issues,
            seconds=self.seconds,
        )
