"""Files with a row per entitlement and its members in one cell: rows become one per member.

In: a source, and a mapping with a column to `members`. Out: the same source whose SQL repeats each row for
each member, and the mapping with that column as the account's id. Positions stay those of the file's
rows. A row without members stays one row, which defines the entitlement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from collections.abc import Mapping as Columns
from dataclasses import dataclass, replace

from grantline.issues import Issue
from grantline.mapping.document import MEMBERS, Mapping
from grantline.mapping.entitlements import split
from grantline.mapping.plan import place_of
from grantline.mapping.source import Place, Source, Unproven


@dataclass(frozen=True)
class Unfolded:
    """A source with one row per member; see `source.Source`."""

    columns: tuple[str, ...]
    rows: str
    numbered: str
    doubtful: str | None
    places: Callable[[Iterable[int]], Columns[int, Place]]
    issues: tuple[Issue, ...]
    rejected_count: int
    separators: Columns[str, str]
    original: Source
    expected_count: Callable[[], int | None] | None = None


def unfold(source: Source, mapping: Mapping) -> tuple[Source, Mapping]:
    """Both, with members taken apart; as they are where the mapping has none.

    Raises: `Unproven` where the rows were not scanned yet: their number could not be proven.
    """
    rule = next((rule for rule in mapping.columns if rule.to == MEMBERS), None)
    if rule is None:
        return source, mapping
    if source.expected_count is not None:
        raise Unproven
    cell = f"c{place_of(rule.source, source.columns)}"
    separator = source.separators.get(rule.source, rule.split)

    def over(relation: str) -> str:
        # An empty cell, and an empty list, still are one row.
        parts = f"list_filter({split(cell, separator)}, lambda part: trim(part) <> '')"
        rows = f"coalesce(nullif({parts}, []), [NULL])"
        return f"(SELECT * REPLACE (unnest({rows}) AS {cell}) FROM {relation})"

    unfolded = Unfolded(
        columns=source.columns,
        rows=over(source.rows),
        numbered=over(source.numbered),
        doubtful=over(source.doubtful) if source.doubtful is not None else None,
        places=source.places,
        issues=source.issues,
        rejected_count=source.rejected_count,
        separators=source.separators,
        original=source.original or source,
    )
    as_id = replace(rule, to="account.id", split=None)
    return unfolded, replace(mapping, columns=tuple(as_id if one is rule else one for one in mapping.columns))
