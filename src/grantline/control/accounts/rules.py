"""The account index: brought up to date inside the transaction that publishes a version.

In: two CSV files that the catalog wrote (accounts to set, account keys to remove). Out: rows of
`AccountIndex`. PostgreSQL's COPY carries them, since a first load brings every account of an
application at once. Invariant: after a publish the index of an import holds exactly the accounts of
its current version.
"""

from __future__ import annotations

from pathlib import Path

from django.db import connection, models
from django.db.models import Q

from grantline.control.accounts.models import AccountIndex
from grantline.control.imports.models import Import
from grantline.control.organizations.roles import Permission
from grantline.control.tenancy import Scope, scoped

COPY_CHUNK_BYTES = 1 << 20


def update_index(item: Import, changed: Path, removed: Path) -> None:
    """Bring the index of `item` up to date.

    `changed`: CSV without header, `key,email,username,display_name`, one line an account that is new or
    changed. `removed`: CSV without header, one column, keys of accounts that are gone.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE index_changed (key text, email text, username text, display_name text) ON COMMIT DROP"
        )
        cursor.execute("CREATE TEMP TABLE index_removed (key text) ON COMMIT DROP")
        _copy(cursor, "index_changed", changed)
        _copy(cursor, "index_removed", removed)
        cursor.execute(
            "DELETE FROM control_accountindex WHERE import_id = %s AND key_digest = ANY (ARRAY("
            " SELECT md5(left(key, 1024)) FROM index_removed"
            " UNION ALL SELECT md5(left(key, 1024)) FROM index_changed))",
            [item.pk],
        )
        cursor.execute(
            "INSERT INTO control_accountindex"
            " (organization_id, application_id, import_id, key, email_folded, username_folded, display_name)"
            " SELECT %s, %s, %s, left(key, 1024), left(lower(coalesce(email, '')), 254),"
            "        left(lower(coalesce(username, '')), 1024), left(coalesce(display_name, ''), 1024)"
            " FROM index_changed",
            [item.organization_id, item.application_id, item.pk],
        )


def search(scope: Scope, text: str, limit: int) -> models.QuerySet[AccountIndex]:
    """Current accounts whose key, e-mail, username or name holds `text`, without letter case."""
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
        .select_related("application")
        .order_by("key", "application_id")[:limit]
    )


def _copy(cursor: object, table: str, path: Path) -> None:
    copy = cursor.copy(f"COPY {table} FROM STDIN (FORMAT csv)")  # type: ignore[attr-defined]
    with path.open("rb") as file, copy as target:
        while chunk := file.read(COPY_CHUNK_BYTES):
            target.write(chunk)
