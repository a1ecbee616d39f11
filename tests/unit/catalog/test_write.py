"""Writing a version: what is on disk, in which order, and what is not there after a fault."""

from __future__ import annotations

import subprocess
import sys

import pytest

from grantline.catalog import write as write_module
from grantline.catalog.columns import ACCOUNT, GRANT
from grantline.catalog.lookups import grants
from grantline.catalog.manifest import read_manifest
from grantline.catalog.model import Incoming
from grantline.catalog.write import write
from grantline.errors import Conflict, LakeUnavailable

READ = ("role", "ledger", "read")
WRITE = ("role", "ledger", "write")


def test_write_makes_the_files_and_a_manifest_that_reads_back(feed):
    feed.load(["U1"], [("U1", READ)])
    assert sorted(path.name for path in feed.current.folder.iterdir()) == [
        "accounts.parquet",
        "entitlements.parquet",
        "grants.parquet",
        "manifest.json",
    ]
    assert read_manifest(feed.current.folder) == feed.manifest
    assert feed.manifest.size_bytes > 0


def test_write_puts_ended_rows_into_history_of_the_kinds_that_have_some(feed):
    feed.load(["U1", "U2"], [("U1", READ), ("U2", READ)])
    feed.load(["U1", "U2"], [("U1", READ)])
    folder = feed.place.history("ver_2")
    assert [path.name for path in folder.iterdir()] == ["ended_grants.parquet"]
    assert feed.manifest.history_files == {"ended_grants.parquet": (folder / "ended_grants.parquet").stat().st_size}
    row = feed.con.execute(f"SELECT since, until FROM '{folder}/ended_grants.parquet'").fetchall()
    assert row == [(1, 2)]


def test_write_takes_over_the_files_of_kinds_that_did_not_change(feed):
    feed.load({"U1": {}}, [("U1", READ)])
    before = feed.current.folder
    feed.load({"U1": {"email": "one@example.com"}}, [("U1", READ)])
    after = feed.current.folder
    assert (before / GRANT.file).samefile(after / GRANT.file)
    assert not (before / ACCOUNT.file).samefile(after / ACCOUNT.file)


def test_write_sorts_grants_and_cuts_them_into_row_groups(con, place, monkeypatch):
    from grantline.catalog.diff import diff

    monkeypatch.setattr(write_module, "SECOND_ORDER_ABOVE", 100_000)
    write(con, diff(con, _large(con, 200_000), None, 1), place, "ver_1")
    for file, order in (("grants", "account, entitlement"), ("grants_by_entitlement", "entitlement, account")):
        path = place.version("ver_1") / f"{file}.parquet"
        out_of_order = con.execute(
            f"SELECT count(*) FROM (SELECT ({order}) < lag(({order})) OVER (ORDER BY file_row_number) AS bad "
            f"FROM read_parquet('{path}', file_row_number = true)) WHERE bad"
        ).fetchone()
        groups = con.execute(f"SELECT max(row_group_num_rows) FROM parquet_metadata('{path}')").fetchone()
        assert out_of_order == (0,)
        assert groups[0] <= 16_384
    found = grants(con, [("imp_1", place.snapshot(1, "ver_1"))], entitlement=(None, None, "e7"), limit=1000)
    expected = con.execute("SELECT count(*) FROM large_grants WHERE entitlement = 7").fetchone()[0]
    assert len(found.items) == min(expected, 1000)


def test_write_refuses_a_version_id_that_was_used(feed, came):
    feed.load(["U1"])
    found = feed.compare(came(feed.con, ["U1", "U2"]))
    with pytest.raises(Conflict):
        write(feed.con, found, feed.place, "ver_1")


def test_write_leaves_the_current_version_alone_where_a_file_of_it_is_missing(feed, came):
    feed.load(["U1"])
    (feed.current.folder / GRANT.file).unlink()
    with pytest.raises(LakeUnavailable, match=r"grants\.parquet"):
        feed.compare(came(feed.con, ["U1", "U2"]))


