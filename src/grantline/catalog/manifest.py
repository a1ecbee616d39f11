"""`manifest.json`, the file that says what is in a version's folder.

Owns the reading and writing of `Manifest`. It is written last, so a folder with a manifest is complete.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from grantline.catalog.connection import lake_errors
from grantline.catalog.lake import needed
from grantline.catalog.model import Changes, Counts, KindChanges, Manifest

NAME = "manifest.json"
LAYOUT = 1
"""Raised when files of a version can no longer be read as before."""


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest into `folder`, as sorted JSON."""
    document = {"layout": LAYOUT, **asdict(manifest)}
    (folder / NAME).write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a version's folder. Raises: `LakeUnavailable` where it is missing or broken."""
    with lake_errors("Reading a version's manifest"):
        text = needed(folder / NAME).read_text(encoding="utf-8")
    document = json.loads(text)
    document.pop("layout")
    changes = {kind: KindChanges(**numbers) for kind, numbers in document.pop("changes").items()}
    return Manifest(counts=Counts(**document.pop("counts")), changes=Changes(**changes), **document)
