from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import duckdb
import pytest

from grantline.mapping import masks
from grantline.mapping.checks import account_checks
from grantline.mapping.document import load
from grantline.mapping.plan import make_plan

COUNT = 2 * masks.MASK_BITS + 3
SET = {0, masks.MASK_BITS - 1, masks.MASK_BITS, COUNT - 1}


@pytest.fixture
def rows() -> Iterator[duckdb.DuckDBPyConnection]:
    """Table `t`: one row in which the conditions of `SET` hold, one in which none does."""
    con = duckdb.connect()
    conditions = [f"hit AND {number in SET}" for number in range(COUNT)]
    con.execute(f"CREATE TABLE t AS SELECT hit, {masks.columns(conditions)} FROM (VALUES (true), (false)) v(hit)")
    yield con
    con.close()


def test_every_condition_has_a_bit_of_its_own(rows: duckdb.DuckDBPyConnection) -> None:
    found = {n for n in range(COUNT) if rows.execute(f"SELECT 1 FROM t WHERE {masks.holds(n)}").fetchall()}
    assert found == SET
    bits = rows.execute(f"SELECT {', '.join(masks.names(COUNT))} FROM t WHERE hit").fetchall()[0]
    assert masks.as_one(bits) == sum(1 << number for number in SET)


def test_any_condition_of_any_mask_is_seen(rows: duckdb.DuckDBPyConnection) -> None:
    assert rows.execute(f"SELECT hit FROM t WHERE {masks.any_holds(COUNT)}").fetchall() == [(True,)]


def test_no_condition_is_one_mask_that_never_holds() -> None:
    con = duckdb.connect()
    con.execute(f"CREATE TABLE t AS SELECT {masks.columns([])}")
    assert con.execute(f"SELECT {masks.any_holds(0)}, {masks.is_refused([])} FROM t").fetchall() == [(False, False)]


def test_only_errors_refuse(rows: duckdb.DuckDBPyConnection) -> None:
    plan = make_plan(load({"columns": [{"source": "Id", "to": "account.id"}]}), ["Id"])
    check = account_checks(plan, {})[0]
    warning, error = replace(check, severity="warning"), replace(check, severity="error")
    last = [warning] * (COUNT - 1) + [error]
    assert rows.execute(f"SELECT hit FROM t WHERE {masks.is_refused(last)}").fetchall() == [(True,)]
    assert rows.execute(f"SELECT hit FROM t WHERE {masks.is_refused([warning] * COUNT)}").fetchall() == []
