"""The one vocabulary of states on the pages.

Owns, for every state word that the control plane and the API use, its tone (color), icon, label and a
sentence that says what it means. A chip always shows icon and label; color alone says nothing. A word
that is not listed is shown as it is, in gray, so that a new state never breaks a page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Tone = Literal["green", "amber", "red", "gray", "accent"]


@dataclass(frozen=True)
class StateMark:
    """How one state is shown."""

    tone: Tone
    icon: str
    label: str
    sentence: str = ""


STATES: Final[dict[str, StateMark]] = {
    # Imports
    "healthy": StateMark("green", "check-circle", "Healthy", "The last run was in time and went well."),
    "running": StateMark("accent", "running", "Running", "A run is under way."),
    "held": StateMark("amber", "held", "Held", "A run waits for a person; nothing changed."),
    "failing": StateMark("red", "warning", "Failing", "The last run failed; the last good data stays."),
    "stale": StateMark("amber", "clock", "Stale", "Nothing new for longer than is normal."),
    "paused": StateMark("gray", "pause", "Paused", "It does not look at the file until it is resumed."),
    "new": StateMark("gray", "ring", "New", "It has not run yet."),
    # Data sources
    "awaiting_role": StateMark("gray", "key", "Awaiting role", "The role in AWS is not known yet."),
    "checking": StateMark("accent", "running", "Checking", "The connection is being checked."),
    "connected": StateMark("green", "check-circle", "Connected", "Every check passed."),
    "needs_attention": StateMark("amber", "warning", "Needs attention", "A check failed."),
    "suspended": StateMark("red", "pause", "Suspended", "Its role lets others in, so nothing is read."),
    # Runs
    "queued": StateMark("gray", "queued", "Queued", "It waits for a worker."),
    "unchanged": StateMark("gray", "equal", "Unchanged", "The file is the same as last time."),
    "published": StateMark("green", "check-circle", "Published", "Its changes are in the catalog."),
    "failed": StateMark("red", "cross-circle", "Failed", "It stopped; the last good data stays."),
    "discarded": StateMark("gray", "trash", "Discarded", "A person decided against it; nothing changed."),
    # Connection checks
    "pass": StateMark("green", "check-circle", "Passed"),
    "fail": StateMark("red", "cross-circle", "Failed"),
    "unknown": StateMark("amber", "question", "Not known"),
    "skipped": StateMark("gray", "skip", "Skipped"),
    # Issues
    "error": StateMark("red", "cross-circle", "Error", "The row was not taken."),
    "warning": StateMark("amber", "warning", "Warning", "The row was taken; one value of it was not."),
    "info": StateMark("gray", "info", "Note"),
    # Changes
    "added": StateMark("green", "plus", "Added"),
    "removed": StateMark("red", "minus", "Removed"),
    "changed": StateMark("amber", "edit", "Changed"),
    # Accounts, people and tokens
    "enabled": StateMark("green", "check", "Enabled"),
    "active": StateMark("green", "check", "Active"),
    "disabled": StateMark("gray", "skip", "Disabled"),
    "expired": StateMark("gray", "clock", "Expired"),
    "revoked": StateMark("gray", "cross", "Revoked"),
    "invited": StateMark("gray", "mail", "Invited"),
}


def state_mark(state: object) -> StateMark:
    """The mark of a state, given as text or as a `StrEnum`; gray with its own word where unknown."""
    word = str(state or "")
    known = STATES.get(word)
    return known or StateMark("gray", "dot", word.replace("_", " ").capitalize() or "Not known")
