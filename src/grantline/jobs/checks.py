"""A connection check, from its row to the data source's state.

In: the id of a check that `control.sources.rules.begin_check` made. Out: its steps as they come in, and
at the end the state of the data source. A check that is run again (its worker died) starts over.
"""

from __future__ import annotations

from typing import Any

import structlog

from grantline.aws.check import CheckStep, found_region, is_ok, is_trusted, run_check
from grantline.aws.service import Service
from grantline.control.sources import rules
from grantline.control.sources.models import ConnectionCheck

log = structlog.get_logger(__name__)


def carry_out(check_id: str, service: Service, *, wait_seconds: int | None = None) -> None:
    """Run one check to its end. Blocks for up to about a minute while AWS notices a new role."""
    check = ConnectionCheck.objects.select_related("data_source").filter(pk=check_id).first()
    if check is None or check.finished_at is not None:
        return
    _Recorder(check, service, wait_seconds).run()


class _Recorder:
    """Writes each step down as it comes in."""

    def __init__(self, check: ConnectionCheck, service: Service, wait_seconds: int | None) -> None:
        from django.conf import settings

        self.check, self.service = check, service
        self.wait_seconds = settings.GRANTLINE.check_wait_seconds if wait_seconds is None else wait_seconds
        self.steps: list[CheckStep] = []

    def run(self) -> None:
        """Run the check and end it."""
        values: dict[str, Any] = self.check.values
        checking = run_check(
            self.service,
            values["role_arn"],
            self.check.data_source.external_id,
            values["bucket"],
            values["prefix"],
            values["region"],
            wait_seconds=self.wait_seconds,
            subject_id=self.check.pk,
            on_wait=self._waiting,
        )
        for step in checking:
            self.steps.append(step)
            rules.note_progress(self.check, steps=self._documents(), waiting_seconds=None)
        ok = is_ok(self.steps)
        rules.finish_check(
            self.check, trusted=is_trusted(self.steps), ok=ok, found_region=found_region(self.steps) or ""
        )
        log.info("check.finished", check_id=self.check.pk, data_source_id=self.check.data_source_id, ok=ok)

    def _waiting(self, seconds: float, _limit: float) -> None:
        rules.note_progress(self.check, steps=self._documents(), waiting_seconds=int(seconds))

    def _documents(self) -> list[dict[str, Any]]:
        return [step.document() for step in self.steps]
