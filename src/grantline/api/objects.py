"""The bucket browser: one level of a connected data source's bucket."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from ninja import Query, Router
from pydantic import Field

from grantline.api.bearer import ApiRequest
from grantline.api.documents import Document, text
from grantline.api.openapi import answers
from grantline.api.pages import Cursor, Limit, make_cursor, read_cursor
from grantline.aws.objects import ObjectInfo
from grantline.jobs.requests import list_bucket

router = Router(tags=["data sources"])


class ObjectDocument(Document):
    """One object of a bucket."""

    id: str = Field(description="The key again.")
    key: str
    size_bytes: int
    etag: str | None
    last_modified: datetime
    storage_class: str


class LevelDocument(Document):
    """One page of one level: files, and the folders below it."""

    prefix: str
    items: list[ObjectDocument]
    folders: list[str]
    next: str | None = Field(description="The cursor of the next page; null on the last.")


@router.get("/{source_id}/objects", response=answers(200, LevelDocument, 404, 409, 502, 503))
def list_objects(
    request: ApiRequest,
    source_id: str,
    limit: Limit,
    cursor: Cursor,
    prefix: Annotated[str, Query("", max_length=1024, description="Begin here; default: the data source's prefix.")],
) -> LevelDocument:
    """List the files and folders at one level of the bucket, in key order.

    A page may hold fewer files than `limit`, even none, and still not be the last.
    """
    listing = f"objects:{source_id}:{prefix}"
    token = str(read_cursor(listing, cursor, 1)[0]) if cursor else None
    level = list_bucket(request.scope, source_id, prefix, token, page_size=limit)
    return LevelDocument(
        prefix=level.prefix,
        items=[_document(info) for info in level.objects],
        folders=list(level.folders),
        next=make_cursor(listing, [level.next_token]) if level.next_token else None,
    )


def _document(info: ObjectInfo) -> ObjectDocument:
    return ObjectDocument(
        id=info.key,
        key=info.key,
        size_bytes=info.size_bytes,
        etag=text(info.etag),
        last_modified=info.last_modified_at,
        storage_class=info.storage_class,
    )
