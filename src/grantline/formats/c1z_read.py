"""c1z files (version 1) to three tables: accounts, entitlements, grants.

In: a c1z file. Out: three CSV files in `scratch` whose headers are our targets, and notes. A c1z is five
bytes of magic, then one zstd frame of an SQLite database that holds the result of a connector's syncs;
the newest finished full sync is read. Files of old connectors lack tables and columns; they are read
too. The database is hostile input: bytes are counted while they are unpacked, it is opened read-only
without any of its own code (views, virtual tables, generated columns), and a clock stops long queries.
Grants to groups are left out: the connector's own sync has given each member theirs.
"""

from __future__ import annotations

import csv
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from grantline.errors import FileEmpty, FileStructure
from grantline.formats.limits import Limits
from grantline.formats.unpack import unpack_stream
from grantline.formats.wire import (
    Fields,
    WireFault,
    fields,
    integer,
    integers,
    message,
    messages,
    moment,
    octets,
    struct_of,
    text,
    texts,
)

MAGIC = b"C1ZF\x00"
MAGIC_3 = b"C1Z3\x00"
USER_TRAIT = 1
STATUSES = {1: "enabled", 2: "disabled", 3: "deleted"}
TYPES = {1: "person", 2: "service", 3: "system"}
BLOB_BYTES = 16 * 1024 * 1024
"""Largest value that is read; a resource has a few kB."""

ACCOUNT_COLUMNS = (
    *("id", "email", "username", "display_name", "status", "type", "employee_id", "last_login_at", "created_at"),
)
ENTITLEMENT_COLUMNS = ("resource_type", "resource", "entitlement", "display_name", "slug", "description")
GRANT_COLUMNS = ("account", "resource_type", "resource", "entitlement")
PROFILE_KEYS = 200
"""Attributes of accounts that are taken; the rest is left out with a note."""

NEEDED = ("v1_resource_types", "v1_resources", "v1_entitlements", "v1_grants", "v1_sync_runs")


@dataclass(frozen=True)
class C1zTables:
    """Paths of the three CSV files (UTF-8, header with our names), the profile's keys, and notes."""

    accounts: Path
    entitlements: Path
    grants: Path
    profile_keys: tuple[str, ...]
    notes: tuple[str, ...]


def read_c1z(path: Path, limits: Limits, scratch: Path) -> C1zTables:
    """The tables of the newest finished full sync.

    Raises: `FileStructure` (another version, damaged, no finished sync), `FileEmpty`, `SourceTooLarge`.
    """
    with path.open("rb") as file:
        magic = file.read(5)
    if magic == MAGIC_3:
        raise FileStructure(
            "This is a c1z file of version 3, which only its own tools read.",
            remedy="Run the connector again with --storage-engine sqlite, which writes version 1.",
        )
    if magic != MAGIC:
        raise FileStructure("This is a c1z file of an unknown version.", remedy="Write version 1 (C1ZF).")
    database = unpack_stream(path, "zstd", limits, scratch, skip=len(MAGIC))
    try:
        with closing(_opened(database, limits)) as con:
            return _Sync(con, scratch, limits).tables()
    except (sqlite3.Error, WireFault, OverflowError) as error:
        if "interrupted" in str(error):
            raise limits.too_large("seconds", "Reading the c1z file was stopped") from error
        raise FileStructure(f"The c1z file is damaged: {error}.") from error
    finally:
        database.unlink(missing_ok=True)


def _opened(database: Path, limits: Limits) -> sqlite3.Connection:
    if not database.stat().st_size:
        raise FileEmpty("The c1z file holds an empty database.")
    con = sqlite3.connect(f"file:{database}?mode=ro&immutable=1", uri=True)
    con.text_factory = lambda value: value.decode("utf-8", "replace")
    for pragma in ("trusted_schema=OFF", "cell_size_check=ON", "mmap_size=0", "query_only=ON"):
        con.execute(f"PRAGMA {pragma}")
    con.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, BLOB_BYTES)
    con.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    deadline = time.monotonic() + limits.seconds
    con.set_progress_handler(lambda: time.monotonic() > deadline, 100_000)
    return con


