"""Which keys an application ever had: those that a person's words can mean.

In: what somebody typed. Out: the keys, now or in the past of the snapshots, that are called exactly so. An
account is called by its id; an entitlement by its whole identity, its name, its resource or its display
name. Keys of a proposal that is held are not known yet.
"""

from __future__ import annotations

from collections.abc import Iterable

import duckdb

from grantline.catalog.columns import ACCOUNT, ENTITLEMENT, ENTITLEMENT_KEY, listed
from grantline.catalog.lookups.entitlements import IS_THIS
from grantline.catalog.lookups.keys import Parts
from grantline.catalog.lookups.view import Snapshots, fetch, sources

BETWEEN_PARTS = " / "
_CALLED = (
    f"concat_ws('{BETWEEN_PARTS}', {listed(ENTITLEMENT_KEY)}) = ?",
    "entitlement = ?",
    "resource = ?",
    "display_name = ?",
)
"""What an entitlement may be called, the most exact first."""


def knows_account(con: duckdb.DuckDBPyConnection, snapshots: Snapshots, key: str) -> bool:
    """Whether there ever was an account with this id."""
    return any(
        fetch(con, f"SELECT 1 FROM {source.ever(ACCOUNT)} WHERE id = ? LIMIT 1", [key]) for source in sources(snapshots)
    )


def known_entitlements(con: duckdb.DuckDBPyConnection, snapshots: Snapshots, words: str | Parts) -> list[Parts]:
    """The entitlements that there ever were and that `words` mean, in order; by its parts at most one.

    Where a more exact way to call one fits, the others are not looked at: the name before the resource.
    """
    found: dict[int, set[Parts]] = {}
    values = [words] if isinstance(words, str) else [*words]
    for source in sources(snapshots):
        for rank, condition in enumerate(_CALLED if isinstance(words, str) else (IS_THIS,)):
            query = f"SELECT DISTINCT {listed(ENTITLEMENT_KEY)} FROM {source.ever(ENTITLEMENT)} WHERE {condition}"
            found.setdefault(rank, set()).update((row[0], row[1], row[2]) for row in fetch(con, query, values))
    best: Iterable[Parts] = next((parts for _, parts in sorted(found.items()) if parts), ())
    return sorted(best, key=lambda parts: [part or "" for part in parts])


def words_of(parts: Parts) -> str:
    """The words that mean this entitlement and, but for odd names, no other."""
    return BETWEEN_PARTS.join(part for part in parts if part is not None)
