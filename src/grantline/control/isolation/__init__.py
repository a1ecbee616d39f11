"""The second wall: whose rows this thread's database connection may see.

The first wall is the filter in `tenancy.scoped`. Should it ever be forgotten, PostgreSQL still shows a
connection only the rows of the organization named in its setting `grantline.organization` (row-level
security, forced on every table with an organization), and the connection acts as a role that owns
nothing and cannot switch that off. Here is what to show, per thread of control; `base` is the database
backend that keeps every connection to it; `walls` is the SQL. Invariant: nothing is shown by default.
Only `tenancy` calls this module; everybody else says `tenancy.acting_for(…)`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Final

ROLE: Final = "grantline_app"
"""The role that every connection acts as once the walls stand."""
SETTING: Final = "grantline.organization"
NOBODY: Final = ""
EVERYBODY: Final = "*"

_shown: ContextVar[str] = ContextVar("grantline_organization", default=NOBODY)


def shown() -> str:
    """Whose rows are shown: an organization's id, `NOBODY` or `EVERYBODY`."""
    return _shown.get()


def show(organization: str) -> None:
    """Show the rows of one organization from here on, until something else is shown."""
    from grantline.control.isolation.base import tell_connection

    _shown.set(organization)
    tell_connection()


@contextlib.contextmanager
def showing(organization: str) -> Iterator[None]:
    """Show the rows of one organization, then what was shown before, whatever happened."""
    before = shown()
    if organization != before:
        show(organization)
    try:
        yield
    finally:
        if shown() != before:
            show(before)