@dataclass
class _Sync:
    """Reads one sync of an open database."""

    con: sqlite3.Connection
    scratch: Path
    limits: Limits
    notes: list[str] = field(default_factory=list)
    resources: dict[str, tuple[str, str]] = field(default_factory=dict)
    """External id of a resource that is no account → its type and id."""
    accounts: dict[str, str] = field(default_factory=dict)
    """External id of an account's resource → the account's id."""

    def tables(self) -> C1zTables:
        self._refuse_code()
        sync_id = self._newest()
        user_types = self._user_types(sync_id)
        keys, accounts = self._write_accounts(sync_id, user_types)
        entitlements, identities = self._write_entitlements(sync_id)
        grants = self._write_grants(sync_id, identities)
        return C1zTables(accounts, entitlements, grants, keys, tuple(self.notes))

    def _refuse_code(self) -> None:
        """Raises: `FileStructure` where a name that is read is no plain table."""
        found = {
            name: (kind, sql or "")
            for kind, name, sql in self.con.execute(
                "SELECT type, name, sql FROM sqlite_master WHERE name LIKE 'v1#_%' ESCAPE '#'"
            )
            if kind in ("table", "view")
        }
        for name in NEEDED:
            kind, sql = found.get(name, ("", ""))
            if not kind:
                raise FileStructure(f"The c1z file has no table {name}; it is not complete.")
            plain = " ".join(sql.lower().split())
            if kind != "table" or "virtual table" in plain or "generated always" in plain or " as (" in plain:
                raise FileStructure(f"{name} in the c1z file is no plain table.")

    def _columns(self, table: str) -> set[str]:
        return {row[1] for row in self.con.execute(f"PRAGMA table_info({table})")}

    def _newest(self) -> str:
        full = " AND sync_type = 'full'" if "sync_type" in self._columns("v1_sync_runs") else ""
        rows = self.con.execute(
            f"SELECT sync_id, ended_at FROM v1_sync_runs WHERE ended_at IS NOT NULL{full}"
            " ORDER BY ended_at DESC, sync_id DESC LIMIT 1"
        ).fetchall()
        if not rows:
            raise FileStructure(
                "The c1z file holds no finished full sync.",
                remedy="Wait until the connector's sync has finished, or run it again.",
            )
        self.notes.append(f"The newest finished full sync was read: {rows[0][0]}, of {str(rows[0][1])[:19]}.")
        return str(rows[0][0])

    def _rows(self, sync_id: str, table: str, columns: str) -> Iterator[tuple[Any, ...]]:
        cursor = self.con.execute(f"SELECT {columns} FROM {table} WHERE sync_id = ? ORDER BY id", [sync_id])
        for count, row in enumerate(cursor):
            if count >= self.limits.rows:
                raise self.limits.too_large("rows", f"The table {table} has more than {self.limits.rows:,} records")
            yield row

    def _user_types(self, sync_id: str) -> set[str]:
        found = set()
        for external_id, data in self._rows(sync_id, "v1_resource_types", "external_id, data"):
            if USER_TRAIT in integers(fields(_blob(data)), 3):
                found.add(str(external_id))
        return found

    def _write_accounts(self, sync_id: str, user_types: set[str]) -> tuple[tuple[str, ...], Path]:
        """Two passes over the users: profiles name their keys as they like."""
        single = len(user_types) < 2
        keys: dict[str, None] = {}
        for external_id, kind, data in self._rows(sync_id, "v1_resources", "external_id, resource_type_id, data"):
            own = str(external_id).removeprefix(f"{kind}:")
            if kind not in user_types:
                self.resources[str(external_id)] = (str(kind), own)
                continue
            self.accounts[str(external_id)] = own if single else str(external_id)
            for key in _profile(_traits(fields(_blob(data)))):
                keys.setdefault(key)
        names = tuple(keys)[:PROFILE_KEYS]
        if len(keys) > PROFILE_KEYS:
            self.notes.append(f"Accounts have {len(keys):,} attributes; the first {PROFILE_KEYS} are taken.")
        path = self.scratch / f"c1z-accounts-{uuid4().hex}.csv"
        with _writer(path, (*ACCOUNT_COLUMNS, *(f"profile.{name}" for name in names))) as write:
            for external_id, kind, data in self._rows(sync_id, "v1_resources", "external_id, resource_type_id, data"):
                if kind in user_types:
                    write(_account(self.accounts[str(external_id)], fields(_blob(data)), names))
        return names, path

    def _write_entitlements(self, sync_id: str) -> tuple[Path, dict[str, tuple[str, str, str]]]:
        path = self.scratch / f"c1z-entitlements-{uuid4().hex}.csv"
        identities: dict[str, tuple[str, str, str]] = {}
        with _writer(path, ENTITLEMENT_COLUMNS) as write:
            columns = "external_id, resource_type_id, resource_id, data"
            for external_id, kind, resource, data in self._rows(sync_id, "v1_entitlements", columns):
                found = fields(_blob(data))
                name = str(external_id).removeprefix(f"{kind}:{resource}:") or str(external_id)
                slug = text(found, 8)
                identity = (str(kind), str(resource), slug or name if external_id == name else name)
                identities[str(external_id)] = identity
                write((*identity, text(found, 3), slug, text(found, 4)))
        return path, identities

    def _write_grants(self, sync_id: str, identities: dict[str, tuple[str, str, str]]) -> Path:
        path = self.scratch / f"c1z-grants-{uuid4().hex}.csv"
        nested = 0
        with _writer(path, GRANT_COLUMNS) as write:
            columns = "entitlement_id, principal_resource_type_id, principal_resource_id, resource_type_id, resource_id"
            for entitlement, kind, principal, resource_type, resource in self._rows(sync_id, "v1_grants", columns):
                holder = f"{kind}:{principal}"
                if holder in self.resources:
                    nested += 1
                    continue
                # An unknown principal or entitlement is not dropped here: it is reported as a reference to nothing.
                identity = identities.get(str(entitlement)) or (str(resource_type), str(resource), str(entitlement))
                write((self.accounts.get(holder, str(principal)), *identity))
        if nested:
            self.notes.append(
                f"Grants whose holder is a group or another resource, left out: {nested:,};"
                " the sync gives their members the same access one by one."
            )
        return path


