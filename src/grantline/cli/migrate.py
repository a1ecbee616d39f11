"""`grantline migrate`: bring the database's schema up to date, without serving.

Then what an earlier release has stored is brought up to date too: accounts are matched to people.
"""

from __future__ import annotations

import argparse

from grantline.config.start import started


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    subparsers.add_parser("migrate", help="bring the database's schema up to date")


def run(_args: argparse.Namespace) -> int:
    """Migrate."""
    with started(migrate=True):
        from grantline.jobs.people import match_earlier_accounts

        match_earlier_accounts()
        print("The database is up to date.")
    return 0
