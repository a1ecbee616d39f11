"""`grantline create-token`: a bearer token for the API; the token alone is on the last line."""

from __future__ import annotations

import argparse

from grantline.config.start import started


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = subparsers.add_parser("create-token", help="make an API token and print it")
    parser.add_argument("--email", required=True, help="member whose rights the token has")
    parser.add_argument("--name", required=True, help="what the token is for")
    parser.add_argument("--days", type=int, help="days until it expires (default: GRANTLINE_TOKEN_DAYS)")
    parser.add_argument(
        "--network", action="append", default=[], help="network it is taken from (CIDR); may be given several times"
    )


def run(args: argparse.Namespace) -> int:
    """Make it. Raises: `InputInvalid`."""
    with started():
        from grantline.control.organizations.rules import scope_of_email
        from grantline.control.tenancy import enter
        from grantline.control.tokens.rules import create

        scope = scope_of_email(args.email)
        enter(scope)
        token, text = create(scope, args.name, days=args.days, networks=args.network)
        print(f"Token {token.name}, valid until {token.expires_at:%Y-%m-%d %H:%M} UTC. It is shown once.")
        print(text)
    return 0
