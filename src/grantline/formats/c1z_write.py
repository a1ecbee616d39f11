"""Writes a c1z file (version 1): accounts, entitlements and grants for the tools that read that format.

In: one or more `Sync`s, oldest first, whose records have the shape of our exports. Out: the file. The
same records always give the same bytes in the database's rows, so that tools which compare two syncs of
one file by their bytes see what changed and nothing else. Accounts are resources of the type `user`;
each resource type of the entitlements is one of theirs. Colons separate the parts of ids there, so one
inside a part is written `%3A`.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import zstandard

from grantline.formats.c1z_read import MAGIC
from grantline.formats.wire import (
    any_field,
    bytes_field,
    moment_field,
    number_field,
    packed_field,
    struct_field,
    text_field,
)

Record = Mapping[str, Any]

KSUID_EPOCH = 1_400_000_000
BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
TRAITS = {"user": 1, "group": 2, "role": 3, "app": 4, "application": 4, "secret": 5}
USER_TRAIT = 1
STATUSES = {"enabled": 1, "disabled": 2, "deleted": 3}
TYPES = {"person": 1, "service": 2, "system": 3}
ASSIGNMENT = 1
BATCH = 10_000

COMMON = (
    "id integer primary key, external_id text not null, data blob not null, sync_id text not null,"
    " discovered_at datetime not null"
)
TABLES = (
    f"CREATE TABLE v1_resource_types ({COMMON})",
    f"CREATE TABLE v1_resources ({COMMON}, resource_type_id text not null, parent_resource_type_id text,"
    " parent_resource_id text)",
    f"CREATE TABLE v1_entitlements ({COMMON}, resource_type_id text not null, resource_id text not null)",
    f"CREATE TABLE v1_grants ({COMMON}, resource_type_id text not null, resource_id text not null,"
    " entitlement_id text not null, principal_resource_type_id text not null, principal_resource_id text not null,"
    " expansion blob, needs_expansion integer not null default 0)",
    f"CREATE TABLE v1_assets ({COMMON}, content_type text not null)",
    "CREATE TABLE v1_sync_runs (id integer primary key, sync_id text not null, started_at datetime not null,"
    " ended_at datetime, sync_token text not null, sync_type text not null default 'full',"
    " parent_sync_id text not null default '')",
)
INDEXES = (
    "CREATE UNIQUE INDEX idx_resource_types_external_sync_v1 ON v1_resource_types (external_id, sync_id)",
    "CREATE INDEX idx_resources_resource_type_id_v1 ON v1_resources (resource_type_id)",
    # The format's own tools have the names of the next two the wrong way round; they look for them so.
    "CREATE INDEX idx_resources_external_sync_v1 ON v1_resources (parent_resource_type_id, parent_resource_id)",
    "CREATE UNIQUE INDEX idx_resources_parent_resource_id_v1 ON v1_resources (external_id, sync_id)",
    "CREATE INDEX idx_entitlements_resource_id_v1 ON v1_entitlements (resource_type_id, resource_id)",
    "CREATE UNIQUE INDEX idx_entitlements_external_sync_v1 ON v1_entitlements (external_id, sync_id)",
    "CREATE INDEX idx_grants_resource_type_id_resource_id_v1 ON v1_grants (resource_type_id, resource_id)",
    "CREATE INDEX idx_grants_principal_id_v1 ON v1_grants (principal_resource_type_id, principal_resource_id)",
    "CREATE INDEX idx_grants_entitlement_id_principal_id_v1 ON v1_grants"
    " (entitlement_id, principal_resource_type_id, principal_resource_id)",
    "CREATE UNIQUE INDEX idx_grants_external_sync_v1 ON v1_grants (external_id, sync_id)",
    "CREATE INDEX idx_grants_entitlement_sync_grant_v1 ON v1_grants (entitlement_id, sync_id, id)",
    "CREATE UNIQUE INDEX idx_assets_external_sync_v1 ON v1_assets (external_id, sync_id)",
    "CREATE UNIQUE INDEX idx_sync_runs_sync_id_v1 ON v1_sync_runs (sync_id)",
)


@dataclass(frozen=True)
class Sync:
    """One state of an application. `name` tells it from every other (`ver_…`); moments are aware.

    Records: accounts `id`, the attributes of an account and `profile` (a mapping); entitlements
    `resource_type`, `resource`, `entitlement`, `display_name`, `slug`, `description`; grants `account` and
    the three parts of the entitlement. Each may be any iterable; it is read once.
    """

    name: str
    started_at: datetime
    ended_at: datetime
    accounts: Iterable[Record]
    entitlements: Iterable[Record]
    grants: Iterable[Record]


def write_c1z(target: Path, syncs: Sequence[Sync]) -> None:
    """Writes `target`; a database lies beside it while it works. A grant must name a known account."""
    database = target.with_name(f".{target.name}.database")
    database.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(database, isolation_level=None)) as con:
            con.execute("PRAGMA journal_mode=OFF")
            con.execute("PRAGMA synchronous=OFF")
            con.execute("BEGIN")
            for statement in TABLES:
                con.execute(statement)
            for sync in syncs:
                _Writer(con, sync).write()
            for statement in INDEXES:
                con.execute(statement)
            con.execute("COMMIT")
        with database.open("rb") as reader, target.open("wb") as writer:
            writer.write(MAGIC)
            compressor = zstandard.ZstdCompressor(level=1, write_checksum=True, write_content_size=True)
            compressor.copy_stream(reader, writer, size=database.stat().st_size)
    finally:
        database.unlink(missing_ok=True)


def sync_id(name: str, started_at: datetime) -> str:
    """A KSUID: 27 signs, sorted by time; its random part comes from the name, so that it is always the same."""
    seconds = max(0, int(started_at.timestamp()) - KSUID_EPOCH)
    number = int.from_bytes(seconds.to_bytes(4, "big") + hashlib.sha256(name.encode()).digest()[:16], "big")
    signs = ""
    for _ in range(27):
        number, rest = divmod(number, 62)
        signs = BASE62[rest] + signs
    return signs


def escaped(part: str) -> str:
    """A part of an id without colons."""
    return part.replace("%", "%25").replace(":", "%3A")


class _Writer:
    """Writes the records of one sync."""

    def __init__(self, con: sqlite3.Connection, sync: Sync) -> None:
        self.con, self.sync = con, sync
        self.sync_id = sync_id(sync.name, sync.started_at)
        self.at = _wall_clock(sync.ended_at)

    def write(self) -> None:
        sync = self.sync
        entitlements = [dict(record) for record in sync.entitlements]
        types = list(dict.fromkeys(str(record["resource_type"]) for record in entitlements))
        self.user_type = "user" if "user" not in types else "account"
        self._resource_types(types)
        self._accounts(sync.accounts)
        self._entitlements(entitlements)
        self._grants(sync.grants)
        row = (self.sync_id, _wall_clock(sync.started_at), self.at, "", "full", "")
        self.con.execute(
            "INSERT INTO v1_sync_runs (sync_id, started_at, ended_at, sync_token, sync_type, parent_sync_id)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            row,
        )

    def _insert(self, table: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
        names = ("external_id", "data", "sync_id", "discovered_at", *columns)
        marks = ", ".join("?" * len(names))
        self.con.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", rows)

    def _resource_types(self, types: Sequence[str]) -> None:
        named = [(self.user_type, [USER_TRAIT])]
        named += [
            (name, [TRAITS[name.lower()]] if name.lower() in TRAITS and name.lower() != "user" else [])
            for name in types
        ]
        self._insert(
            "v1_resource_types",
            (),
            (
                (
                    name,
                    text_field(1, name) + text_field(2, _title(name)) + packed_field(3, traits),
                    self.sync_id,
                    self.at,
                )
                for name, traits in named
            ),
        )

    def _accounts(self, accounts: Iterable[Record]) -> None:
        rows = (
            (
                f"{escaped(self.user_type)}:{record['id']}",
                _account(self.user_type, record),
                self.sync_id,
                self.at,
                self.user_type,
            )
            for record in accounts
        )
        self._insert("v1_resources", ("resource_type_id",), rows)

    def _entitlements(self, entitlements: Sequence[Record]) -> None:
        self.resources: dict[tuple[str, str], bytes] = {}
        for record in entitlements:
            key = (str(record["resource_type"]), str(record["resource"]))
            self.resources.setdefault(key, _resource(*key))
        self._insert(
            "v1_resources",
            ("resource_type_id",),
            (
                (f"{escaped(kind)}:{name}", data, self.sync_id, self.at, kind)
                for (kind, name), data in self.resources.items()
            ),
        )
        self._insert(
            "v1_entitlements",
            ("resource_type_id", "resource_id"),
            (
                (
                    entitlement_id(record),
                    self._entitlement(record),
                    self.sync_id,
                    self.at,
                    record["resource_type"],
                    record["resource"],
                )
                for record in entitlements
            ),
        )

    def _entitlement(self, record: Record) -> bytes:
        return (
            bytes_field(1, self.resources[(str(record["resource_type"]), str(record["resource"]))])
            + text_field(2, entitlement_id(record))
            + text_field(3, record.get("display_name") or record["entitlement"])
            + text_field(4, record.get("description"))
            + text_field(5, None)
            + number_field(7, ASSIGNMENT)
            + text_field(8, record.get("slug") or record["entitlement"])
        )

    def _grants(self, grants: Iterable[Record]) -> None:
        known: dict[tuple[str, str, str], tuple[str, bytes]] = {}
        principals: dict[str, bytes] = {}

        def row(record: Record) -> tuple[Any, ...]:
            kind, resource, name = str(record["resource_type"]), str(record["resource"]), str(record["entitlement"])
            entitlement = known.get((kind, resource, name))
            if entitlement is None:
                own = entitlement_id(record)
                short = bytes_field(1, self.resources[(kind, resource)]) + text_field(2, own)
                entitlement = known[(kind, resource, name)] = (own, bytes_field(1, short))
            account = str(record["account"])
            principal = principals.get(account)
            if principal is None:
                identity = bytes_field(1, _resource_id(self.user_type, account))
                principal = principals[account] = bytes_field(2, identity)
            own, data = entitlement
            grant_id = f"{own}:{escaped(self.user_type)}:{account}"
            data += principal + text_field(3, grant_id)
            return grant_id, data, self.sync_id, self.at, kind, resource, own, self.user_type, account

        columns = (
            "resource_type_id",
            "resource_id",
            "entitlement_id",
            "principal_resource_type_id",
            "principal_resource_id",
        )
        self._insert("v1_grants", columns, map(row, grants))


def entitlement_id(record: Record) -> str:
    """`type:resource:entitlement`."""
    return f"{escaped(str(record['resource_type']))}:{escaped(str(record['resource']))}:{record['entitlement']}"


def _resource_id(kind: str, name: str) -> bytes:
    return text_field(1, kind) + text_field(2, name)


def _resource(kind: str, name: str) -> bytes:
    return bytes_field(1, _resource_id(kind, name)) + text_field(3, name)


def _account(kind: str, record: Record) -> bytes:
    profile = {key: str(value) for key, value in (record.get("profile") or {}).items() if value is not None}
    for key in ("first_name", "last_name", "manager_id", "owner_email"):
        if record.get(key):
            profile.setdefault(key, str(record[key]))
    email = text_field(1, record.get("email"))
    status = number_field(1, STATUSES.get(str(record.get("status")), 0))
    trait = (
        (bytes_field(1, email + number_field(2, 1)) if email else b"")
        + (bytes_field(2, status) if status else b"")
        + struct_field(3, profile)
        + number_field(5, TYPES.get(str(record.get("type")), 0))
        + text_field(6, record.get("username"))
        + moment_field(8, record.get("created_at"))
        + moment_field(9, record.get("last_login_at"))
        + text_field(13, record.get("employee_id"))
    )
    return (
        bytes_field(1, _resource_id(kind, str(record["id"])))
        + text_field(3, record.get("display_name") or record.get("username") or str(record["id"]))
        + any_field(4, "UserTrait", trait)
    )


def _title(name: str) -> str:
    return name.replace("_", " ").strip().capitalize() or name


def _wall_clock(moment: datetime) -> str:
    """`2026-01-07 15:30:00.5`, without a zone, as the format has it; we write UTC."""
    local = moment.astimezone(UTC)
    fraction = f".{local.microsecond:06}".rstrip("0") if local.microsecond else ""
    return local.strftime("%Y-%m-%d %H:%M:%S") + fraction
