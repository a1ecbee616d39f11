"""c1z files, checked with a decoder of our own that shares nothing with the product's."""

from __future__ import annotations

import io
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
import zstandard

from grantline.errors import FileStructure, SourceTooLarge
from grantline.formats.c1z_read import read_c1z
from grantline.formats.c1z_write import Sync, sync_id, write_c1z
from grantline.formats.limits import Limits
from grantline.reading import read_records

AT = datetime(2026, 1, 7, 15, 30, tzinfo=UTC)
ALICE = {
    "id": "alice",
    "email": "alice@example.com",
    "username": "al",
    "display_name": "Alice A",
    "status": "enabled",
    "type": "service",
    "employee_id": "0042",
    "last_login_at": "2025-04-01T10:00:00.5Z",
    "created_at": "2020-01-01T00:00:00Z",
    "profile": {"team": "red", "city": "Ulm"},
}
BOB = {"id": "bob", "status": "disabled"}
READ = {"resource_type": "app", "resource": "billing", "entitlement": "read", "description": "May look"}
COLON = {"resource_type": "group", "resource": "a:b", "entitlement": "c"}
OTHER = {"resource_type": "group", "resource": "a", "entitlement": "b:c"}


def grant(account: str, entitlement: dict[str, Any]) -> dict[str, Any]:
    return {"account": account, **{key: entitlement[key] for key in ("resource_type", "resource", "entitlement")}}


def sync(name: str = "ver_1", accounts: Any = (ALICE, BOB), grants: Any = None, at: datetime = AT) -> Sync:
    given = [grant("alice", READ), grant("bob", READ), grant("bob", COLON)] if grants is None else grants
    return Sync(name, at, at, accounts, [READ, COLON, OTHER], given)


def decoded(data: bytes) -> dict[int, list[Any]]:
    """Field number → values, straight from the encoding's description."""
    stream, found = io.BytesIO(data), {}

    def varint() -> int:
        value = shift = 0
        while True:
            byte = stream.read(1)[0]
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while stream.tell() < len(data):
        tag = varint()
        assert tag & 7 in (0, 2), "nothing else is written"
        found.setdefault(tag >> 3, []).append(varint() if tag & 7 == 0 else stream.read(varint()))
    return found


def database(path: Path) -> sqlite3.Connection:
    packed = path.read_bytes()
    assert packed[:5] == b"C1ZF\0"
    parameters = zstandard.get_frame_parameters(packed[5:])
    assert parameters.has_checksum
    plain = zstandard.ZstdDecompressor().decompress(packed[5:])
    assert parameters.content_size == len(plain)
    con = sqlite3.connect(":memory:")
    con.deserialize(plain)
    return con


def packed_database(path: Path, statements: list[str]) -> Path:
    """A c1z file whose database is made by hand."""
    con = sqlite3.connect(":memory:")
    for statement in statements:
        con.execute(statement)
    con.commit()
    path.write_bytes(b"C1ZF\0" + zstandard.ZstdCompressor().compress(con.serialize()))
    return path


def old_schema(resource: str = "x''") -> list[str]:
    """What connectors of years ago wrote: no sync_type, no expansion."""
    common = "id integer primary key, external_id text, data blob, sync_id text, discovered_at datetime"
    return [
        f"CREATE TABLE v1_resource_types ({common})",
        f"CREATE TABLE v1_resources ({common}, resource_type_id text, parent_resource_type_id text,"
        " parent_resource_id text)",
        f"CREATE TABLE v1_entitlements ({common}, resource_type_id text, resource_id text)",
        f"CREATE TABLE v1_grants ({common}, resource_type_id text, resource_id text, entitlement_id text,"
        " principal_resource_type_id text, principal_resource_id text)",
        "CREATE TABLE v1_sync_runs (id integer primary key, sync_id text, started_at datetime, ended_at datetime,"
        " sync_token text)",
        "INSERT INTO v1_sync_runs VALUES (1, 'S1', '2026-01-01 10:00:00', '2026-01-01 10:00:01', ''),"
        " (2, 'S2', '2026-01-02 10:00:00', '2026-01-02 10:00:01.5', ''), (3, 'S3', '2026-01-03 10:00:00', NULL, '')",
        # ResourceType {id "user", traits [USER]}
        "INSERT INTO v1_resource_types VALUES (1, 'user', x'0a04757365721a0101', 'S2', '')",
        f"INSERT INTO v1_resources VALUES (1, 'user:u1', {resource}, 'S2', '', 'user', NULL, NULL),"
        " (2, 'group:g1', x'', 'S2', '', 'group', NULL, NULL), (3, 'user:old', x'', 'S1', '', 'user', NULL, NULL)",
        "INSERT INTO v1_entitlements VALUES (1, 'group:g1:member', x'', 'S2', '', 'group', 'g1')",
        "INSERT INTO v1_grants VALUES (1, 'x', x'', 'S2', '', 'group', 'g1', 'group:g1:member', 'user', 'u1'),"
        " (2, 'y', x'', 'S2', '', 'group', 'g1', 'group:g1:member', 'group', 'g1')",
    ]


