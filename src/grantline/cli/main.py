"""The command line: one verb, one file.

In: arguments. Out: an exit code. Every error of our tree is shown as what is wrong, why, and what to do,
on standard error, with the exit code of its kind; nothing else of it is shown. A verb's module is only
imported when it is used, so that `grantline check` needs no Django.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from types import ModuleType

from grantline import __version__
from grantline.errors import GrantlineError, answer

VERBS: dict[str, str] = {
    "serve": "start the database, the web server and a worker",
    "web": "start the web server alone",
    "worker": "start a worker alone",
    "migrate": "bring the database's schema up to date",
    "create-admin": "make an organization and its Super Administrator",
    "create-token": "make an API token and print it",
    "demo": "the whole job on a local AWS, then the site to look at",
    "check": "read a file and say what would be imported, without a server",
    "sync": "look into an import's bucket now",
    "audit": "verify the audit log, or write it out for a log collector",
    "export": "write an application's accounts, entitlements or grants",
    "backup": "write everything into a folder or a .tar file",
    "restore": "make an installation from a backup",
    "bench": "measure imports beside the bare parse of the same file",
}
WRONG_USE = 64


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb. Returns its exit code; 64 for wrong use."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = _parser(given)
    try:
        args = parser.parse_args(given)
    except SystemExit as stop:
        return WRONG_USE if stop.code else 0
    if args.verb is None:
        parser.print_help()
        return WRONG_USE
    try:
        code: int = _module(args.verb).run(args)
    except GrantlineError as error:
        print(f"{error.message}\n{error.remedy}", file=sys.stderr)
        return answer(error).exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    return code


def _parser(given: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="grantline", description="Who has access to what, from the access exports in S3."
    )
    parser.add_argument("--version", action="version", version=f"grantline {__version__}")
    subparsers = parser.add_subparsers(dest="verb", metavar="VERB")
    wanted = next((word for word in given if not word.startswith("-")), None)
    for verb, words in VERBS.items():
        if verb == wanted:
            _module(verb).add_parser(subparsers)
        else:
            subparsers.add_parser(verb, help=words, add_help=False)
    return parser


def _module(verb: str) -> ModuleType:
    return importlib.import_module(f"grantline.cli.{verb.replace('-', '_')}")


if __name__ == "__main__":
    sys.exit(main())
