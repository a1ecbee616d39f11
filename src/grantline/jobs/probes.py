"""Trust, proven again: about two minutes after it was proven first, then every day.

In: the clock. Out: a check, begun and queued, for every data source whose time has come. Safe to run at
any time and as often as one likes: a source is due once, and has one check at a time.
"""

from __future__ import annotations

from datetime import datetime

import structlog
from django.db import transaction

from grantline.control.sources import checks
from grantline.control.sources.models import ConnectionCheck
from grantline.control.tenancy import acting_for
from grantline.jobs.installation import service_role_arn
from grantline.jobs.tasks import defer_check

log = structlog.get_logger(__name__)


def start_due_probes(now: datetime) -> list[ConnectionCheck]:
    """Begin and queue the checks that are due; none where Grantline has no role of its own."""
    if service_role_arn() is None:
        return []
    begun = []
    for source in checks.sources_to_probe(now):
        with acting_for(source), transaction.atomic():
            check = checks.begin_probe(source)
            if check is not None:
                defer_check(check)
                begun.append(check)
                log.info("probe.due", check_id=check.pk, data_source_id=source.pk, kind=check.kind)
    return begun
