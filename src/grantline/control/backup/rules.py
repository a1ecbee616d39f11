"""Backup and restore: one folder that holds an installation as it was at one moment.

    manifest.json    what made it, when, the schema's state, every table's rows and hash
    tables/          the control plane
    lake/ uploads/   the files it names
    secret_key       only where it was asked for: whoever has it can open what is sealed in the tables

In: a running database, a target that is not there yet. Invariant: all of it is of one moment, since files
are linked and tables are read within one snapshot of the database, while runs go on; a target appears
complete, by one rename.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from grantline import __version__
from grantline.control.backup import files, tables
from grantline.control.lake import lake_root
from grantline.control.tenancy import system_scope
from grantline.errors import Conflict, InputInvalid, LakeUnavailable

FORMAT = 1
TRIES = 5
"""How often a snapshot is taken again because the clean-up was at work just then."""


def backup(target: Path, *, with_secret_key: bool = False) -> dict[str, Any]:
    """Write a backup to `target`, a folder or, where it ends in .tar, a file. Returns its manifest.

    Raises: `Conflict` where `target` exists; `LakeUnavailable`.
    """
    if target.exists():
        raise Conflict(f"{target} is there already; a backup never overwrites anything.", remedy="Name a new one.")
    part = target.with_name(f".{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True, mode=0o700)
    try:
        manifest = _written(part, with_secret_key)
        if target.suffix == ".tar":
            _packed(part, target)
        else:
            part.rename(target)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return manifest


def restore(source: Path) -> dict[str, Any]:
    """Fill this process's empty database and data directory from a backup. Returns its manifest.

    Raises: `InputInvalid` where it is no whole backup, `Conflict` where something is there already.
    """
    with _unpacked(source) as folder:
        manifest = read_manifest(folder)
        if any(lake_root().iterdir()):
            raise Conflict(f"{lake_root()} is not empty.", remedy="Restore into an empty data directory.")
        tables.require_empty()
        for name, facts in manifest["tables"].items():
            _require_same(folder / "tables" / f"{name}.copy", facts["sha256"])
        if (folder / "lake").is_dir():
            files.link_tree(folder / "lake", lake_root())
        if (folder / "uploads").is_dir():
            files.link_tree(folder / "uploads", settings.GRANTLINE.data_dir / "uploads")
        tables.load_tables(folder / "tables", manifest["tables"], manifest["migrations"])
    return manifest


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of an unpacked backup. Raises: `InputInvalid`."""
    try:
        manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise InputInvalid(f"{folder} is no backup of Grantline: it has no readable manifest.json.") from None
    if manifest.get("format") != FORMAT:
        raise InputInvalid(f"The backup has format {manifest.get('format')}, which this release does not read.")
    return manifest


def _written(part: Path, with_secret_key: bool) -> dict[str, Any]:
    links = lake_root() / f".backup-{datetime.now(UTC):%Y%m%d%H%M%S%f}"
    try:
        facts = _snapshot(part, links)
        count = files.link_tree(links, part / "lake") if links.is_dir() else 0
    finally:
        shutil.rmtree(links, ignore_errors=True)
    if with_secret_key:
        (part / "secret_key").touch(mode=0o600)
        (part / "secret_key").write_text(settings.SECRET_KEY + "\n", encoding="utf-8")
    manifest = {
        "format": FORMAT,
        "release": __version__,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "secret_key": with_secret_key,
        "lake_files": count,
        **facts,
    }
    (part / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    return manifest


def _snapshot(part: Path, links: Path) -> dict[str, Any]:
    """Everything that has to be of one moment."""
    for _ in range(TRIES):
        shutil.rmtree(links, ignore_errors=True)
        for name in ("tables", "uploads"):
            shutil.rmtree(part / name, ignore_errors=True)
            (part / name).mkdir()
        try:
            with system_scope("a backup holds every organization"), _one_moment():
                files.link_lake(links)
                files.link_uploads(part / "uploads")
                return {"migrations": tables.applied_migrations(), "tables": tables.save_tables(part / "tables")}
        except FileNotFoundError:
            continue
    raise LakeUnavailable(
        "Files that the catalog names are missing, whenever it is asked.",
        remedy="Look into the log for the import whose files are gone; restore them from an earlier backup.",
    )


@contextmanager
def _one_moment() -> Iterator[None]:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def _packed(part: Path, target: Path) -> None:
    packing = target.with_name(f".{target.name}.packing")
    with tarfile.open(packing, "w") as archive:
        archive.add(part, arcname=".")
    packing.chmod(0o600)
    packing.rename(target)


@contextmanager
def _unpacked(source: Path) -> Iterator[Path]:
    if source.is_dir():
        yield source
        return
    if not source.is_file() or not tarfile.is_tarfile(source):
        raise InputInvalid(f"{source} is neither a folder nor a .tar file.")
    folder = lake_root().parent / f".restore-{source.stem}"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        with tarfile.open(source) as archive:
            _extract(archive, folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _extract(archive: tarfile.TarFile, folder: Path) -> None:
    """Write the archive's files below `folder`, and nothing else of it: no link, no device, no way out.

    `extractall(filter="data")` would do, but Python has it from 3.11.4 on only.
    """
    root = folder.resolve()
    for member in archive:
        target = (root / member.name).resolve()
        if not target.is_relative_to(root) or not (member.isfile() or member.isdir()):
            raise InputInvalid(f"The backup holds {member.name!r}, which no backup of Grantline does.")
        if member.isdir():
            target.mkdir(parents=True, exist_ok=True, mode=0o700)
            continue
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        content = archive.extractfile(member)
        if content is not None:
            with content, target.open("wb") as file:
                shutil.copyfileobj(content, file)


def _require_same(path: Path, sha256: str) -> None:
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
            raise InputInvalid(f"{path.name} is not as the backup wrote it.", remedy="Use another copy of the backup.")
