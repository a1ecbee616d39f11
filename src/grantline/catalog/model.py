"""The shapes that go into and come out of the catalog.

Owns `Incoming` (what a run brings), `Snapshot` (where a version's files are), `Counts`, `Changes` and
`Manifest`. A version is a folder of Parquet files that never changes once published; ids of accounts
and entitlements are integers that belong to one import and are never given twice. Ended rows are
closed intervals (`since`, `until`) in history folders. The catalog knows version *numbers*; which
moment a number was published at is the control plane's knowledge.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Kind = Literal["account", "entitlement", "grant"]


@dataclass(frozen=True)
class Incoming:
    """What one run brings, as tables of one DuckDB connection.

    The tables have the shapes that `grantline.mapping.records` describes; see there for columns.
    """

    accounts: str
    entitlements: str
    grants: str
    unconfirmed: str
    removals: str | None = None
    mode: Literal["full", "delta"] = "full"
    stated: frozenset[str] = frozenset()
    account_aliases: str | None = None
    entitlement_aliases: str | None = None
    """Tables of old and new keys (`catalog.aliases`); None: no key was declared the same as another."""


@dataclass(frozen=True)
class Snapshot:
    """One published version of one import: its number (from 1), the folder of its current rows, and
    the history folders of all versions up to it that ended rows, oldest first."""

    number: int
    folder: Path
    history: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Counts:
    """How many are current."""

    accounts: int = 0
    resources: int = 0
    entitlements: int = 0
    grants: int = 0


@dataclass(frozen=True)
class KindChanges:
    """How many of one kind came, went and changed their attributes."""

    added: int = 0
    removed: int = 0
    changed: int = 0


@dataclass(frozen=True)
class Changes:
    """What a run changes, per kind."""

    accounts: KindChanges = field(default_factory=KindChanges)
    entitlements: KindChanges = field(default_factory=KindChanges)
    grants: KindChanges = field(default_factory=KindChanges)

    @property
    def any(self) -> bool:
        """Whether anything changed."""
        return any(
            kind.added or kind.removed or kind.changed for kind in (self.accounts, self.entitlements, self.grants)
        )


@dataclass(frozen=True)
class Manifest:
    """What is in a version's folder; written beside the files as `manifest.json`."""

    number: int
    counts: Counts
    changes: Changes
    next_account: int
    next_entitlement: int
    files: dict[str, int]
    """File name → size in bytes."""
    history_files: dict[str, int] = field(default_factory=dict)
    """The same for the history folder of the version; empty where no row ended."""

    @property
    def has_history(self) -> bool:
        """Whether the version ended rows, so that its history folder exists."""
        return bool(self.history_files)

    @property
    def size_bytes(self) -> int:
        """What the version takes on disk, with its history."""
        return sum(self.files.values()) + sum(self.history_files.values())
