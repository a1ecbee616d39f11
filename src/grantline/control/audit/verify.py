"""Verifying the audit log: is it whole, unchanged and in order?

In: an organization. Out: a `Verification`. It finds an event that was changed, removed, inserted, moved
or cut off the end, as long as whoever did it did not also rewrite every later hash and the head. Against
somebody who can do that, who owns the database, only a head that is kept elsewhere helps: give it as
`expected`, and a log that was rewritten before it is found out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max
from django.utils import timezone

from grantline.control.audit.chain import GENESIS, digest
from grantline.control.audit.models import AuditEvent, AuditHead
from grantline.control.tenancy import HasOrganization, acting_for, scoped

FAULTS_SHOWN = 20
"""A log whose order is broken once is not worth a million lines."""
_BATCH = 1000


@dataclass(frozen=True)
class Fault:
    """Something that an untouched log cannot have. `sequence` is the event's number."""

    sequence: int
    kind: str
    message: str


@dataclass(frozen=True)
class Verification:
    """What verifying found. `sequence` and `hash` are the head: worth keeping somewhere else."""

    organization_id: str
    at: datetime
    events: int
    sequence: int
    hash: str
    faults: tuple[Fault, ...]

    @property
    def is_whole(self) -> bool:
        """Whether nothing was found."""
        return not self.faults


def verify(owner: HasOrganization, expected: tuple[int, str] | None = None) -> Verification:
    """Verify one organization's log to its end, and note the result beside its head.

    `expected` is a head that was kept: its number and hash. Reads every event once, in batches.
    """
    with acting_for(owner):
        newest = scoped(AuditEvent, owner).aggregate(newest=Max("sequence"))["newest"] or 0
        head = scoped(AuditHead, owner).first()
        end = (head.sequence, head.hash) if head else (0, GENESIS)
        walk = _Walk(owner, end, expected)
        faults = tuple(walk.faults(newest))[:FAULTS_SHOWN]
        found = Verification(owner.organization_id, timezone.now(), walk.events, *end, faults)
        if head is not None:
            marks = {"verified_at": found.at, "verified_sequence": end[0], "fault_count": len(faults)}
            scoped(AuditHead, owner).filter(pk=head.pk).update(**marks)
    return found


class _Walk:
    """Goes along the chain once."""

    def __init__(self, owner: HasOrganization, end: tuple[int, str], expected: tuple[int, str] | None) -> None:
        self.owner, self.end, self.expected = owner, end, expected
        self.events = 0
        self.sequence, self.hash = 0, GENESIS
        self.saw_expected = expected is None or expected == (0, GENESIS)

    def faults(self, newest: int) -> Iterator[Fault]:
        """Every fault, in the order of the log. `newest` was read before the head: it cannot be above."""
        for event in self._events():
            yield from self._link(event)
        last, end_hash = self.end
        if self.sequence < last:
            yield Fault(last, "cut", f"{_events(self.sequence + 1, last)} missing at the end.")
        elif self.hash != end_hash:
            yield Fault(last, "head", f"Event {last} is not the one that the log ended with.")
        if newest > last:
            yield Fault(newest, "head", f"The log says that it ends with event {last}, but {newest} is there.")
        if not self.saw_expected and self.expected is not None:
            yield Fault(self.expected[0], "expected", f"Event {self.expected[0]} is not the one that was kept.")

    def _events(self) -> Iterator[AuditEvent]:
        rows = scoped(AuditEvent, self.owner).filter(sequence__lte=self.end[0]).order_by("sequence")
        after = -1
        while batch := list(rows.filter(sequence__gt=after)[:_BATCH]):
            yield from batch
            after = batch[-1].sequence

    def _link(self, event: AuditEvent) -> Iterator[Fault]:
        self.events += 1
        if event.sequence != self.sequence + 1:
            yield Fault(event.sequence, "missing", f"{_events(self.sequence + 1, event.sequence - 1)} missing.")
        elif event.previous_hash != self.hash:
            yield Fault(event.sequence, "order", f"Event {event.sequence} does not follow the one before it.")
        if digest(event) != event.hash:
            yield Fault(event.sequence, "changed", f"Event {event.sequence} is not as it was written.")
        self.sequence, self.hash = event.sequence, event.hash
        if self.expected == (event.sequence, event.hash):
            self.saw_expected = True


def _events(first: int, last: int) -> str:
    return f"Event {first} is" if first == last else f"Events {first} to {last} are"
