"""The base of what the API answers with.

A document is made by a function of its noun's module from a row of the control plane. Text that is not
set is null, never empty; moments are aware UTC and written with a Z.
"""

from __future__ import annotations

from pydantic import BaseModel


class Document(BaseModel):
    """Base of every answer."""


class Counts(Document):
    """How many are current."""

    accounts: int = 0
    resources: int = 0
    entitlements: int = 0
    grants: int = 0


def text(value: str | None) -> str | None:
    """`value`, or null where it is empty."""
    return value or None
