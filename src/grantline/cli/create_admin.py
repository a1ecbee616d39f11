"""`grantline create-admin`: the first organization and Super Administrator.

Works beside a running `serve` and without one. The password comes from standard input, so that it is
in no process list and no shell history.
"""

from __future__ import annotations

import argparse
import getpass
import sys

from grantline.config.start import started
from grantline.errors import InputInvalid


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = subparsers.add_parser("create-admin", help="make an organization and its Super Administrator")
    parser.add_argument("--organization", required=True, help="name of the organization; made if it is new")
    parser.add_argument("--email", required=True, help="e-mail address to sign in with")
    parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input")


def run(args: argparse.Namespace) -> int:
    """Make them. Raises: `InputInvalid`, `Conflict`."""
    password = _password(args)
    with started():
        from grantline.control.organizations.rules import create_admin

        membership = create_admin(args.organization, args.email, password)
        print(f"{membership.user.email} is Super Administrator of {membership.organization.name}.")
    return 0


def _password(args: argparse.Namespace) -> str:
    if args.password_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise InputInvalid("There is no terminal to ask for a password.", remedy="Use --password-stdin.")
    return getpass.getpass("Password (at least 12 characters): ")
