"""`grantline restore`: an installation from a backup, into an empty data directory and database."""

from __future__ import annotations

import argparse
import os
import shutil
import tarfile
from pathlib import Path

from grantline.config.start import started
from grantline.errors import Conflict, InputInvalid


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = subparsers.add_parser("restore", help="make an installation from a backup")
    parser.add_argument("source", metavar="FROM", type=Path, help="a folder or .tar file that `backup` wrote")
    parser.add_argument("--data-dir", required=True, type=Path, help="the new data directory: empty, or not there yet")


def run(args: argparse.Namespace) -> int:
    """Restore it. Raises: `Conflict`, `InputInvalid`."""
    source, data_dir = args.source.absolute(), args.data_dir.absolute()
    if not source.exists():
        raise InputInvalid(f"There is no backup {source}.")
    if data_dir.exists() and any(path.name != "secret_key" for path in data_dir.iterdir()):
        raise Conflict(
            f"{data_dir} is not empty, and a restore never overwrites anything.", remedy="Name a new folder."
        )
    _take_secret_key(source, data_dir)
    os.environ["GRANTLINE_DATA_DIR"] = str(data_dir)
    with started(migrate=False):
        from grantline.control.backup.rules import restore

        manifest = restore(source)
    print(f"{data_dir}: restored as of {manifest['made_at']} (release {manifest['release']}).")
    if not manifest["secret_key"]:
        print("Give it the secret key it had, or second steps, single sign-on and webhooks must be set up again.")
    return 0


def _take_secret_key(source: Path, data_dir: Path) -> None:
    """The key, where the backup has it; before the settings are read, which would make one."""
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    if (data_dir / "secret_key").exists():
        return
    if source.is_dir() and (source / "secret_key").is_file():
        shutil.copy2(source / "secret_key", data_dir / "secret_key")
    elif source.is_file() and tarfile.is_tarfile(source):
        with tarfile.open(source) as archive:
            if "./secret_key" in archive.getnames():
                _write_key(archive, data_dir / "secret_key")


def _write_key(archive: tarfile.TarFile, target: Path) -> None:
    content = archive.extractfile("./secret_key")
    if content is not None:
        target.touch(mode=0o600)
        with content:
            target.write_bytes(content.read())