def test_what_is_written_by_the_format_s_own_description(tmp_path: Path) -> None:
    write_c1z(tmp_path / "x.c1z", [sync()])
    con = database(tmp_path / "x.c1z")
    (data,) = con.execute("SELECT data FROM v1_resources WHERE external_id = 'user:alice'").fetchone()
    resource = decoded(data)
    assert decoded(resource[1][0]) == {1: [b"user"], 2: [b"alice"]}
    assert resource[3] == [b"Alice A"]
    annotation = decoded(resource[4][0])
    assert annotation[1] == [b"type.googleapis.com/c1.connector.v2.UserTrait"]
    trait = decoded(annotation[2][0])
    assert decoded(trait[1][0]) == {1: [b"alice@example.com"], 2: [1]}
    assert decoded(trait[2][0]) == {1: [1]}
    assert trait[5] == [2]
    assert trait[6] == [b"al"]
    assert decoded(trait[9][0]) == {1: [1743501600], 2: [500_000_000]}
    assert trait[13] == [b"0042"]
    names = [decoded(entry)[1][0] for entry in decoded(trait[3][0])[1]]
    assert names == [b"city", b"team"]
    row = con.execute(
        "SELECT data, resource_type_id, resource_id, entitlement_id, principal_resource_type_id, principal_resource_id"
        " FROM v1_grants WHERE external_id = 'app:billing:read:user:bob'"
    ).fetchone()
    assert row[1:] == ("app", "billing", "app:billing:read", "user", "bob")
    found = decoded(row[0])
    assert decoded(found[1][0])[2] == [b"app:billing:read"]
    assert decoded(decoded(found[2][0])[1][0]) == {1: [b"user"], 2: [b"bob"]}
    assert found[3] == [b"app:billing:read:user:bob"]
    (kinds,) = con.execute("SELECT data FROM v1_resource_types WHERE external_id = 'user'").fetchone()
    assert decoded(kinds)[3] == [b"\x01"]
    runs = con.execute("SELECT sync_id, ended_at, sync_type FROM v1_sync_runs").fetchall()
    assert runs == [(sync_id("ver_1", AT), "2026-01-07 15:30:00", "full")]
    assert len(runs[0][0]) == 27


def test_ids_with_colons_stay_apart(tmp_path: Path) -> None:
    write_c1z(tmp_path / "x.c1z", [sync()])
    ids = {row[0] for row in database(tmp_path / "x.c1z").execute("SELECT external_id FROM v1_entitlements")}
    assert ids == {"app:billing:read", "group:a%3Ab:c", "group:a:b:c"}


def test_the_same_records_give_the_same_bytes(tmp_path: Path) -> None:
    """So that the format's own comparison of two syncs shows what changed and nothing else."""
    write_c1z(tmp_path / "x.c1z", [sync("ver_1"), sync("ver_2", at=AT.replace(hour=16))])
    for table in ("v1_resources", "v1_entitlements", "v1_grants", "v1_resource_types"):
        rows = database(tmp_path / "x.c1z").execute(
            f"SELECT external_id, count(DISTINCT data), count(*) FROM {table} GROUP BY 1"
        )
        assert {row[1:] for row in rows} == {(1, 2)}
    write_c1z(tmp_path / "y.c1z", [sync("ver_1"), sync("ver_2", at=AT.replace(hour=16))])
    assert (tmp_path / "x.c1z").read_bytes() == (tmp_path / "y.c1z").read_bytes()
    assert not list(tmp_path.glob(".*"))