def test_write_reports_a_lake_that_cannot_be_written(feed, came, tmp_path):
    (tmp_path / "lake").write_text("not a folder")
    found = feed.compare(came(feed.con, ["U1"]))
    with pytest.raises(LakeUnavailable, match="Writing a version failed"):
        write(feed.con, found, feed.place, "ver_1")


def test_write_reports_a_full_disk_and_leaves_nothing(tmp_path):
    """A file-size limit stands in for the full disk: the writing process gets an error from the kernel."""
    script = f"""
import resource, signal
from pathlib import Path
from grantline.catalog.connection import connect
from grantline.catalog.diff import diff
from grantline.catalog.lake import ImportFolder
from grantline.catalog.model import Incoming
from grantline.catalog.write import write
from grantline.errors import LakeUnavailable
con = connect(256, 1, Path({str(tmp_path)!r}) / "spill")
con.execute("CREATE TEMP TABLE g AS SELECT i::UINTEGER AS account, (hash(i) % 9)::UINTEGER AS entitlement, "
    "hash(i)::VARCHAR AS granted_at, NULL::VARCHAR AS expires_at FROM range(100000) t(i)")
fields = "email username display_name first_name last_name status type owner_email manager_id employee_id"
fields += " last_login_at created_at profile"
row = ", ".join("NULL::VARCHAR AS " + name for name in fields.split())
con.execute("CREATE TEMP TABLE a AS SELECT i::UINTEGER AS n, i::VARCHAR AS id, " + row + " FROM range(100000) t(i)")
con.execute("CREATE TEMP TABLE e AS SELECT i::UINTEGER AS n, NULL::VARCHAR AS resource_type, NULL::VARCHAR AS "
    "resource, i::VARCHAR AS entitlement, NULL::VARCHAR AS display_name, NULL::VARCHAR AS slug, "
    "NULL::VARCHAR AS description FROM range(9) t(i)")
con.execute("CREATE TEMP TABLE u (id VARCHAR)")
found = diff(con, Incoming("a", "e", "g", "u"), None, 1)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
place = ImportFolder(Path({str(tmp_path)!r}) / "lake", "org_1", "imp_1")
try:
    write(con, found, place, "ver_1")
except LakeUnavailable as error:
    assert list((place.folder / "versions").iterdir()) == []
    print("refused:", error.message)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.stdout.startswith("refused: Writing a version failed"), done.stderr


def _large(con, rows):
    from grantline.catalog.columns import ACCOUNT_FIELDS, ENTITLEMENT_FIELDS

    nulls = ", ".join(f"NULL::VARCHAR AS {name}" for name in ACCOUNT_FIELDS)
    con.execute(
        f"CREATE TEMP TABLE large_accounts AS SELECT i::UINTEGER AS n, 'U' || i AS id, {nulls} FROM range(5000) t(i)"
    )
    nulls = ", ".join(f"NULL::VARCHAR AS {name}" for name in ENTITLEMENT_FIELDS)
    con.execute(
        "CREATE TEMP TABLE large_entitlements AS SELECT i::UINTEGER AS n, NULL::VARCHAR AS resource_type, "
        f"NULL::VARCHAR AS resource, 'e' || i AS entitlement, {nulls} FROM range(200) t(i)"
    )
    con.execute(
        "CREATE TEMP TABLE large_grants AS SELECT DISTINCT (hash(i) % 5000)::UINTEGER AS account, "
        "(hash(i + 1) % 200)::UINTEGER AS entitlement, NULL::VARCHAR AS granted_at, "
        f"NULL::VARCHAR AS expires_at FROM range({rows}) t(i)"
    )
    con.execute("CREATE TEMP TABLE large_unconfirmed (id VARCHAR)")
    return Incoming("large_accounts", "large_entitlements", "large_grants", "large_unconfirmed")
