"""`grantline web`: the web server alone, for an installation with its parts on several machines."""

from __future__ import annotations

import argparse

from grantline.cli.supervised import add_flag, end_with_parent
from grantline.config.start import started

BLOCKING_THREADS = 12
"""Requests handled side by side; a connection check or a preview may keep one for a minute."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    add_flag(subparsers.add_parser("web", help="start the web server alone"))


def run(args: argparse.Namespace) -> int:
    """Serve HTTP until told to stop."""
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    with started() as settings:
        end_with_parent(args)
        Granian(
            "grantline.config.wsgi:application",
            address=settings.host,
            port=settings.port,
            interface=Interfaces.WSGI,
            workers=1,
            blocking_threads=BLOCKING_THREADS,
            log_level=LogLevels.warning,
            respawn_failed_workers=True,
        ).serve()
    return 0
