"""Going back: an earlier version's rows as if they had just come in a file.

In: the current snapshot and the number of an earlier version. Out: an `Incoming` that `diff` compares
with the current version like any file, so that a rollback is a new version with its own changes, and
history keeps what was true in between.
"""

from __future__ import annotations

import duckdb

from grantline.catalog.columns import ACCOUNT, ENTITLEMENT, GRANT, SHAPES, listed
from grantline.catalog.lookups.view import Source
from grantline.catalog.model import Incoming, Snapshot
from grantline.errors import NotFound


def restored(con: duckdb.DuckDBPyConnection, snapshot: Snapshot, number: int, prefix: str = "restored") -> Incoming:
    """The rows of version `number` of the import whose current version is `snapshot`, as views of `con`.

    Raises: `NotFound` where there was no such version, `LakeUnavailable`.
    """
    if not 1 <= number <= snapshot.number:
        raise NotFound(
            f"There is no version {number} of this import.", remedy=f"Give a number from 1 to {snapshot.number}."
        )
    source = Source(0, "", snapshot, number)
    for shape in (ACCOUNT, ENTITLEMENT, GRANT):
        columns = listed((*shape.number_columns, *shape.key, *shape.fields))
        con.execute(
            f"CREATE OR REPLACE TEMP VIEW {prefix}_{shape.plural} AS SELECT {columns} FROM {source.rows(shape)}"
        )
    con.execute(f"CREATE OR REPLACE TEMP TABLE {prefix}_unconfirmed (id VARCHAR)")
    return Incoming(
        accounts=f"{prefix}_accounts",
        entitlements=f"{prefix}_entitlements",
        grants=f"{prefix}_grants",
        unconfirmed=f"{prefix}_unconfirmed",
        stated=frozenset(f"{shape.kind}.{field}" for shape in SHAPES for field in shape.fields),
    )
