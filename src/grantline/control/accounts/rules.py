"""The account index: brought up to date inside the transaction that publishes a version.

In: two CSV files that the catalog wrote (accounts to set, account keys to remove). Out: rows of
`AccountIndex`, each with the person it is matched to (`people.matching`). PostgreSQL's COPY carries them,
since a first load brings every account of an application at once. Invariant: after a publish the index of
an import holds exactly the accounts of its current version.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from django.db import connection, models
from django.db.models import Q

from grantline.control.accounts.models import AccountIndex
from grantline.control.imports.models import Import
from grantline.control.organizations.roles import Permission
from grantline.control.people import matching
from grantline.control.tenancy import HasOrganization, Scope, scoped

COPY_CHUNK_BYTES = 1 << 20


_REMOVE: Final = """
WITH gone AS (
    DELETE FROM control_accountindex WHERE import_id = %s AND key_digest = ANY (ARRAY(
        SELECT md5(left(key, 1024)) FROM index_removed
        UNION ALL SELECT md5(left(key, 1024)) FROM index_changed))
    RETURNING employee_id)
INSERT INTO index_touched SELECT employee_id FROM gone WHERE employee_id <> ''
UNION SELECT employee FROM index_changed WHERE employee IS NOT NULL
"""
_INSERT: Final = """
INSERT INTO control_accountindex
    (organization_id, application_id, import_id, key, email_folded, username_folded, display_name,
     employee_id, owner_email_folded, person_id, matched_by)
SELECT %(organization)s, %(application)s, %(import)s, left(c.key, 1024), left(lower(coalesce(c.email, '')), 254),
       left(lower(coalesce(c.username, '')), 1024), left(coalesce(c.display_name, ''), 1024),
       coalesce(c.employee, ''), coalesce(c.owner, ''), p.id, CASE WHEN p.id IS NULL THEN '' ELSE 'email' END
FROM index_changed c LEFT JOIN index_people p USING (address)
"""
"""An account without an address is nobody's at first; `matching.settle` comes right after."""


def update_index(item: Import, changed: Path, removed: Path) -> None:
    """Bring the index of `item` up to date, and with it whose the accounts are.

    `changed`: CSV without header, `key,email,username,display_name,address,employee,owner`, one line an
    account that is new or changed. `removed`: CSV without header, one column, keys of accounts that are gone.
    """
    with connection.cursor() as cursor:
        matching.lock_people(cursor, item.organization_id)
        cursor.execute(
            "CREATE TEMP TABLE index_changed (key text, email text, username text, display_name text,"
            " address text, employee text, owner text) ON COMMIT DROP"
        )
        cursor.execute("CREATE TEMP TABLE index_removed (key text) ON COMMIT DROP")
        cursor.execute("CREATE TEMP TABLE index_touched (employee_id text) ON COMMIT DROP")
        _copy(cursor, "index_changed", changed)
        _copy(cursor, "index_removed", removed)
        cursor.execute("ANALYZE index_changed")
        _apply(cursor, item)
        cursor.execute("DROP TABLE index_changed, index_removed, index_touched, index_people")


def clear_index(item: Import) -> None:
    """Take an import that is deleted out of the index; its people stay."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE index_touched ON COMMIT DROP AS SELECT DISTINCT employee_id"
            " FROM control_accountindex WHERE import_id = %s AND employee_id <> ''",
            [item.pk],
        )
        scoped(AccountIndex, item).filter(import_id=item.pk).delete()
        matching.settle(cursor, item.organization_id)
        cursor.execute("DROP TABLE index_touched")


def lock_index(owner: HasOrganization) -> None:
    """Wait for the organization's other publishes, before a transaction that records its event first."""
    with connection.cursor() as cursor:
        matching.lock_people(cursor, owner.organization_id)


def _apply(cursor: Any, item: Import) -> None:
    names = {"organization": item.organization_id, "application": item.application_id, "import": item.pk}
    cursor.execute(_REMOVE, [item.pk])
    matching.find_people(cursor, item.organization_id)
    cursor.execute(_INSERT, names)
    matching.settle(cursor, item.organization_id)
    matching.rename(cursor, item.organization_id)


def search(scope: Scope, text: str, limit: int) -> models.QuerySet[AccountIndex]:
    """Current accounts whose key, e-mail, username or name holds `text`, without letter case.

    An account of an application is there once, whichever of its imports name it: as one describes it.
    """
    scope.require(Permission.CATALOG_READ)
    wanted = text.strip().lower()
    return (
        scoped(AccountIndex, scope)
        .filter(
            Q(email_folded__contains=wanted)
            | Q(username_folded__contains=wanted)
            | Q(display_name__icontains=wanted)
            | Q(key__icontains=wanted)
        )
        .select_related("application", "person")
        .order_by("key", "application_id", "-display_name", "-email_folded", "id")
        .distinct("key", "application_id")[:limit]
    )


def _copy(cursor: Any, table: str, path: Path) -> None:
    copy = cursor.copy(f"COPY {table} FROM STDIN (FORMAT csv)")
    with path.open("rb") as file, copy as target:
        while chunk := file.read(COPY_CHUNK_BYTES):
            target.write(chunk)
