"""Matching accounts to people, set by set, inside the transaction that updates the account index.

In: the temporary tables of `accounts.rules.update_index`: `index_changed` (with `address`, `employee` as the
catalog folded them) and `index_touched` (employee IDs whose accounts came, went or changed). Out: people, and
each account's link to one. Invariant, at the end of a publish: an account with an address is the person's of
that address; one without, but with an employee ID, is the one person's whose accounts with an address carry
that ID, else the person's of that ID; any other is nobody's. `catalog.lookups.people` says the same of the past.
"""

from __future__ import annotations

from typing import Any, Final

NEW_ID: Final = (
    "'per_' || lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000000)::bigint), 14, '0')"
    " || left(replace(gen_random_uuid()::text, '-', ''), 18)"
)
"""Begins with the time, so that a million new people go to the end of each index; 72 bits are random."""

_KNOWN: Final = """
CREATE TEMP TABLE index_people ON COMMIT DROP AS
SELECT p.id, p.value AS address, p.display_name FROM control_person p
WHERE p.organization_id = %(organization)s AND p.rule = 'email' AND p.value = ANY (ARRAY(
    SELECT DISTINCT address FROM index_changed WHERE address IS NOT NULL))
"""
_NEW: Final = f"""
WITH new AS (
    INSERT INTO control_person (id, organization_id, rule, value, display_name, created_at)
    SELECT {NEW_ID}, %(organization)s, 'email', c.address, left(coalesce(min(c.display_name), ''), 1024),
           statement_timestamp()
    FROM index_changed c LEFT JOIN index_people k USING (address)
    WHERE c.address IS NOT NULL AND k.id IS NULL GROUP BY c.address
    RETURNING id, value, display_name)
INSERT INTO index_people SELECT id, value, display_name FROM new
"""

_WAITING: Final = """
CREATE TEMP TABLE index_waiting ON COMMIT DROP AS
SELECT i.id, i.employee_id, i.display_name FROM control_accountindex i
WHERE i.organization_id = %(organization)s AND i.employee_id <> '' AND i.matched_by IS DISTINCT FROM 'email'
  AND i.employee_id = ANY (ARRAY(SELECT DISTINCT employee_id FROM index_touched))
"""
"""Accounts that have no address, of the employee IDs that may have another answer now."""

_CARRIERS: Final = """
CREATE TEMP TABLE index_carriers ON COMMIT DROP AS
SELECT i.employee_id, min(i.person_id) AS person_id
FROM control_accountindex i
WHERE i.organization_id = %(organization)s AND i.employee_id <> '' AND i.matched_by = 'email'
  AND i.employee_id = ANY (ARRAY(SELECT DISTINCT employee_id FROM index_waiting))
GROUP BY i.employee_id HAVING count(DISTINCT i.person_id) = 1
"""

_PEOPLE_OF_EMPLOYEE_IDS: Final = f"""
INSERT INTO control_person (id, organization_id, rule, value, display_name, created_at)
SELECT {NEW_ID}, %(organization)s, 'employee_id', w.employee_id, max(w.display_name), statement_timestamp()
FROM index_waiting w
WHERE NOT EXISTS (SELECT FROM index_carriers c WHERE c.employee_id = w.employee_id)
  AND NOT EXISTS (SELECT FROM control_person p WHERE p.organization_id = %(organization)s
                  AND p.rule = 'employee_id' AND p.value = w.employee_id)
GROUP BY w.employee_id
ON CONFLICT DO NOTHING
"""

_SETTLED: Final = """
UPDATE control_accountindex i SET person_id = found.person_id, matched_by = 'employee_id'
FROM (SELECT w.id, coalesce(c.person_id, p.id) AS person_id FROM index_waiting w
      LEFT JOIN index_carriers c USING (employee_id)
      LEFT JOIN control_person p ON p.organization_id = %(organization)s AND p.rule = 'employee_id'
                                AND p.value = w.employee_id) found
WHERE i.id = found.id AND (i.person_id IS DISTINCT FROM found.person_id OR i.matched_by IS DISTINCT FROM 'employee_id')
"""

_CALLED: Final = """
CREATE TEMP TABLE index_called ON COMMIT DROP AS
SELECT p.id FROM index_people p JOIN index_changed c USING (address)
WHERE c.display_name IS NOT NULL AND left(c.display_name, 1024) <> p.display_name
UNION
SELECT i.person_id FROM control_accountindex i
WHERE i.organization_id = %(organization)s AND i.matched_by = 'employee_id' AND i.display_name <> ''
  AND i.display_name <> (SELECT p.display_name FROM control_person p WHERE p.id = i.person_id)
  AND i.employee_id = ANY (ARRAY(SELECT employee FROM index_changed WHERE address IS NULL AND employee IS NOT NULL))
"""
"""People whom an account that is new or changed calls otherwise than they are called."""

_NAMES: Final = """
UPDATE control_person p SET display_name = best.display_name
FROM (SELECT DISTINCT ON (i.person_id) i.person_id, i.display_name
      FROM control_accountindex i LEFT JOIN control_import m ON m.id = i.import_id
      WHERE i.display_name <> '' AND i.person_id = ANY (ARRAY(SELECT id FROM index_called))
      ORDER BY i.person_id, m.created_at, i.import_id, i.key) best
WHERE p.id = best.person_id AND p.display_name <> best.display_name
"""
"""A person is called as the account of the oldest import calls them."""


def lock_people(cursor: Any, organization_id: str) -> None:
    """One publish of an organization at a time matches its people, until the transaction ends.

    Take it before the lock of the audit log's head, which every change takes: never the other way round.
    """
    cursor.execute("SELECT pg_advisory_xact_lock(hashtext('grantline.people'), hashtext(%s))", [organization_id])


def find_people(cursor: Any, organization_id: str) -> None:
    """Fill `index_people` with who has the addresses in `index_changed`; makes those whom nobody knew yet."""
    cursor.execute(_KNOWN, {"organization": organization_id})
    cursor.execute(_NEW, {"organization": organization_id})
    cursor.execute("ANALYZE index_people")


def settle(cursor: Any, organization_id: str) -> None:
    """Decide again whose the accounts without an address are. Comes after the accounts' rows."""
    named = {"organization": organization_id}
    cursor.execute(_WAITING, named)
    if cursor.rowcount:
        cursor.execute(_CARRIERS, named)
        cursor.execute(_PEOPLE_OF_EMPLOYEE_IDS, named)
        cursor.execute(_SETTLED, named)
        cursor.execute("DROP TABLE index_carriers")
    cursor.execute("DROP TABLE index_waiting")


def rename(cursor: Any, organization_id: str) -> None:
    """Call people as the accounts in `index_changed` say, where theirs is the name that counts."""
    cursor.execute(_CALLED, {"organization": organization_id})
    if cursor.rowcount:
        cursor.execute(_NAMES)
    cursor.execute("DROP TABLE index_called")
