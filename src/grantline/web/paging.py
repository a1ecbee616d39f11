"""Paging by the last row seen, for lists that grow while they are read.

In: rows in an order that ends in the id, and the query. Out: one page and the address of the next.
"""

from __future__ import annotations

from django.http import QueryDict


def address_with(query: QueryDict, **values: str | None) -> str:
    """The query with `values` set, or left out where None: `?state=held&cursor=…`."""
    changed = query.copy()
    for name, value in values.items():
        changed.pop(name, None)
        if value:
            changed[name] = value
    return f"?{changed.urlencode()}" if changed else "?"
