"""What the imports of one application offer to each other: lists of accounts, definitions of entitlements.

In: an import. Out: the other imports whose current version lists or defines something (`others_of`), and
the state in which a reading was resolved against them (`state_of`): per import the last version in which
accounts (or entitlements) came or went. The state is part of what decides *unchanged*, so that a file is
read again when the lists it refers to have changed, and attributes alone never cause that. An import of
`ReferenceMode.OWN` refers to nothing outside its own file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db.models import Max, Q

from grantline.catalog.model import Changes
from grantline.control.imports.models import Import
from grantline.control.runs.models import Run, Version
from grantline.control.tenancy import scoped
from grantline.mapping.records import References

OWN_STATE = {"own": True}


class ReferenceMode(StrEnum):
    """Whether an import refers to what other imports of its application list."""

    AUTO = "auto"
    OWN = "own"


@dataclass(frozen=True)
class Listing:
    """Another import of the application that offers something, as it is now."""

    item: Import
    facts: References

    def last_change(self, kind: str) -> int:
        """The number of the last version in which rows of that kind (`accounts`) came or went."""
        current = self.item.current_version
        came_or_went = Q(**{f"changes__{kind}__added__gt": 0}) | Q(**{f"changes__{kind}__removed__gt": 0})
        versions = scoped(Version, self.item).filter(of_import=self.item, number__lte=current.number if current else 0)
        return versions.filter(came_or_went).aggregate(last=Max("number"))["last"] or 0


def facts_of(item: Import) -> References:
    """What the file of the current version offers and refers to; nothing where that is not known."""
    version = item.current_version
    run = scoped(Run, item).filter(version=version).only("reference_facts").first() if version is not None else None
    return as_references(run.reference_facts if run else None)


def as_references(facts: dict[str, Any] | None) -> References:
    """The facts of a run (`Run.reference_facts`)."""
    if not facts:
        return References()
    return References(**{**facts, "defines": tuple(facts["defines"])})


def siblings(item: Import) -> list[Import]:
    """The other imports of the application, oldest first."""
    rows = scoped(Import, item).filter(application_id=item.application_id).exclude(pk=item.pk)
    return list(rows.select_related("current_version").order_by("created_at", "id"))


def others_of(item: Import) -> list[Listing]:
    """The other imports of the application that list accounts or define entitlements, oldest first."""
    if item.references == ReferenceMode.OWN:
        return []
    found = [Listing(other, facts_of(other)) for other in siblings(item) if other.current_version is not None]
    return [one for one in found if one.facts.lists_accounts or one.facts.defines]


def state_of(item: Import, facts: References, others: Sequence[Listing]) -> dict[str, Any]:
    """What a reading with these facts is resolved against; empty where nothing outside its file matters."""
    if item.references == ReferenceMode.OWN:
        return OWN_STATE
    state: dict[str, Any] = {}
    if facts.names_accounts:
        state["accounts"] = {one.item.pk: one.last_change("accounts") for one in others if one.facts.lists_accounts}
    if facts.names_entitlements:
        state["entitlements"] = {one.item.pk: one.last_change("entitlements") for one in others if one.facts.defines}
    return {name: numbers for name, numbers in state.items() if numbers}


def current_state(item: Import) -> dict[str, Any]:
    """The state that the import's current version would be resolved against now."""
    facts = facts_of(item)
    if item.references == ReferenceMode.OWN or not (facts.names_accounts or facts.names_entitlements):
        return state_of(item, facts, ())
    return state_of(item, facts, others_of(item))


def with_state(seen: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
    """What an import remembers of a reading, with the state it was resolved against."""
    rest = {name: value for name, value in seen.items() if name != "references"}
    return {**rest, "references": state} if state else rest


def dependents(item: Import, before: References, after: References, changes: Changes) -> list[Import]:
    """The imports that name what has just come or gone in `item`, those that are paused left out."""
    accounts = after.lists_accounts != before.lists_accounts or (
        after.lists_accounts and bool(changes.accounts.added or changes.accounts.removed)
    )
    entitlements = after.defines != before.defines or (
        bool(after.defines) and bool(changes.entitlements.added or changes.entitlements.removed)
    )
    if not (accounts or entitlements):
        return []
    found = []
    for other in siblings(item):
        facts = facts_of(other)
        names = (accounts and facts.names_accounts) or (entitlements and facts.names_entitlements)
        if names and other.paused_at is None and other.references == ReferenceMode.AUTO:
            found.append(other)
    return found
