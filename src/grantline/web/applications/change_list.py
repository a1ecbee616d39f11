"""A list of changes, on a page and as CSV: of a run that was published, and of one that is held.

In: rows of changes as the catalog tells them, and a query that may choose a kind, an operation and a page.
Out: the rows with their words, the choices with their addresses, and the cells of a download.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

from grantline.catalog.lookups import Op
from grantline.catalog.model import Kind
from grantline.control.applications.catalog import Rows
from grantline.control.organizations.roles import Permission
from grantline.web.applications.history import difference_words, entitlement_name
from grantline.web.paging import address_with
from grantline.web.requests import PageRequest

PAGE_ROWS = 50
DOWNLOAD_PAGE_ROWS = 500
KINDS = (("", "All kinds"), ("account", "Accounts"), ("entitlement", "Entitlements"), ("grant", "Grants"))
OPS = (("", "All"), ("added", "Added"), ("removed", "Removed"), ("changed", "Changed"))
HEADS = (
    "kind",
    "change",
    "account",
    "account_name",
    "resource_type",
    "resource",
    "entitlement",
    "entitlement_name",
    "difference",
)
_CELLS = (
    "kind",
    "op",
    "account",
    "account_display_name",
    "resource_type",
    "resource",
    "entitlement",
    "entitlement_display_name",
)


def list_context(request: PageRequest, rows: Rows) -> dict[str, Any]:
    """What the template of a list needs: its rows, and where its pages lead."""
    shown = [_shown(row) for row in rows.items]
    return {
        "rows": shown,
        "has_differences": any(row["difference"] for row in shown),
        "next_href": address_with(request.GET, cursor=rows.next) if rows.next else "",
        "first_href": address_with(request.GET, cursor=None) if request.GET.get("cursor") else "",
    }


def choice_context(request: PageRequest) -> dict[str, Any]:
    """What can be chosen above a list, and its download."""
    return {
        "kinds": _choices(request, "kind", KINDS),
        "ops": _choices(request, "op", OPS),
        "may_export": request.scope.may(Permission.CATALOG_EXPORT),
        "download_query": address_with(request.GET, cursor=None),
    }


def download_cells(page_at: Callable[[str], Rows]) -> Iterator[tuple[Any, ...]]:
    """The cells below `HEADS` of every change; `page_at` answers the page of a cursor, the first one's is empty."""
    cursor: str | None = ""
    while cursor is not None:
        page = page_at(cursor)
        for row in page.items:
            yield (*(row[name] for name in _CELLS), _difference(row))
        cursor = page.next


def kind_of(request: PageRequest) -> Kind | None:
    """The kind that the query chooses."""
    kind = request.GET.get("kind", "")
    return cast(Kind, kind) if kind in ("account", "entitlement", "grant") else None


def op_of(request: PageRequest) -> Op | None:
    """The operation that the query chooses."""
    op = request.GET.get("op", "")
    return cast(Op, op) if op in ("added", "removed", "changed") else None


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    name = entitlement_name(row) if row["entitlement_key"] else ""
    return {**row, "name": name, "difference": _difference(row)}


def _difference(row: dict[str, Any]) -> str:
    return difference_words(row["before"], row["after"]) if row["op"] == "changed" else ""


def _choices(request: PageRequest, name: str, options: tuple[tuple[str, str], ...]) -> list[tuple[str, str, bool]]:
    """Each option with the address that chooses it and whether it is chosen."""
    chosen = request.GET.get(name, "")
    return [
        (label, address_with(request.GET, cursor=None, **{name: value or None}), value == chosen)
        for value, label in options
    ]
