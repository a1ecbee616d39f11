"""The way through the bucket's folders."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from grantline.control.sources.models import DataSource
from grantline.web.sources.browser import trail


def prefixes(source: DataSource, prefix: str) -> list[tuple[str, str]]:
    entries = trail(source, prefix)
    return [(entry.name, parse_qs(urlsplit(entry.href).query).get("prefix", [""])[0]) for entry in entries]


@pytest.mark.parametrize(
    ("own", "prefix", "expected"),
    [
        ("", "", [("acme", "")]),
        ("", "a/b/", [("acme", ""), ("a", "a/"), ("b", "a/b/")]),
        ("exports/", "exports/hr/", [("acme/exports", "exports/"), ("hr", "exports/hr/")]),
        (
            "exports/hr-",
            "exports/hr-2025/x/",
            [("acme/exports/hr-", "exports/hr-"), ("2025", "exports/hr-2025/"), ("x", "exports/hr-2025/x/")],
        ),
        ("", "ü &+/%20/", [("acme", ""), ("ü &+", "ü &+/"), ("%20", "ü &+/%20/")]),
    ],
)
def test_trail_leads_from_the_own_prefix_down(own: str, prefix: str, expected: list[tuple[str, str]]) -> None:
    assert prefixes(DataSource(id="src_1", bucket="acme", prefix=own), prefix) == expected
