"""The four steps of connecting a bucket, and where somebody stands in them.

Pure but for one look at the data source's imports. Each step can be opened at any time; its state only
says what is done.
"""

from __future__ import annotations

from typing import Any, Final

from django.urls import reverse

from grantline.control.sources.models import DataSource, SourceState

STEPS: Final = {
    "external-id": "External ID",
    "role": "Role in AWS",
    "connect": "Connect",
    "first-import": "First import",
}


def resume_step(source: DataSource) -> str:
    """The step where setting up goes on."""
    if source.state == SourceState.CONNECTED:
        return "first-import"
    if source.role_arn:
        return "connect"
    return "role" if source.bucket else "external-id"


def step_items(source: DataSource, current: str) -> list[dict[str, Any]]:
    """The steps as the tag `steps` takes them."""
    checked = {
        SourceState.CONNECTED: "done",
        SourceState.NEEDS_ATTENTION: "failed",
        SourceState.SUSPENDED: "failed",
    }
    states = {
        "external-id": "done",
        "role": "done" if source.role_arn else "todo",
        "connect": checked.get(SourceState(source.state), "todo"),
        "first-import": "done" if source.imports.exists() else "todo",
    }
    return [
        {
            "label": label,
            "href": reverse("source_setup_step", args=[source.pk, name]),
            "state": "current" if name == current else states[name],
        }
        for name, label in STEPS.items()
    ]
