"""A person's access as a signed-off report: one CSV file that says what it is.

In: a scope, a person, maybe a past moment. Out: the file, whole, with its SHA-256 in a header and in the
audit log, so that a copy can be compared with what was handed out. It begins with lines of what, as of when,
made when and by whom; then an empty line, then the table, one row a grant. Cells are safe for spreadsheets.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO
from typing import Final

from django.http import HttpResponse
from django.utils import timezone

from grantline.control.audit.rules import Action, record
from grantline.control.organizations.models import Organization
from grantline.control.organizations.roles import Permission
from grantline.control.people import access
from grantline.control.people.access import Held, Holdings
from grantline.control.people.models import Person
from grantline.control.tenancy import Scope
from grantline.web.downloads import safe_cell

HEADS: Final = (
    *("application", "account", "account_name", "account_email", "account_status", "account_type", "matched_by"),
    *("resource_type", "resource", "entitlement", "entitlement_name", "granted_at", "expires_at"),
    *("seen_since", "run", "import"),
)
ACCOUNT_FIELDS: Final = ("id", "display_name", "email", "status", "type")
GRANT_FIELDS: Final = (
    *("resource_type", "resource", "entitlement", "entitlement_display_name", "granted_at", "expires_at"),
)
_UNSAFE_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9._@-]+")


def report_response(scope: Scope, person: Person, as_of: datetime | None) -> HttpResponse:
    """The report as a download, recorded in the audit log. Raises: `NotAllowed`."""
    scope.require(Permission.CATALOG_EXPORT)
    made_at = timezone.now()
    moment = as_of or made_at
    text, count = report(scope, person, as_of, made_at)
    body = text.encode("utf-8", "replace")
    digest = hashlib.sha256(body)
    facts = {"what": "access of a person", "format": "csv", "rows": count, "until": _utc(moment)}
    record(scope, Action.CATALOG_EXPORT, person, name=str(person), after={**facts, "sha256": digest.hexdigest()})
    response = HttpResponse(body, content_type="text/csv; charset=utf-8")
    name = _UNSAFE_IN_NAMES.sub("-", f"access-{person.value}").strip("-.")[:80]
    response["Content-Disposition"] = f'attachment; filename="{name}-{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}.csv"'
    response["Repr-Digest"] = f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"  # RFC 9530
    response["X-Content-SHA256"] = digest.hexdigest()
    response["Cache-Control"] = "no-store"
    return response


def report(scope: Scope, person: Person, as_of: datetime | None, made_at: datetime) -> tuple[str, int]:
    """The file's text with a byte order mark, because spreadsheets guess without one, and its grants' number."""
    buffer = StringIO()
    buffer.write("\ufeff")
    writer = csv.writer(buffer, lineterminator="\r\n")
    held = access.holdings(scope, person, as_of)
    for line in _facts(scope, person, held, as_of or made_at, made_at):
        writer.writerow([safe_cell(cell) for cell in line])
    writer.writerow([])
    writer.writerow(HEADS)
    count = 0
    for one in held.accounts:
        for row in _rows(one):
            writer.writerow([safe_cell(cell) for cell in row])
            count += 1
    return buffer.getvalue(), count


def _facts(
    scope: Scope, person: Person, held: Holdings, moment: datetime, made_at: datetime
) -> Iterator[tuple[str, str]]:
    organization = Organization.objects.get(pk=scope.organization_id)
    yield "report", "Access of one person in all applications"
    yield "organization", organization.name
    yield "person", str(person)
    yield "matched_by", f"{person.get_rule_display()}: {person.value}"
    yield "person_id", person.pk
    yield "as_of", _utc(moment)
    yield "made_at", _utc(made_at)
    yield "made_by", scope.actor_name
    for one in held.unanswered:
        yield "left_out", f"{one.application.name}: what it said at that moment is not kept any more"


def _rows(held: Held) -> Iterator[tuple[object, ...]]:
    """One row a grant; an account without any is a row of its own."""
    account = access.account_row(held)
    if account is None:
        return
    who = (held.application.name, *(account[name] for name in ACCOUNT_FIELDS), held.matched_by)
    is_empty = True
    for grant in access.every_grant(held):
        is_empty, since = False, grant["since"]
        seen = (_utc(since["at"]), since["run_id"], since["import_id"]) if since else ("", "", "")
        yield *who, *(grant[name] for name in GRANT_FIELDS), *seen
    if is_empty:
        yield *who, *[""] * (len(HEADS) - len(who))


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
