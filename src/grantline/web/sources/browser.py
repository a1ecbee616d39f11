"""The bucket browser: one level at a time, as the role sees it.

In: a connected data source and a prefix. Out: folders and files with size, age and storage class, as a part
of a page or as a page of its own. What the bucket answers where it refuses stands in the list's place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from grantline.control.organizations.roles import Permission
from grantline.control.sources import rules
from grantline.control.sources.models import DataSource
from grantline.errors import GrantlineError
from grantline.jobs.requests import list_bucket
from grantline.web.requests import PageRequest, wants_part
from grantline.web.trail import crumbs


@dataclass(frozen=True)
class Entry:
    """A folder: its name, and the address of what is in it."""

    name: str
    href: str


@require_GET
def show(request: PageRequest, source_id: str) -> HttpResponse:
    """One level of the bucket (`prefix`), or its next page (`after`)."""
    source = rules.read(request.scope, source_id)
    context = {
        "page_title": f"Files of {source.name}",
        "breadcrumbs": crumbs(("Data sources", "sources"), (source.name, "source", source.pk), here="Files"),
        "source": source,
        **_level(request, source, request.GET.get("prefix", "")[:2048], request.GET.get("after", "")[:4096]),
    }
    return render(request, "sources/bucket.html" if wants_part(request) else "sources/bucket_page.html", context)


def _level(request: PageRequest, source: DataSource, prefix: str, after: str) -> dict[str, Any]:
    prefix = prefix or source.prefix
    shown: dict[str, Any] = {"prefix": prefix, "trail": trail(source, prefix)}
    try:
        level = list_bucket(request.scope, source.pk, prefix, after or None)
    except GrantlineError as error:
        return {**shown, "error": error}
    may_import = request.scope.may(Permission.IMPORT_WRITE)
    return {
        **shown,
        "folders": [Entry(_last_part(folder), _address(source, folder)) for folder in level.folders],
        "files": [
            {
                "object": item,
                "name": item.key.removeprefix(prefix.rpartition("/")[0] + "/") if "/" in prefix else item.key,
                "import_href": _import_address(source, item.key) if may_import else "",
            }
            for item in level.objects
        ],
        "next_href": _address(source, prefix, level.next_token) if level.next_token else "",
    }


def trail(source: DataSource, prefix: str) -> list[Entry]:
    """The way from the data source's own prefix to `prefix`, folder by folder."""
    root = source.prefix
    entries = [Entry(f"{source.bucket}/{root}".rstrip("/"), _address(source, root))]
    at = root
    for part in prefix.removeprefix(root).split("/")[:-1]:
        at += f"{part}/"
        if part:
            entries.append(Entry(part, _address(source, at)))
    return entries


def _last_part(folder: str) -> str:
    return folder.rstrip("/").rpartition("/")[2] + "/"


def _address(source: DataSource, prefix: str, after: str = "") -> str:
    query = {name: value for name, value in (("prefix", prefix), ("after", after)) if value}
    return reverse("source_bucket", args=[source.pk]) + (f"?{urlencode(query)}" if query else "")


def _import_address(source: DataSource, key: str) -> str:
    return reverse("import_choose") + "?" + urlencode({"data_source": source.pk, "key": key})
