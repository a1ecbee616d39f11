"""Imports for the catalog's tests: what came, as tables, from plain Python values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import pytest

from grantline.catalog.columns import ACCOUNT_FIELDS, ENTITLEMENT_FIELDS, ENTITLEMENT_KEY, GRANT_FIELDS
from grantline.catalog.connection import connect
from grantline.catalog.diff import Diff, diff
from grantline.catalog.lake import ImportFolder
from grantline.catalog.model import Incoming, Manifest, Snapshot
from grantline.catalog.write import write

ALL_STATED = frozenset(
    [f"account.{name}" for name in ACCOUNT_FIELDS]
    + [f"entitlement.{name}" for name in ENTITLEMENT_FIELDS]
    + [f"grant.{name}" for name in GRANT_FIELDS]
)

Key = tuple[str | None, str | None, str]
"""An entitlement's identity: resource type, resource, entitlement."""

_names = count(1)


@pytest.fixture
def con(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = connect(memory_limit_mb=512, threads=2, temp_dir=tmp_path / "spill")
    yield connection
    connection.close()


@pytest.fixture
def place(tmp_path: Path) -> ImportFolder:
    return ImportFolder(tmp_path / "lake", "org_1", "imp_1")


class Feed:
    """One import whose versions are published one after another, as the control plane would do it."""

    def __init__(self, con: duckdb.DuckDBPyConnection, place: ImportFolder) -> None:
        self.con, self.place = con, place
        self.snapshot: Snapshot | None = None
        self.manifest: Manifest | None = None
        self.history: list[str] = []

    @property
    def current(self) -> Snapshot:
        assert self.snapshot is not None
        return self.snapshot

    def compare(self, incoming: Incoming) -> Diff:
        number = self.snapshot.number + 1 if self.snapshot else 1
        return diff(self.con, incoming, self.snapshot, number)

    def publish(self, incoming: Incoming) -> Diff:
        found = self.compare(incoming)
        self.manifest = write(self.con, found, self.place, f"ver_{found.number}")
        if self.manifest.has_history:
            self.history.append(f"ver_{found.number}")
        self.snapshot = self.place.snapshot(found.number, f"ver_{found.number}", self.history)
        return found

    def load(self, *args: Any, **kwargs: Any) -> Diff:
        """Publish what `came` makes of the same arguments."""
        return self.publish(came(self.con, *args, **kwargs))


@pytest.fixture
def feed(con: duckdb.DuckDBPyConnection, place: ImportFolder) -> Feed:
    return Feed(con, place)


@pytest.fixture
def new_feed(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> Callable[[str], Feed]:
    return lambda name: Feed(con, ImportFolder(tmp_path / "lake", "org_1", name))


def came(
    con: duckdb.DuckDBPyConnection,
    accounts: Mapping[str, Mapping[str, str | None]] | Iterable[str] = (),
    grants: Mapping[tuple[str, Key], Mapping[str, str | None]] | Iterable[tuple[str, Key]] = (),
    entitlements: Mapping[Key, Mapping[str, str | None]] | Iterable[Key] = (),
    *,
    unconfirmed: Iterable[str] = (),
    removals: Iterable[tuple[str, Key | None]] | None = None,
    mode: str = "full",
    stated: frozenset[str] = ALL_STATED,
) -> Incoming:
    """What came, as `mapping` would make it. Accounts and entitlements that only a grant or a removal
    names are added to the dictionaries."""
    account_rows, entitlement_rows, grant_rows = _mapping(accounts), _mapping(entitlements), _mapping(grants)
    named = [*grant_rows, *(removals or ())]
    for account, key in named:
        account_rows.setdefault(account, {})
        if key is not None:
            entitlement_rows.setdefault(key, {})
    account_n = {name: n for n, name in enumerate(account_rows)}
    entitlement_n = {name: n for n, name in enumerate(entitlement_rows)}
    tag = f"came{next(_names)}"
    _table(
        con,
        f"{tag}_accounts",
        ("n UINTEGER", "id VARCHAR", *(f"{name} VARCHAR" for name in ACCOUNT_FIELDS)),
        [(account_n[k], k, *(row.get(name) for name in ACCOUNT_FIELDS)) for k, row in account_rows.items()],
    )
    _table(
        con,
        f"{tag}_entitlements",
        ("n UINTEGER", *(f"{name} VARCHAR" for name in (*ENTITLEMENT_KEY, *ENTITLEMENT_FIELDS))),
        [
            (entitlement_n[key], *key, *(row.get(name) for name in ENTITLEMENT_FIELDS))
            for key, row in entitlement_rows.items()
        ],
    )
    _table(
        con,
        f"{tag}_grants",
        ("account UINTEGER", "entitlement UINTEGER", "granted_at VARCHAR", "expires_at VARCHAR"),
        [
            (account_n[a], entitlement_n[e], row.get("granted_at"), row.get("expires_at"))
            for (a, e), row in grant_rows.items()
        ],
    )
    _table(con, f"{tag}_unconfirmed", ("id VARCHAR",), [(name,) for name in unconfirmed])
    if removals is not None:
        _table(
            con,
            f"{tag}_removals",
            ("account UINTEGER", "entitlement UINTEGER"),
            [(account_n[a], None if e is None else entitlement_n[e]) for a, e in removals],
        )
    return Incoming(
        f"{tag}_accounts",
        f"{tag}_entitlements",
        f"{tag}_grants",
        f"{tag}_unconfirmed",
        f"{tag}_removals" if removals is not None else None,
        mode,  # type: ignore[arg-type]
        stated,
    )


@pytest.fixture(name="came")
def came_fixture() -> Callable[..., Incoming]:
    return came


def _mapping(values: Any) -> dict[Any, Mapping[str, str | None]]:
    return dict(values) if isinstance(values, Mapping) else {value: {} for value in values}


def _table(con: duckdb.DuckDBPyConnection, name: str, columns: Iterable[str], rows: list[tuple[Any, ...]]) -> None:
    columns = tuple(columns)
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} ({', '.join(columns)})")
    if rows:
        marks = ", ".join("?" for _ in columns)
        con.executemany(f"INSERT INTO {name} VALUES ({marks})", rows)
