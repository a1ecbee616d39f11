"""Places in a run where a test ends the process, as a power cut would.

In: the name of a point. Out: nothing, but where GRANTLINE_CRASH_AT names that point: then this process is
killed, without any clean-up. The setting is refused outside debug mode. The acceptance test kills a worker
at every one of these points and looks at what is left.
"""

from __future__ import annotations

import os
import signal
from typing import Final

from django.conf import settings

POINTS: Final = (
    "claimed",
    "downloading",
    "after_fetch",
    "after_read",
    "after_map",
    "after_diff",
    "after_guard",
    "history_written",
    "version_files_written",
    "version_written",
    "before_transaction",
    "inside_transaction",
    "end_of_transaction",
    "after_transaction",
)
"""In the order in which a run that publishes comes by."""
APPROVAL: Final = "inside_approval"
"""The point inside the transaction in which a held run's version is published."""


def point(name: str) -> None:
    """End this process here if the operator's setting says so."""
    if settings.GRANTLINE.crash_at == name:
        os.kill(os.getpid(), signal.SIGKILL)
