"""Lists in pages: `{"items": [...], "next": cursor or null}`.

In: a queryset and the columns that order it, the last of them unique. Out: one page and the cursor of
the next. A cursor names the last row that was shown, not a count of rows to skip, so a list that grows
meanwhile neither repeats nor leaves out a row, and page 1,000 costs what page 1 costs. It is signed,
and good only for the list it came from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

from django.core import signing
from django.db.models import Model, Q, QuerySet
from ninja import Query
from pydantic import BaseModel, Field

from grantline.errors import InputInvalid

DEFAULT_LIMIT = 50
LIMIT = 500
CURSOR_LIMIT = 8192

Row = TypeVar("Row", bound=Model)
Item = TypeVar("Item", bound=BaseModel)

Limit = Annotated[int, Query(DEFAULT_LIMIT, ge=1, le=LIMIT, description="How many items at most.")]
Cursor = Annotated[
    str, Query("", max_length=CURSOR_LIMIT, description="`next` of the page before; empty for the first.")
]


class Page(BaseModel, Generic[Item]):
    """One page of a list."""

    items: list[Item]
    next: str | None = Field(description="The cursor of the next page; null on the last.")


def page(
    rows: QuerySet[Row],
    order: Sequence[str],
    document: Callable[[Row], Item],
    *,
    limit: int,
    cursor: str,
) -> Page[Item]:
    """The page of `rows` after `cursor`, in `order` (as for `order_by`; fields that are never null).

    Raises: `InputInvalid` for a cursor that this list did not give.
    """
    listing = f"{rows.model.__name__}:{','.join(order)}"
    if cursor:
        rows = rows.filter(_after(order, read_cursor(listing, cursor, len(order))))
    found = list(rows.order_by(*order)[: limit + 1])
    shown = found[:limit]
    following = None
    if len(found) > limit:
        following = make_cursor(listing, [getattr(shown[-1], name.lstrip("-")) for name in order])
    return Page(items=[document(row) for row in shown], next=following)


def make_cursor(listing: str, place: Sequence[Any]) -> str:
    """A cursor of `listing` that stands after `place`."""
    return signing.dumps([_plain(value) for value in place], salt=_salt(listing), compress=True)


def read_cursor(listing: str, cursor: str, length: int) -> list[Any]:
    """The place that `make_cursor` put into `cursor`. Raises: `InputInvalid`, field `cursor`."""
    try:
        place = signing.loads(cursor, salt=_salt(listing))
    except (signing.BadSignature, ValueError) as error:
        raise _wrong_cursor() from error
    if not isinstance(place, list) or len(place) != length:
        raise _wrong_cursor()
    return [_from_plain(value) for value in place]


def _wrong_cursor() -> InputInvalid:
    return InputInvalid(
        "The cursor is not one that this list gave.",
        field="cursor",
        remedy="Begin again without a cursor, then send each page's 'next' unchanged.",
    )


def _after(order: Sequence[str], place: Sequence[Any]) -> Q:
    """Rows behind `place`: greater in the first column, or equal there and greater in the second, …"""
    condition, equal = Q(), Q()
    for name, value in zip(order, place, strict=True):
        column = name.lstrip("-")
        comparison = "lt" if name.startswith("-") else "gt"
        condition |= equal & Q(**{f"{column}__{comparison}": value})
        equal &= Q(**{column: value})
    return condition


def _plain(value: Any) -> Any:
    return {"at": value.isoformat()} if isinstance(value, datetime) else value


def _from_plain(value: Any) -> Any:
    return datetime.fromisoformat(value["at"]) if isinstance(value, dict) else value


def _salt(listing: str) -> str:
    return f"grantline.cursor:{listing}"
