"""A check of a data source, from its row to the data source's state.

In: the id of a check that `control.sources.checks` began. Out: its steps as they come in, and at the end
the state of the data source. While a rotation is under way the new External ID is tried first; where the
role does not take it yet, the check is about the old one. A check that is run again (its worker died)
starts over.
"""

from __future__ import annotations

import time
from typing import Any

import structlog

from grantline.aws.check import TRUST_STEPS, CheckStep, found_region, is_ok, is_trusted, run_check, trust_verdict
from grantline.aws.service import Service
from grantline.aws.sessions import probe, session_name
from grantline.control.sources import checks
from grantline.control.sources.external_ids import others_to_refuse
from grantline.control.sources.models import CheckKind, CheckTrigger, ConnectionCheck
from grantline.control.sources.trust import Doubt
from grantline.control.tenancy import acting_for

log = structlog.get_logger(__name__)

SCHEDULED_WAIT_SECONDS = 10
"""How long a check of the schedule insists where a role that let us in before refuses."""
ROTATION_PAUSE_SECONDS = 2.0


def carry_out(check_id: str, service: Service, *, wait_seconds: int | None = None) -> None:
    """Run one check to its end. Blocks for up to about a minute while AWS notices a new role."""
    check = checks.check_to_carry_out(check_id)
    if check is not None:
        with acting_for(check):
            _Recorder(check, service, wait_seconds).run()


class _Recorder:
    """Writes each step down as it comes in."""

    def __init__(self, check: ConnectionCheck, service: Service, wait_seconds: int | None) -> None:
        from django.conf import settings

        self.check, self.service = check, service
        patience = settings.GRANTLINE.check_wait_seconds if wait_seconds is None else wait_seconds
        is_person = check.trigger == CheckTrigger.PERSON
        self.wait_seconds: int = patience if is_person else min(patience, SCHEDULED_WAIT_SECONDS)
        self.steps: list[CheckStep] = []

    def run(self) -> None:
        """Run the check and end it."""
        self._choose_external_id()
        for step in self._checking():
            self.steps.append(step)
            checks.note_progress(self.check, steps=self._documents(), waiting_seconds=None)
        trusted = is_trusted(self.steps)
        ok = trusted if self.check.kind == CheckKind.TRUST else is_ok(self.steps)
        source = checks.finish_check(
            self.check,
            trusted=trusted,
            ok=ok,
            found_region=found_region(self.steps) or "",
            doubt=self._doubt(),
            reason=self._reason(),
        )
        log.info(
            "check.finished", check_id=self.check.pk, data_source_id=source.pk, ok=self.check.ok, state=source.state
        )

    def _checking(self) -> Any:
        values: dict[str, Any] = self.check.values
        return run_check(
            self.service,
            values["role_arn"],
            self.check.external_id,
            values["bucket"],
            values["prefix"],
            values["region"],
            bucket_owner=values["bucket_owner"],
            other_external_ids=others_to_refuse(self.check.data_source),
            trust_only=self.check.kind == CheckKind.TRUST,
            wait_seconds=self.wait_seconds,
            subject_id=self.check.pk,
            on_wait=self._waiting,
        )

    def _choose_external_id(self) -> None:
        """Take the new External ID of a rotation if the role takes it."""
        source = self.check.data_source
        chosen = source.external_id
        if source.pending_external_id and self._lets_in(source.pending_external_id):
            chosen = source.pending_external_id
        self.check.external_id = chosen
        self.check.save(update_fields=["external_id"])

    def _lets_in(self, external_id: str) -> bool:
        """Whether the role takes `external_id` yet; a person's check gives AWS time to notice."""
        until = time.monotonic() + (self.wait_seconds if self.check.trigger == CheckTrigger.PERSON else 0)
        role, name, region = self.check.values["role_arn"], session_name(self.check.pk), self.check.values["region"]
        while True:
            code, error = probe(self.service, role, external_id, name=name, fallback_region=region)
            if error is None:
                return True
            left = until - time.monotonic()
            if code != "AccessDenied" or left <= 0:
                return False
            self._waiting(self.wait_seconds - left, self.wait_seconds)
            time.sleep(min(ROTATION_PAUSE_SECONDS, left))

    def _doubt(self) -> Doubt:
        verdict = trust_verdict(self.steps)
        return "closed" if verdict == "trusted" else verdict

    def _reason(self) -> str:
        """The first trust step that did not pass, in words."""
        named = (step for step in self.steps if step.name in TRUST_STEPS and step.outcome in ("fail", "unknown"))
        first = next(named, None)
        return first.message if first else ""

    def _waiting(self, seconds: float, _limit: float) -> None:
        checks.note_progress(self.check, steps=self._documents(), waiting_seconds=int(seconds))

    def _documents(self) -> list[dict[str, Any]]:
        return [step.document() for step in self.steps]
