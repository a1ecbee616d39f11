"""Whose an account is, as far as its own attributes say: pieces of SQL over the columns of accounts.

The account index (now) and the look-ups of the past (then) use the same pieces, so that both give the
same answer. Invariant: service and system accounts say nobody; a text without an @ is no address; letter
case, Unicode form and spaces around do not tell addresses apart.
"""

from __future__ import annotations

LONGEST_VALUE = 254
"""No address is longer (RFC 5321), and nothing longer is taken for an address or an employee ID."""


def _folded(column: str) -> str:
    return f"nfc_normalize(lower(nfc_normalize(trim({column}))))"


def _an_address(column: str) -> str:
    """The folded address in `column`; NULL where there is none."""
    folded = _folded(column)
    return f"CASE WHEN {folded} LIKE '_%@_%' AND length({folded}) <= {LONGEST_VALUE} THEN {folded} END"


NOBODYS_OWN = ("service", "system")
"""Types of accounts that are nobody's own."""
IS_PERSONAL = f"(type IS NULL OR lower(type) NOT IN {NOBODYS_OWN})"
"""Whether an account is somebody's own; one whose type is not known is taken for one."""
ADDRESS = f"CASE WHEN {IS_PERSONAL} THEN {_an_address('email')} END"
"""The address by which an account is matched, or NULL."""
EMPLOYEE = (
    f"CASE WHEN {IS_PERSONAL} AND length(trim(employee_id)) <= {LONGEST_VALUE} "
    "THEN nullif(nfc_normalize(trim(employee_id)), '') END"
)
"""The employee ID by which an account is matched, or NULL."""
OWNER = _an_address("owner_email")
"""The address of who answers for an account, or NULL."""
NAME = (
    "coalesce(nullif(trim(display_name), ''),"
    " nullif(trim(concat_ws(' ', nullif(trim(first_name), ''), nullif(trim(last_name), ''))), ''))"
)
"""What the person behind an account is called, or NULL."""
IS_UNMATCHED = f"({IS_PERSONAL} AND {ADDRESS} IS NULL AND {EMPLOYEE} IS NULL)"
"""Whether an account is somebody's own, but does not say whose."""
