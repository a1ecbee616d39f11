"""The connection: what SQL can reach, and how faults are named."""

from __future__ import annotations

import duckdb
import pytest

from grantline.catalog.connection import connect, lake_errors, path_literal, target_literal
from grantline.errors import LakeUnavailable


def test_connect_spills_where_memory_ends(tmp_path):
    con = connect(128, 1, tmp_path / "spill")
    con.execute("CREATE TEMP TABLE t AS SELECT hash(i)::VARCHAR AS h FROM range(3_000_000) t(i) ORDER BY 1")
    assert con.execute("SELECT count(*) FROM t").fetchone() == (3_000_000,)


def test_connect_loads_no_extension_by_itself(tmp_path):
    con = connect(128, 1)
    settings = dict(
        con.execute("SELECT name, value FROM duckdb_settings() WHERE name LIKE 'auto%known_extensions'").fetchall()
    )
    assert set(settings.values()) == {"false"}


def test_connect_reaches_only_the_named_folders(tmp_path):
    con = connect(128, 1, tmp_path / "spill", only_below=[tmp_path / "lake"])
    (tmp_path / "lake").mkdir()
    file = tmp_path / "lake" / "a.parquet"
    con.execute(f"COPY (SELECT 1 AS a) TO {target_literal(file)} (FORMAT parquet)")
    assert con.execute(f"SELECT a FROM read_parquet({path_literal(file)})").fetchall() == [(1,)]
    with pytest.raises(duckdb.PermissionException):
        con.execute("SELECT * FROM read_text('/etc/hostname')")
    with pytest.raises(duckdb.InvalidInputException):
        con.execute("SET enable_external_access = true")


def test_path_literal_takes_odd_folder_names_as_they_are(tmp_path):
    con = connect(128, 1)
    folder = tmp_path / "it's [a] *folder?"
    folder.mkdir()
    con.execute(f"COPY (SELECT 1 AS a) TO {target_literal(folder / 'a.parquet')} (FORMAT parquet)")
    assert con.execute(f"SELECT a FROM read_parquet({path_literal(folder / 'a.parquet')})").fetchall() == [(1,)]


def test_lake_errors_says_what_failed(tmp_path):
    with pytest.raises(LakeUnavailable, match="Reading failed: No such file or directory"), lake_errors("Reading"):
        (tmp_path / "nothing").read_text()
