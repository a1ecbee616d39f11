"""What came of a run, in one sentence.

Pure: a run in, text out. The sentence says what happened and what it means for the data; the reasons,
numbers and remedies stand on the page below it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grantline.control.runs.models import Run, RunState
from grantline.web import words

KINDS = ("accounts", "entitlements", "grants")
_NOUNS = {"accounts": "account", "entitlements": "entitlement", "grants": "grant"}
_DOING = {
    "fetch": "Getting the file from the bucket.",
    "read": "Reading the file.",
    "map": "Turning rows into accounts, entitlements and grants.",
    "diff": "Comparing with what is known.",
    "guard": "Checking how much would be removed.",
    "publish": "Writing the new version.",
}


def verdict(run: Run) -> str:
    """The sentence of `run` in its present state."""
    match run.state:
        case RunState.QUEUED:
            return "Waits for a worker; it starts by itself."
        case RunState.RUNNING:
            return _DOING.get(run.stage, "Under way.")
        case RunState.UNCHANGED:
            return "The file is the same as last time, so nothing was read and nothing changed."
        case RunState.PUBLISHED:
            return _published(run)
        case RunState.HELD:
            return f"Stopped before anything changed: {_going(run.changes)} would go. A person decides."
        case RunState.DISCARDED:
            return f"Discarded by {run.decided_by or 'somebody'}. Nothing changed."
        case RunState.FAILED:
            message = str((run.error or {}).get("message") or "It could not be finished.")
            return f"{message.rstrip('.')}. The last good data is kept."
    return "Its state is not known."


def issue_total(run: Run) -> int:
    """How many issues the run found, kept or not."""
    return sum(run.issue_counts.values())


def change_phrases(changes: Mapping[str, Any] | None) -> list[str]:
    """`12 grants added`, `1 account removed`, … in the order of kinds; empty where nothing changed."""
    phrases = []
    for kind in KINDS:
        numbers = (changes or {}).get(kind) or {}
        for verb in ("added", "removed", "changed"):
            if numbers.get(verb):
                phrases.append(f"{words.counted(numbers[verb], _NOUNS[kind])} {verb}")
    return phrases


def _published(run: Run) -> str:
    number = f"version {words.thousands(run.version.number)}" if run.version else "a new version"
    changed = change_phrases(run.changes)
    issues = issue_total(run)
    found = f" {words.counted(issues, 'issue')} found in its rows." if issues else ""
    return f"Published {number}: {', '.join(changed) if changed else 'no record changed'}.{found}"


def _going(changes: Mapping[str, Any] | None) -> str:
    going = [
        words.counted(removed, _NOUNS[kind])
        for kind in KINDS
        if (removed := ((changes or {}).get(kind) or {}).get("removed"))
    ]
    if not going:
        return "more than the guard allows"
    return going[0] if len(going) == 1 else f"{', '.join(going[:-1])} and {going[-1]}"
