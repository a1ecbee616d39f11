"""`grantline migrate`: bring the database's schema up to date, without serving."""

from __future__ import annotations

import argparse

from grantline.config.start import started


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    subparsers.add_parser("migrate", help="bring the database's schema up to date")


def run(_args: argparse.Namespace) -> int:
    """Migrate."""
    with started(migrate=True):
        print("The database is up to date.")
    return 0
