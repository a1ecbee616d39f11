"""The connection check as it is watched: started by a button, then looked at every second.

In: the newest check's row, which a worker fills. Out: a part of a page that asks for itself again while the
check is under way, and stops when it has ended. Without script the page says how to look again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from grantline.control.organizations.roles import Permission
from grantline.control.sources import checks, rules
from grantline.control.sources.checks import STALLED_CHECK_SECONDS
from grantline.control.sources.models import ConnectionCheck, DataSource
from grantline.errors import InputInvalid
from grantline.jobs.requests import start_check
from grantline.web.requests import PageRequest, wants_part
from grantline.web.sources.policies import step_statements
from grantline.web.sources.states import state_sentence
from grantline.web.sources.steps import step_items

TITLES: Final = {
    "role_assumed": "Assume the role with your External ID",
    "refused_without_external_id": "Try the role without an External ID",
    "refused_with_wrong_external_id": "Try the role with a made-up External ID",
    "refused_with_another_organizations_external_id": "Try the role with somebody else's External ID",
    "region_found": "Find the bucket's region",
    "bucket_listed": "List the bucket",
    "object_readable": "Read a file",
}
DOING: Final = {
    "role_assumed": "Asking AWS for a session of the role, with your External ID",
    "refused_without_external_id": "Trying the role without an External ID",
    "refused_with_wrong_external_id": "Trying the role with a made-up External ID",
    "refused_with_another_organizations_external_id": "Trying the role with somebody else's External ID",
    "region_found": "Finding the bucket's region",
    "bucket_listed": "Listing the bucket",
    "object_readable": "Reading one byte of a file",
}
WAITING: Final = "Waiting for AWS to notice the new role"
LONGEST_PAUSE_SECONDS: Final = 5
"""The check notes its waiting at least this often."""
NO_WORKER_SECONDS: Final = 20
"""A check that nobody took up for so long is waiting for a worker that may not run."""


@dataclass(frozen=True)
class CheckView:
    """A check as the page shows it."""

    check: ConnectionCheck
    now: datetime
    statements: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_running(self) -> bool:
        """Whether it is under way; one whose worker is gone is not."""
        return self.check.finished_at is None and self._age < STALLED_CHECK_SECONDS

    @property
    def is_lost(self) -> bool:
        """Whether it will never end."""
        return self.check.finished_at is None and not self.is_running

    @property
    def awaits_worker(self) -> bool:
        """Whether it seems that nobody takes it up."""
        return self.is_running and not self._has_begun and self._age > NO_WORKER_SECONDS

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The steps so far, and what is being done now."""
        lines: list[dict[str, Any]] = [self._line(step) for step in self.check.steps]
        if self.is_running:
            lines.append({"name": "now", "outcome": "running", "title": self._doing})
        return lines

    @property
    def failed_count(self) -> int:
        """How many steps failed."""
        return sum(step.get("outcome") == "fail" for step in self.check.steps)

    @property
    def mark(self) -> str:
        """Changes when there is something new to show."""
        known = (len(self.check.steps), self._waited, self.is_running, self.awaits_worker)
        return "-".join(str(int(part or 0)) for part in known)

    @property
    def spoken(self) -> str:
        """What a screen reader is told when it changes; without seconds, or it would never be silent."""
        if self.is_running:
            return WAITING if self.check.waiting_seconds is not None else self._doing
        if self.check.ok:
            return "Every step passed."
        return f"The check has ended; {self.failed_count or 'not every'} {_steps(self.failed_count)}."

    def _line(self, step: Mapping[str, Any]) -> dict[str, Any]:
        name = str(step.get("name", ""))
        statement = self.statements.get(name, "") if step.get("outcome") == "fail" else ""
        return {**step, "title": TITLES.get(name, ""), "statement": statement}

    @property
    def _doing(self) -> str:
        if self.check.waiting_seconds is not None:
            return f"{WAITING}: {self._waited} of {settings.GRANTLINE.check_wait_seconds} seconds"
        if not self._has_begun:
            return "Waiting for a worker to take up the check"
        ahead = list(DOING.values())[len(self.check.steps) :]
        return ahead[0] if ahead else "Writing down the result"

    @property
    def _waited(self) -> int | None:
        """Seconds waited so far: the row is written every few seconds, the page counts on from there."""
        written = self.check.waiting_seconds
        if written is None:
            return None
        counted = min(written + LONGEST_PAUSE_SECONDS, int(self._age), settings.GRANTLINE.check_wait_seconds)
        return max(written, counted)

    @property
    def _has_begun(self) -> bool:
        return bool(self.check.steps) or self.check.waiting_seconds is not None

    @property
    def _age(self) -> float:
        return (self.now - self.check.started_at).total_seconds()


def _steps(failed: int) -> str:
    if not failed:
        return "step passed"
    return "step failed" if failed == 1 else "steps failed"


def check_view(source: DataSource) -> CheckView | None:
    """The newest check of `source`."""
    check = checks.latest_check(source)
    return CheckView(check, timezone.now(), step_statements(source)) if check else None


def panel_context(request: PageRequest, source: DataSource) -> dict[str, Any]:
    """What `sources/check_panel.html` needs."""
    return {
        "source": source,
        "checking": check_view(source),
        "may_write": request.scope.may(Permission.SOURCE_WRITE),
    }


@require_GET
def panel(request: PageRequest, source_id: str) -> HttpResponse:
    """The part of the page with the newest check, or nothing where it says what is shown already (`seen`).

    A browser that asks for it gets the whole page. In the wizard the parts around it come along, since
    loading the page anew would lose what is being typed.
    """
    source = rules.read(request.scope, source_id)
    if not wants_part(request):
        return redirect("source", source.pk)
    context = panel_context(request, source)
    checking: CheckView | None = context["checking"]
    if checking is not None and checking.mark == request.GET.get("seen"):
        return HttpResponse(status=204)  # leaves the page as it is, and what is read out of it
    setup = "setup" in request.GET
    is_over = checking is None or not checking.is_running
    context |= {"part": True, "is_over": is_over, "setup": setup}
    if setup:
        context |= {"steps": step_items(source, "connect"), "sentence": state_sentence(source)}
    response = render(request, "sources/check_part.html", context)
    if is_over and not setup:
        response["HX-Refresh"] = "true"  # files can be browsed, or not any more
    return response


@require_POST
def start(request: PageRequest, source_id: str) -> HttpResponse:
    """Start a check and show it where the button was: in the wizard, or on the source's page."""
    in_wizard = request.POST.get("from") == "setup"
    try:
        start_check(request.scope, source_id)
    except InputInvalid:
        return redirect("source_setup_step", source_id, "connect")
    if in_wizard:
        return redirect("source_setup_step", source_id, "connect")
    return redirect(reverse("source", args=[source_id]) + "#checks")
