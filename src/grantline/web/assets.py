"""Addresses of the console's own static files.

Owns the mark of content (`?v=…`) that makes a browser fetch a file anew when it changed, although it may
keep it for as long as it likes. A file is read once for each time it changes.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from django.templatetags.static import static

ROOT = Path(__file__).parent / "static" / "grantline"


def asset_url(path: str) -> str:
    """The address of `static/grantline/<path>` with a mark of its content.

    Raises: `FileNotFoundError` for a file that is not there (a mistake in a template).
    """
    file = Path(f"{ROOT}/{path}")  # a template hands in SafeString, which pathlib of Python 3.11 refuses
    return f"{static(f'grantline/{path}')}?v={_mark(file, file.stat().st_mtime_ns)}"


@lru_cache(maxsize=64)
def _mark(file: Path, changed_ns: int) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:10]
