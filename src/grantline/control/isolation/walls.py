"""The SQL of the second wall: the role, its rights, and a policy on every table with an organization.

In: a cursor of the tables' owner. Out: nothing; each function may be called again. A new table with an
organization gets its wall in the migration that makes it (`raise_wall`); a test fails where one lacks
it. The expressions are subqueries, so that PostgreSQL reads the setting once a query, not once a row.
"""

from __future__ import annotations

from typing import Any, Final

from grantline.control.isolation import EVERYBODY, ROLE, SETTING

POLICY: Final = "only_the_organization_shown"
_SHOWN: Final = f"(SELECT nullif(current_setting('{SETTING}', true), ''))"

MAKE_ROLE: Final = f"""
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{ROLE}') THEN
        BEGIN
            CREATE ROLE {ROLE} NOLOGIN NOSUPERUSER NOBYPASSRLS;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;  -- made by another database's migration
        END;
    END IF;
    IF NOT pg_has_role(current_user, '{ROLE}', 'SET') THEN
        EXECUTE format('GRANT {ROLE} TO %I', current_user);
    END IF;
END
$$;
"""

GRANT_RIGHTS: Final = f"""
DO $$
DECLARE
    place text := current_schema();
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO {ROLE}', place);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO {ROLE}', place);
    EXECUTE format('GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA %I TO {ROLE}', place);
    EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {ROLE}',
                   place);
    EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT USAGE, SELECT ON SEQUENCES TO {ROLE}', place);
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO {ROLE}', current_database());
EXCEPTION WHEN insufficient_privilege THEN
    RAISE EXCEPTION 'the tables must belong to the user who migrates (%)', current_user;
END
$$;
"""

KEPT_FOR_GOOD: Final = {
    "control_auditevent": "UPDATE, DELETE, TRUNCATE",
    "control_audithead": "DELETE, TRUNCATE",
    "control_issuedexternalid": "DELETE, TRUNCATE",
    "django_migrations": "INSERT, UPDATE, DELETE, TRUNCATE",
}
"""What even our own code never does to these tables, so the role may not."""

TABLES_WITH_ORGANIZATION: Final = """
SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE a.attname = 'organization_id' AND NOT a.attisdropped AND c.relkind IN ('r', 'p')
  AND c.relnamespace = current_schema()::regnamespace
ORDER BY c.relname
"""


def raise_walls(cursor: Any) -> None:
    """Make the role, grant its rights, and raise the wall of every table with an organization there is."""
    cursor.execute(MAKE_ROLE)
    cursor.execute(GRANT_RIGHTS)
    for table, rights in KEPT_FOR_GOOD.items():
        cursor.execute(f"REVOKE {rights} ON {table} FROM {ROLE}")
    cursor.execute(TABLES_WITH_ORGANIZATION)
    for (table,) in cursor.fetchall():
        raise_wall(cursor, table)
    raise_wall(cursor, "control_organization", column="id")


def raise_wall(cursor: Any, table: str, column: str = "organization_id") -> None:
    """Show only rows of the organization that is shown, and take none of another."""
    condition = f"{column} = {_SHOWN} OR {_SHOWN} = '{EVERYBODY}'"
    cursor.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    cursor.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    cursor.execute(f"DROP POLICY IF EXISTS {POLICY} ON {table}")
    cursor.execute(f"CREATE POLICY {POLICY} ON {table} USING ({condition}) WITH CHECK ({condition})")


def raise_missing_walls(cursor: Any) -> None:
    """Raise the wall of each table with an organization that has none yet: a later migration made it."""
    cursor.execute(TABLES_WITH_ORGANIZATION)
    tables = {table for (table,) in cursor.fetchall()}
    cursor.execute(
        "SELECT tablename FROM pg_policies WHERE schemaname = current_schema() AND policyname = %s", [POLICY]
    )
    for table in sorted(tables - {table for (table,) in cursor.fetchall()}):
        raise_wall(cursor, table)


def lower_walls(cursor: Any) -> None:
    """Undo `raise_walls`, but for the role, which other databases of the server may use."""
    cursor.execute(
        "SELECT tablename FROM pg_policies WHERE schemaname = current_schema() AND policyname = %s", [POLICY]
    )
    for (table,) in cursor.fetchall():
        _lower_wall(cursor, table)


def _lower_wall(cursor: Any, table: str) -> None:
    cursor.execute(f"DROP POLICY IF EXISTS {POLICY} ON {table}")
    cursor.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    cursor.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
