"""Where a page stands: the line of links above its title.

In: pairs of label and the name of an address with its arguments. Out: what `frame/breadcrumbs.html` shows;
the last one is the page itself and has no link.
"""

from __future__ import annotations

from typing import Any

from django.urls import reverse

Crumb = tuple[Any, ...]


def crumbs(*trail: Crumb, here: str) -> list[dict[str, str]]:
    """`crumbs(("Data sources", "sources"), ("Exports", "source", id), here="Change")`."""
    links = [{"label": str(label), "href": reverse(name, args=args)} for label, name, *args in trail]
    return [*links, {"label": here}]