def read(path: Path, tmp_path: Path) -> tuple[Any, duckdb.DuckDBPyConnection]:
    con = duckdb.connect()
    return read_records(path, None, con, tmp_path), con


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    write_c1z(tmp_path / "x.c1z", [sync("ver_0", accounts=(BOB,), grants=(), at=AT.replace(year=2025)), sync()])
    reading, con = read(tmp_path / "x.c1z", tmp_path)
    records = reading.records
    assert (reading.table.format.type, reading.table.format.layout) == ("c1z", "c1z")
    assert records.issues == ()
    accounts = con.execute(f"SELECT * EXCLUDE (n) FROM {records.accounts} ORDER BY id").fetchall()
    names = [column[0] for column in con.description or ()]
    alice, bob = (dict(zip(names, row, strict=True)) for row in accounts)
    wanted = {key: value for key, value in ALICE.items() if key != "profile"}
    assert {key: alice[key] for key in wanted} == wanted
    assert alice["profile"] == '{"city":"Ulm","team":"red"}'
    assert (bob["id"], bob["status"], bob["email"]) == ("bob", "disabled", None)
    grants = con.execute(
        f"SELECT a.id, e.resource_type, e.resource, e.entitlement FROM {records.grants} g"
        f" JOIN {records.accounts} a ON a.n = g.account"
        f" JOIN {records.entitlements} e ON e.n = g.entitlement ORDER BY ALL"
    ).fetchall()
    assert grants == [
        ("alice", "app", "billing", "read"),
        ("bob", "app", "billing", "read"),
        ("bob", "group", "a:b", "c"),
    ]


def test_an_old_file_with_fewer_columns(tmp_path: Path) -> None:
    path = packed_database(tmp_path / "x.c1z", old_schema())
    reading, con = read(path, tmp_path)
    assert con.execute(f"SELECT id FROM {reading.records.accounts}").fetchall() == [("u1",)]
    assert con.execute(f"SELECT count(*) FROM {reading.records.grants}").fetchone() == (1,)
    assert any("group or another resource" in note for note in (*reading.table.notes, *reading.records.notes))
    assert reading.records.references.lists_accounts, "other imports may refer to its users"


def test_a_principal_that_is_not_there_is_reported(tmp_path: Path) -> None:
    write_c1z(tmp_path / "x.c1z", [sync(grants=[grant("alice", READ), grant("carol", READ)])])
    reading, _ = read(tmp_path / "x.c1z", tmp_path)
    assert [(issue.code, issue.value, issue.file) for issue in reading.records.issues] == [
        ("reference_unknown", "carol", "grants")
    ]


def test_version_3_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "x.c1z").write_bytes(b"C1Z3\0" + bytes(100))
    with pytest.raises(FileStructure) as caught:
        read(tmp_path / "x.c1z", tmp_path)
    assert "--storage-engine sqlite" in caught.value.remedy


HOSTILE = {
    "a view": ["DROP TABLE v1_grants", "CREATE VIEW v1_grants AS SELECT 1 AS id, 'S2' AS sync_id"],
    "a table is missing": ["DROP TABLE v1_entitlements"],
    "a column is missing": ["ALTER TABLE v1_grants DROP COLUMN entitlement_id"],
    "no finished sync": ["UPDATE v1_sync_runs SET ended_at = NULL"],
    "a text for a blob": ["UPDATE v1_resources SET data = 'text'"],
    "a field beyond its message": ["UPDATE v1_resources SET data = x'0affffffff0f'"],
    "an endless number": ["UPDATE v1_resources SET data = x'ffffffffffffffffffffffffffff'"],
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_malicious_file_is_refused(tmp_path: Path, name: str) -> None:
    path = packed_database(tmp_path / "x.c1z", [*old_schema(), *HOSTILE[name]])
    with pytest.raises(FileStructure):
        read(path, tmp_path)


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.c1z").write_bytes(b"C1ZF\0" + zstandard.compress(b"user_id,email\n" * 100))
    with pytest.raises(FileStructure):
        read(tmp_path / "x.c1z", tmp_path)


@pytest.mark.parametrize("cut", [5, 6, 40, -1, -200])
def test_a_file_cut_off_is_refused(tmp_path: Path, cut: int) -> None:
    write_c1z(tmp_path / "x.c1z", [sync()])
    (tmp_path / "x.c1z").write_bytes((tmp_path / "x.c1z").read_bytes()[:cut])
    with pytest.raises(FileStructure):
        read(tmp_path / "x.c1z", tmp_path)


def test_unpacking_is_limited(tmp_path: Path) -> None:
    packed = zstandard.ZstdCompressor().compress(bytes(32 * 1024 * 1024))
    (tmp_path / "x.c1z").write_bytes(b"C1ZF\0" + packed)
    with pytest.raises(SourceTooLarge, match="unpacked_bytes"):
        read_c1z(tmp_path / "x.c1z", Limits(unpacked_bytes=1024 * 1024), tmp_path)
    assert not list(tmp_path.glob("unpacked-*"))