class _writer:
    """A CSV file with a header, as a context manager that gives the function to write a row."""

    def __init__(self, path: Path, columns: tuple[str, ...]) -> None:
        self.path, self.columns = path, columns

    def __enter__(self) -> Any:
        self.file = self.path.open("w", encoding="utf-8", newline="", errors="replace")
        write = csv.writer(self.file, quoting=csv.QUOTE_ALL, lineterminator="\n").writerow
        write(self.columns)
        return write

    def __exit__(self, *exception: object) -> None:
        self.file.close()


def _blob(data: Any) -> bytes:
    if not isinstance(data, bytes):
        raise WireFault("a record's data is no blob")
    return data


def _traits(resource: Fields) -> tuple[Fields, Fields]:
    """The resource, and its user trait."""
    for annotation in messages(resource, 4):
        if text(annotation, 1).endswith(".UserTrait"):
            return resource, fields(octets(annotation, 2))
    return resource, {}


def _profile(both: tuple[Fields, Fields]) -> dict[str, Any]:
    resource, trait = both
    found = struct_of(message(resource, 9)) | struct_of(message(trait, 3))
    return {
        key: value for key, value in found.items() if key and not isinstance(value, (dict, list)) and "\0" not in key
    }


def _account(account_id: str, resource: Fields, names: tuple[str, ...]) -> tuple[str, ...]:
    resource, trait = _traits(resource)
    emails = messages(trait, 1)
    primary = next((mail for mail in emails if integer(mail, 2)), emails[0] if emails else {})
    status = integer(message(trait, 2), 1) or integer(message(resource, 11), 1)
    profile = _profile((resource, trait))
    return (
        account_id,
        text(primary, 1),
        text(trait, 6),
        text(resource, 3),
        STATUSES.get(status, ""),
        TYPES.get(integer(trait, 5), ""),
        next(iter(texts(trait, 13)), ""),
        moment(trait, 9) or "",
        moment(trait, 8) or moment(resource, 12) or "",
        *(_plain(profile.get(name)) for name in names),
    )


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value)
