"""How many accounts, resources, entitlements and grants an application's imports have together."""

from __future__ import annotations

import duckdb

from grantline.catalog.columns import ACCOUNT, ENTITLEMENT, ENTITLEMENT_KEY, GRANT, equal
from grantline.catalog.lookups.view import AsOf, Snapshots, Source, fetch, sources
from grantline.catalog.manifest import read_manifest
from grantline.catalog.model import Counts


def counts(con: duckdb.DuckDBPyConnection, snapshots: Snapshots, *, as_of: AsOf = None) -> Counts:
    """The counts, each key counted once over all imports. One current import: read from its manifest."""
    chosen = sources(snapshots, as_of)
    if not chosen:
        return Counts()
    if len(chosen) == 1 and chosen[0].is_current:
        return read_manifest(chosen[0].snapshot.folder).counts
    key = ", ".join(ENTITLEMENT_KEY)
    accounts = " UNION ALL ".join(f"SELECT id FROM {source.rows(ACCOUNT)}" for source in chosen)
    entitlements = " UNION ALL ".join(f"SELECT {key} FROM {source.rows(ENTITLEMENT)}" for source in chosen)
    row = fetch(
        con,
        f"""
        WITH a AS MATERIALIZED (SELECT id, row_number() OVER () AS u FROM ({accounts}) GROUP BY id),
        e AS MATERIALIZED (SELECT {key}, row_number() OVER () AS v FROM ({entitlements}) GROUP BY {key})
        SELECT (SELECT count(*) FROM a), (SELECT count(DISTINCT (resource_type, resource)) FROM e),
            (SELECT count(*) FROM e), ({_grants(chosen)})
        """,
    )[0]
    return Counts(*row)


def _grants(chosen: list[Source]) -> str:
    """A query of the number of grants, through integers that are the same for all imports."""
    if len(chosen) == 1:
        return f"SELECT count(*) FROM {chosen[0].rows(GRANT)}"
    pairs = " UNION ALL ".join(
        f"SELECT a.u, e.v FROM {source.rows(GRANT)} g "
        f"JOIN (SELECT s.n, a.u FROM {source.rows(ACCOUNT)} s JOIN a ON a.id = s.id) a ON a.n = g.account "
        f"JOIN (SELECT s.n, e.v FROM {source.rows(ENTITLEMENT)} s JOIN e "
        f"ON {equal(ENTITLEMENT_KEY, 'e', 's')}) e ON e.n = g.entitlement"
        for source in chosen
    )
    return f"SELECT count(*) FROM (SELECT DISTINCT u, v FROM ({pairs}))"
