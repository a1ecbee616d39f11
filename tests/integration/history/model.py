"""What an import says, in the plainest way: the model that the product is compared with.

A state is a dictionary of accounts and a set of grants. The model keeps every one, knows the guard's rule
for small sources, what a held run proposes, and what a rollback has undone. It knows nothing of files on
disk, integers or intervals.
"""

from __future__ import annotations

from dataclasses import dataclass, field

Grants = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class File:
    """A file: valid rows (user → e-mail address or "", groups) and users whose only row is refused."""

    rows: dict[str, tuple[str, frozenset[str]]]
    refused: frozenset[str] = frozenset()

    @property
    def body(self) -> bytes:
        lines = ["User ID,Email Address,Groups"]
        lines += [f'{user},{email},"{",".join(sorted(groups))}"' for user, (email, groups) in sorted(self.rows.items())]
        lines += [f"{user},x@example.com,staff,too,many" for user in sorted(self.refused - set(self.rows))]
        return ("\n".join(lines) + "\n").encode()


@dataclass(frozen=True)
class State:
    """What is true: accounts with their addresses, grants, and accounts that refused rows name."""

    accounts: dict[str, str] = field(default_factory=dict)
    grants: Grants = frozenset()
    marks: frozenset[str] = frozenset()

    @property
    def entitlements(self) -> set[str]:
        return {group for _, group in self.grants}

    def says_the_same(self, other: State) -> bool:
        return (self.accounts, self.grants) == (other.accounts, other.grants)

    def read(self, file: File) -> State:
        """The state after a file: what only refused rows name stays as it was."""
        kept = {user: email for user, email in self.accounts.items() if user in file.refused - set(file.rows)}
        accounts = {**kept, **{user: email for user, (email, _) in file.rows.items()}}
        grants = {(user, group) for user, (_, groups) in file.rows.items() for group in groups}
        return State(accounts, frozenset(grants | {one for one in self.grants if one[0] in kept}), frozenset(kept))


@dataclass
class Model:
    """One import. `versions[0]` is version 1; `bodies` are the files that made them, None for rollbacks."""

    versions: list[State] = field(default_factory=list)
    bodies: list[bytes | None] = field(default_factory=list)
    held: tuple[State, bytes] | None = None
    restored: int | None = None

    def load(self, file: File) -> str:
        """Give a file; returns the run's state."""
        if not file.rows and not file.refused:
            return "failed"
        now = self.versions[-1] if self.versions else None
        new = (now or State()).read(file)
        if now is None:
            new = State(new.accounts, new.grants)
        elif new.says_the_same(now):
            self.held = None
            if new.marks == now.marks & set(new.accounts):
                return "unchanged"
            return self._publish(new, file.body)
        elif guarded(now, new) or file.body in self.undone:
            self.held = (new, file.body)
            return "held"
        return self._publish(new, file.body)

    def approve(self) -> None:
        assert self.held is not None
        self._publish(*self.held)

    def roll_back(self, number: int) -> str:
        then, now = self.versions[number - 1], self.versions[-1]
        new = State(then.accounts, then.grants)
        if new.says_the_same(now) and not now.marks:
            return "unchanged"
        self._publish(new, None)
        self.restored = number
        return "published"

    @property
    def undone(self) -> list[bytes]:
        """The files that the standing rollback has undone."""
        if self.restored is None:
            return []
        return [body for body in self.bodies[self.restored : -1] if body is not None]

    def _publish(self, state: State, body: bytes | None) -> str:
        self.versions.append(state)
        self.bodies.append(body)
        self.held = self.restored = None
        return "published"


def guarded(now: State, new: State) -> bool:
    """The guard's rule with its default limits."""
    left = set(now.accounts) - set(new.accounts)
    lost = {one for one in now.grants - new.grants if len(left) >= 10 or one[0] not in left}
    gone = now.entitlements - new.entitlements
    filled = [sum(1 for email in state.accounts.values() if email) for state in (now, new)]
    expected = round(filled[0] / len(now.accounts) * len(new.accounts)) if now.accounts else 0
    return (
        falls(len(left), len(now.accounts), 0.2)
        or falls(len(gone), len(now.entitlements), 0.5)
        or falls(len(lost), len(now.grants), 0.5)
        or falls(expected - filled[1], expected, 0.5)
    )


def falls(rows: int, before: int, small_share: float) -> bool:
    return rows >= 2 and rows / before > (0.2 if rows >= 10 else small_share)
