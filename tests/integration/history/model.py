"""What an import says, in the plainest way: the model that the product is compared with.

A state is a dictionary of accounts and a set of grants. The model keeps every one, knows the guard's rule
for small sources, what a held run proposes, what a rollback has undone, which keys are the same, and what
retention has taken. It knows nothing of files on disk, integers, intervals, workers or their deaths.
"""

from __future__ import annotations

from dataclasses import dataclass, field

Grants = frozenset[tuple[str, str]]
Rows = dict[str, tuple[str, frozenset[str]]]


@dataclass(frozen=True)
class File:
    """A file: valid rows (user → e-mail address or "", groups) and users whose only row is refused."""

    rows: Rows
    refused: frozenset[str] = frozenset()

    @property
    def body(self) -> bytes:
        lines = ["User ID,Email Address,Groups"]
        lines += [f'{user},{email},"{",".join(sorted(groups))}"' for user, (email, groups) in sorted(self.rows.items())]
        lines += [f"{user},x@example.com,staff,too,many" for user in sorted(self.refused - set(self.rows))]
        return ("\n".join(lines) + "\n").encode()


@dataclass
class Same:
    """Old key → new key, of users and of groups; a key is on one side at most, and has one other."""

    users: dict[str, str] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)

    def of(self, kind: str) -> dict[str, str]:
        return self.users if kind == "account" else self.groups

    def both(self, users: frozenset[str]) -> frozenset[str]:
        """Users under either spelling."""
        pairs = self.users.items()
        return users | {new for old, new in pairs if old in users} | {old for old, new in pairs if new in users}

    def renamed(self, rows: Rows) -> Rows:
        """Rows under the new keys; of two that become one, the row that had the new key gives the address."""
        found: Rows = {}
        for user, (email, groups) in sorted(rows.items(), key=lambda row: (row[0] in self.users, row[0])):
            new = self.users.get(user, user)
            first, before = found.get(new, (email, frozenset()))
            found[new] = (first, before | {self.groups.get(group, group) for group in groups})
        return found


@dataclass(frozen=True)
class State:
    """What is true: accounts with their addresses, grants, and accounts that refused rows name."""

    accounts: dict[str, str] = field(default_factory=dict)
    grants: Grants = frozenset()
    marks: frozenset[str] = frozenset()

    @property
    def entitlements(self) -> set[str]:
        return {group for _, group in self.grants}

    @property
    def rows(self) -> Rows:
        groups = {user: frozenset(group for name, group in self.grants if name == user) for user in self.accounts}
        return {user: (email, groups[user]) for user, email in self.accounts.items()}

    def says_the_same(self, other: State) -> bool:
        return (self.accounts, self.grants) == (other.accounts, other.grants)

    def read(self, file: File, same: Same) -> tuple[State, State]:
        """This state under the keys it keeps, and the state after a file: what refused rows name stays, and is
        marked, whether or not another row says the same account under its other key."""
        rows = same.renamed(file.rows)
        came = {group for _, groups in rows.values() for group in groups}
        now = self._called(_followed(same.users, rows, self.accounts), _followed(same.groups, came, self.entitlements))
        unsure = same.both(file.refused - set(file.rows))
        kept = {user: email for user, email in now.accounts.items() if user in unsure and user not in rows}
        accounts = {**kept, **{user: email for user, (email, _) in rows.items()}}
        grants = {(user, group) for user, (_, groups) in rows.items() for group in groups}
        stays = {one for one in now.grants if one[0] in unsure}
        return now, State(accounts, frozenset(grants | stays), frozenset(kept) | unsure & set(rows))

    def _called(self, users: dict[str, str], groups: dict[str, str]) -> State:
        accounts = {users.get(user, user): email for user, email in self.accounts.items()}
        grants = {(users.get(user, user), groups.get(group, group)) for user, group in self.grants}
        return State(accounts, frozenset(grants), frozenset(users.get(user, user) for user in self.marks))


@dataclass
class Model:
    """One import. `versions[0]` is version 1; `bodies` are the files that made them, None for rollbacks."""

    versions: list[State] = field(default_factory=list)
    bodies: list[bytes | None] = field(default_factory=list)
    ages: list[int] = field(default_factory=list)
    same: Same = field(default_factory=Same)
    held: tuple[State, bytes] | None = None
    restored: int | None = None
    kept_from: int = 1
    kept_days: int = 0

    def load(self, file: File) -> str:
        """Give a file; returns the run's state."""
        if not file.rows and not file.refused:
            return "failed"
        current = self.versions[-1] if self.versions else None
        now, new = (current or State()).read(file, self.same)
        if current is not None and new.says_the_same(current):
            self.held = None
            if new.marks == current.marks & set(new.accounts):
                return "unchanged"
            return self._publish(new, file.body)
        if current is not None and (guarded(now, new) or file.body in self.undone):
            self.held = (new, file.body)
            return "held"
        return self._publish(new, file.body)

    def approve(self) -> None:
        assert self.held is not None
        self._publish(*self.held)

    def roll_back(self, number: int) -> str:
        now = self.versions[-1]
        _, new = now.read(File(self.versions[number - 1].rows), self.same)
        if new.says_the_same(now) and not now.marks:
            return "unchanged"
        self._publish(new, None)
        self.restored = number
        return "published"

    def forget(self) -> None:
        """Apply retention: the version that was current at the limit is the oldest that is kept."""
        before = [number for number, age in enumerate(self.ages, start=1) if self.kept_days and age >= self.kept_days]
        self.kept_from = max([self.kept_from, *before[-1:]])

    @property
    def undone(self) -> list[bytes]:
        """The files that the standing rollback has undone."""
        if self.restored is None:
            return []
        return [body for body in self.bodies[self.restored : -1] if body is not None]

    def _publish(self, state: State, body: bytes | None) -> str:
        self.versions.append(state)
        self.bodies.append(body)
        self.ages.append(0)
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


def _followed(pairs: dict[str, str], came: Rows | set[str], there: dict[str, str] | set[str]) -> dict[str, str]:
    """The old keys that are there and go on under the new ones that came."""
    return {old: new for old, new in pairs.items() if new in came and old in there and new not in there}
