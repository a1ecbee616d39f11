"""`grantline backup`: everything of this installation, as of one moment, while it goes on working."""

from __future__ import annotations

import argparse
from pathlib import Path

from grantline.config.start import started


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = subparsers.add_parser("backup", help="write everything into a folder or a .tar file")
    parser.add_argument("to", metavar="TO", type=Path, help="a folder, or a file that ends in .tar; not there yet")
    parser.add_argument(
        "--with-secret-key", action="store_true", help="put the secret key in as well; without it, keep it elsewhere"
    )


def run(args: argparse.Namespace) -> int:
    """Write it. Raises: `Conflict`, `LakeUnavailable`."""
    with started():
        from grantline.control.backup.rules import backup

        manifest = backup(args.to.absolute(), with_secret_key=args.with_secret_key)
    rows = sum(facts["rows"] for facts in manifest["tables"].values())
    print(f"{args.to}: {rows:,} rows, {manifest['lake_files']:,} files of versions, {manifest['made_at']}.")
    if not args.with_secret_key:
        print(
            "The secret key is not in it; keep that apart (GRANTLINE_SECRET_KEY, or secret_key in the data directory)."
        )
    return 0
