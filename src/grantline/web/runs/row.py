"""One run as a row of a table."""

from __future__ import annotations

from dataclasses import dataclass

from grantline.control.runs.models import Run
from grantline.web.charts import RunPoint
from grantline.web.runs.verdict import issue_total, verdict

TRIGGERS = {
    "schedule": "on schedule",
    "button": "by hand",
    "api": "through the API",
    "upload": "file by hand",
    "first": "first look",
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
