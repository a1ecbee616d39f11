"""`grantline audit verify` and `grantline audit export`: the audit log, whole and written out.

`verify` walks each organization's chain and says what is wrong with it; exit code 0 where nothing is, 1
where something is. Its last line names where the log ends: kept somewhere else and given as `--expect`
later, it proves that nothing up to there was rewritten since, by nobody. `export` writes one event a line.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from grantline.config.start import started
from grantline.errors import InputInvalid, NotFound

if TYPE_CHECKING:
    from grantline.control.audit.verify import Verification
    from grantline.control.organizations.models import Organization

_HEAD = re.compile(r"(\d{1,18}):([0-9a-f]{64})")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = subparsers.add_parser("audit", help="verify the audit log, or write it out for a log collector")
    parser.add_argument("what", metavar="WHAT", choices=["verify", "export"], help="verify or export")
    parser.add_argument("--organization", help="name or id of one organization (verify: all by default)")
    parser.add_argument("--expect", metavar="NUMBER:HASH", help="verify: an end of the log that you kept")
    parser.add_argument("--format", choices=["ocsf"], default="ocsf", help="export: form of the events (default: ocsf)")


def run(args: argparse.Namespace) -> int:
    """Verify or export. Raises: `NotFound`, `InputInvalid`."""
    with started():
        return _verify(args) if args.what == "verify" else _export(args)


def _verify(args: argparse.Namespace) -> int:
    from grantline.control.audit.verify import verify
    from grantline.control.organizations.rules import worker_scope

    expected = _expected(args)
    found = []
    for organization in _organizations(args.organization):
        found.append(verify(worker_scope(organization.pk), expected))
        _show(organization, found[-1])
    return 0 if all(one.is_whole for one in found) else 1


def _export(args: argparse.Namespace) -> int:
    from dataclasses import replace

    from grantline.control.audit.ocsf import ocsf_line
    from grantline.control.audit.rules import export_events
    from grantline.control.organizations.rules import worker_scope
    from grantline.control.tenancy import acting_for

    if args.organization is None:
        raise InputInvalid("An export is one organization's.", remedy="Name it with --organization.")
    organization = next(_organizations(args.organization))
    scope = replace(worker_scope(organization.pk), actor_name="command line", via="cli")
    with acting_for(scope):
        for event in export_events(scope):
            sys.stdout.write(ocsf_line(event) + "\n")
    return 0


def _organizations(wanted: str | None) -> Iterator[Organization]:
    """The organization with this name or id, or all by name. Raises: `NotFound`."""
    from grantline.control.organizations.models import Organization
    from grantline.control.tenancy import system_scope

    with system_scope("the command line verifies the log of every organization"):
        found = list(Organization.objects.order_by("name"))
    if wanted is not None:
        found = [one for one in found if wanted == one.pk or wanted.casefold() == one.name.casefold()]
        if not found:
            raise NotFound(f"There is no organization {wanted!r}.", remedy="Give its name as the pages show it.")
    yield from found


def _expected(args: argparse.Namespace) -> tuple[int, str] | None:
    if args.expect is None:
        return None
    head = _HEAD.fullmatch(args.expect.strip().lower())
    if head is None or args.organization is None:
        raise InputInvalid(
            "--expect takes NUMBER:HASH of one organization.",
            remedy="Copy it from the last line of an earlier verification, and add --organization.",
        )
    return int(head[1]), head[2]


def _show(organization: Organization, found: Verification) -> None:
    state = "whole" if found.is_whole else f"NOT WHOLE ({len(found.faults)} faults)"
    print(f"{organization.name}: {found.events:,} events, {state}.")
    for fault in found.faults:
        print(f"  {fault.kind}: {fault.message}")
    print(f"  ends with {found.sequence}:{found.hash}")
