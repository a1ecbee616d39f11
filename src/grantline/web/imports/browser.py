"""The bucket browser of the first step: one level of the bucket at a time, to pick a file from.

In: a draft, a data source, a prefix. Out: a part with folders and files. What the bucket answers when it
refuses is shown in the part; the page around it keeps working.
"""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from grantline.control.sources import rules as sources
from grantline.errors import GrantlineError
from grantline.jobs import drafts
from grantline.jobs.requests import list_bucket
from grantline.web.requests import PageRequest


@require_GET
def listing(request: PageRequest, draft_id: str) -> HttpResponse:
    """One page of one level."""
    draft = drafts.read(request.scope, draft_id)
    source_id, prefix = request.GET.get("data_source_id", ""), request.GET.get("prefix", "")
    if not source_id:
        return render(request, "imports/_listing.html", {"draft": draft, "level": None})
    context = {"draft": draft, "source_id": source_id, "prefix": prefix}
    try:
        source = sources.read(request.scope, source_id)
        level = list_bucket(request.scope, source_id, prefix, request.GET.get("token") or None)
    except GrantlineError as error:
        return render(request, "imports/_listing.html", {**context, "level": None, "error": error})
    context |= {
        "level": level,
        "parents": parents(level.prefix, source.prefix),
        "bucket": source.bucket,
        "folders": [(folder, folder.removeprefix(level.prefix)) for folder in level.folders],
        "objects": [(found, found.key.removeprefix(level.prefix)) for found in level.objects],
        "is_more": bool(request.GET.get("token")),
    }
    return render(request, "imports/_listing.html", context)


def parents(prefix: str, root: str) -> list[tuple[str, str]]:
    """Every level from the root down to `prefix`, as `(prefix, name)`, the root left out."""
    below = prefix.removeprefix(root)
    found, reached = [], root
    for part in below.split("/")[:-1]:
        reached += f"{part}/"
        found.append((reached, part or "/"))
    return found
