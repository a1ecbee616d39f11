"""What a file speaks about, and what therefore keeps its old value.

A column that is missing from a file makes no statement; a blank cell clears. So a field that is not
stated is taken from the row that is current now, and new rows take what came. The profile of an account
is one JSON object whose keys are stated one by one.
"""

from __future__ import annotations

from grantline.catalog.columns import Shape

PROFILE = "account.profile"


def is_stated(shape: Shape, field: str, stated: frozenset[str]) -> bool:
    """Whether the file speaks about the field; about a profile already by any one of its keys."""
    name = f"{shape.kind}.{field}"
    return name in stated or (name == PROFILE and bool(stated_profile_keys(stated)))


def stated_profile_keys(stated: frozenset[str]) -> frozenset[str]:
    """The keys of the profile that are stated one by one."""
    prefix = PROFILE + "."
    return frozenset(name.removeprefix(prefix) for name in stated if name.startswith(prefix))


def is_merged(shape: Shape, stated: frozenset[str]) -> bool:
    """Whether old and new profiles have to be merged key by key."""
    return shape.kind == "account" and PROFILE not in stated and bool(stated_profile_keys(stated))


def merged_profiles(incoming: str, old: str) -> str:
    """A query of `n`, `profile`: the old keys that are not stated and what came, sorted by key.

    `incoming` and `old` are relations of `n` and `profile`; the stated keys are the query's one
    parameter, a list. A profile without keys is NULL.
    """
    return f"""
        SELECT n, CAST(to_json(map_from_entries(list({{'k': key, 'v': value}} ORDER BY key))) AS VARCHAR)
            AS profile
        FROM (
            SELECT o.n, e.key, e.atom ->> '$' AS value
            FROM {old} o, json_each(CAST(o.profile AS JSON)) e
            WHERE o.profile IS NOT NULL AND NOT list_contains(?, e.key)
            UNION ALL
            SELECT i.n, e.key, e.atom ->> '$' AS value
            FROM {incoming} i, json_each(CAST(i.profile AS JSON)) e
            WHERE i.profile IS NOT NULL
        )
        GROUP BY n
    """
